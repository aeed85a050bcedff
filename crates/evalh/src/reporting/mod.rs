//! From run folders to what a user sees of them.

mod files;
mod runs;
mod show;

pub use files::{write_all, write_report};
pub use runs::{Runs, options};
pub use show::show;
