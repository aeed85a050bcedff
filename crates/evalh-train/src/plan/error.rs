//! What can be wrong with a plan.

use std::{io, path::PathBuf};

/// The result of reading a plan.
pub type PlanResult<T> = Result<T, PlanError>;

/// What can be wrong with a plan. Messages read after "failed to ...: "; [`PlanError::help`] is the remedy.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// The file cannot be read.
    #[error("{path} cannot be read")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is not TOML.
    #[error("{path} line {line} is not TOML: {problem}")]
    Syntax {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// Why.
        problem: String,
    },
    /// A key is wrong, missing or unknown.
    #[error(transparent)]
    Key(Box<KeyFault>),
}

/// What is wrong with a key.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path} line {line}, {place}, `{key}` {problem}")]
pub struct KeyFault {
    /// The file.
    pub path: PathBuf,
    /// The line, from 1: of the key, or of its table where the key is missing.
    pub line: usize,
    /// The table: ``[train]``, ``[[arm]] `selective` ``.
    pub place: String,
    /// The key.
    pub key: String,
    /// What is wrong with it.
    pub problem: String,
    /// What to do.
    pub remedy: String,
}

impl PlanError {
    /// What the user can do about it.
    pub fn help(&self) -> String {
        match self {
            PlanError::Read { path, .. } => {
                format!(
                    "check that {} exists and that you may read it",
                    path.display()
                )
            }
            PlanError::Syntax { .. } => {
                "write `key = value` lines under [table] headings, with text in quotes".to_owned()
            }
            PlanError::Key(fault) => fault.remedy.clone(),
        }
    }
}
