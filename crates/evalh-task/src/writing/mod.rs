//! Problems that are answered with programs, scored by running them: what `HumanEval` and `QuixBugs` have in common.

mod protocol;
mod score;
mod task;

pub(crate) use protocol::{Choice, chosen};
pub(crate) use score::{Asked, ks_of};
pub use score::{PassAtK, REFERENCE_KS, Tally, pass_at_k_estimates};
pub(crate) use task::{Metric, Problems, WritingTask};
