//! From run folders to what a user sees of them.

mod files;
mod runs;
mod show;

pub use files::{page, write_all, write_report};
pub use runs::{Runs, of_bench, of_comparison, options, roles};
pub use show::show;
