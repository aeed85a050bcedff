//! `quixbugs_repair`: write the program without its bug, scored by running its tests.

mod program;
mod protocol;
mod suite;
mod task;

pub use protocol::RepairProtocol;
pub use suite::QuixBugsRepair;
