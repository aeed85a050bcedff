//! `QuixBugs` (Lin et al. 2017, doi:10.1145/3135932.3135941): small Python programs with one bug each, to repair or to
//! tell from their fixes.

mod check;
mod checkout;
mod detect;
mod file;
mod item;
mod items;
mod jsonl;
mod literal;
mod repair;
mod set;
mod source;

pub use detect::QuixBugsDetect;
pub use item::{Case, Item};
pub use items::Items;
pub use repair::{QuixBugsRepair, RepairProtocol};
