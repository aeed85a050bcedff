//! What can go wrong with a baseline.

use super::BASELINE_SCHEMA;
use evalh_record::{Difference, RecordError};
use std::{fmt::Write as _, io, path::PathBuf};

/// The result of work on a baseline.
pub type BaselineResult<T> = Result<T, BaselineError>;

/// What can go wrong with a baseline. Messages read after "failed to ...: "; [`BaselineError::help`] is the remedy.
#[derive(Debug, thiserror::Error)]
pub enum BaselineError {
    /// The file cannot be read.
    #[error("{path} cannot be read")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file cannot be written.
    #[error("{path} cannot be written")]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is no baseline.
    #[error("{path} is no baseline of evalh, or is damaged: {problem}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        problem: String,
    },
    /// The file's format is of another version.
    #[error("{path} is of baseline schema {schema}, this evalh reads schema {BASELINE_SCHEMA}")]
    Schema {
        /// The file.
        path: PathBuf,
        /// Its version.
        schema: u64,
    },
    /// A run folder cannot be read.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The two were run with other settings.
    #[error("the baseline was run with other settings:{}", listed(differences))]
    Changed {
        /// What differs; at least one.
        differences: Vec<Difference>,
    },
}

impl BaselineError {
    /// What the user can do about it.
    pub fn help(&self) -> String {
        match self {
            BaselineError::Read { path, .. } => {
                format!("check that {} exists and that you may read it", path.display())
            }
            BaselineError::Write { path, .. } => format!(
                "give a file that you may write to with --out (this one is {})",
                path.display()
            ),
            BaselineError::Damaged { path, .. } | BaselineError::Schema { path, .. } => format!(
                "make it again from the run that it was made of: evalh baseline save RUN --out {}",
                path.display()
            ),
            BaselineError::Record(source) => source.help(),
            BaselineError::Changed { .. } => {
                "run with the baseline's settings, or make a new baseline with these: evalh baseline save RUN --out \
                 FILE; --force compares them all the same and says so in the report"
                    .to_owned()
            }
        }
    }
}

fn listed(differences: &[Difference]) -> String {
    let mut out = String::new();
    for difference in differences {
        let _ = write!(
            out,
            "\n  {}: {} in the baseline, {} in the run",
            difference.field, difference.recorded, difference.current
        );
    }
    out
}
