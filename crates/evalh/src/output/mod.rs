//! All that the program says: results on standard output, everything else on standard error.

mod console;
pub mod number;
mod pull_progress;
mod task;

pub use console::{Console, say_failure};
pub use pull_progress::PullProgress;
pub use task::Task;
