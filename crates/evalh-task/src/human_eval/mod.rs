//! `HumanEval` (Chen et al. 2021, arXiv:2107.03374): functions to complete, scored by running their unit tests.

mod problem;
mod program;
mod protocol;
mod samples;
mod suite;
mod task;

pub(crate) use program::{missing_imports, put_first};

pub use crate::writing::{PassAtK, REFERENCE_KS, Tally, pass_at_k_estimates};
pub use problem::{Problem, Problems};
pub use protocol::Protocol;
pub use samples::{ExternalSample, ExternalSamples};
pub use suite::HumanEval;
