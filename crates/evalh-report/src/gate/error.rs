//! Why a gate has no verdict.

use crate::baseline::BaselineError;
use std::{io, path::PathBuf};

/// The result of work on a gate.
pub type GateResult<T> = Result<T, GateError>;

/// Why a gate has no verdict. Messages read after "failed to ...: "; [`GateError::help`] is the remedy.
#[derive(Debug, thiserror::Error)]
pub enum GateError {
    /// A file cannot be read.
    #[error("{path} cannot be read")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The policy is wrong, or does not fit the run.
    #[error("{path}, {place}: {problem}")]
    Policy {
        /// The policy's file.
        path: PathBuf,
        /// Where: ``line 4, rule `mmlu holds`, field `margin` ``.
        place: String,
        /// What is wrong.
        problem: String,
        /// What to do.
        remedy: String,
    },
    /// The baseline may not be compared with.
    #[error(transparent)]
    Baseline(#[from] BaselineError),
}

impl GateError {
    /// What the user can do about it.
    pub fn help(&self) -> String {
        match self {
            GateError::Read { path, .. } => {
                format!(
                    "check that {} exists and that you may read it",
                    path.display()
                )
            }
            GateError::Policy { remedy, .. } => remedy.clone(),
            GateError::Baseline(source) => source.help(),
        }
    }
}
