//! A plain checkpoint with an adapter merged into it.

mod encode;
mod files;
mod plan;
mod write;

pub use plan::{MergedCheckpoint, MergedTensor};
pub use write::MergeReport;
