//! What can go wrong with a training's record.

use crate::{Difference, RecordError, error::list};
use std::{io, path::PathBuf};

/// The result of work on a training's record.
pub type TrainingResult<T> = Result<T, TrainingError>;

/// What can go wrong with a training's record. Messages read after "failed to ...: "; [`TrainingError::help`] is the
/// remedy.
#[derive(Debug, thiserror::Error)]
pub enum TrainingError {
    /// A file or folder cannot be written.
    #[error("{path} cannot be written")]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file or folder cannot be read.
    #[error("{path} cannot be read")]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file is not JSON of the expected form.
    #[error("{path} is damaged")]
    Parse {
        /// The file.
        path: PathBuf,
        /// Where and why.
        source: serde_json::Error,
    },
    /// The record's format is of another version.
    #[error("{path} is of schema {found}, this evalh reads schema {reads}")]
    Schema {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u64,
        /// The one that can be read.
        reads: u32,
    },
    /// A line of steps is not a step.
    #[error("{path} line {line} is not a step")]
    StepLine {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// Where in the line, and why.
        source: serde_json::Error,
    },
    /// A step is missing, repeated or out of order.
    #[error("{path} line {line} is step {step}, not step {line}")]
    StepOrder {
        /// The file.
        path: PathBuf,
        /// The line, from 1, which is the step that belongs there.
        line: usize,
        /// The step that is there.
        step: u64,
    },
    /// A step that follows was expected and another one was given.
    #[error("step {step} does not follow step {last}")]
    NotNext {
        /// The step that was given.
        step: u64,
        /// The last one that is written.
        last: u64,
    },
    /// The steps do not reach the checkpoint that the training should go on from.
    #[error("{path} ends at step {last}, before the checkpoint of step {from}")]
    StepsMissing {
        /// The file of steps.
        path: PathBuf,
        /// Its last whole step.
        last: u64,
        /// The checkpoint's step.
        from: u64,
    },
    /// A selection of layers does not fit together.
    #[error("{path} is no selection of layers: {problem}")]
    Selection {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// The folder holds a training already.
    #[error("{dir} already holds a training")]
    AlreadyATraining {
        /// The folder.
        dir: PathBuf,
    },
    /// The folder holds other things.
    #[error("{dir} is not empty and is not a training's folder")]
    NotEmpty {
        /// The folder.
        dir: PathBuf,
    },
    /// The folder holds no training.
    #[error("{dir} holds no training.json, so there is no training to read")]
    NoTraining {
        /// The folder.
        dir: PathBuf,
    },
    /// Another process writes to the folder.
    #[error("{dir} is in use by another evalh")]
    Locked {
        /// The folder.
        dir: PathBuf,
    },
    /// A step holds a number that JSON cannot.
    #[error("`{field}` of step {step} is not a finite number")]
    NotFinite {
        /// The step.
        step: u64,
        /// The number.
        field: &'static str,
    },
    /// A value cannot be written as JSON.
    #[error("a value cannot be written as JSON")]
    Serialize {
        /// Why.
        source: serde_json::Error,
    },
    /// A setting is not what it was.
    #[error("{dir} was trained with other settings: {}", list(differences))]
    Changed {
        /// The folder.
        dir: PathBuf,
        /// What differs; at least one.
        differences: Vec<Difference>,
    },
}

impl TrainingError {
    /// What the user can do about it.
    pub fn help(&self) -> String {
        match self {
            TrainingError::Write { path, source } if crate::error::is_full(source) => format!(
                "free some space on the device of {} and resume the training",
                path.display()
            ),
            TrainingError::Write { path, .. } => format!(
                "give a folder that you may write to with --out (this one is {})",
                path.display()
            ),
            TrainingError::Read { path, .. } => {
                format!(
                    "check that {} exists and that you may read it",
                    path.display()
                )
            }
            TrainingError::Parse { path, .. } | TrainingError::Schema { path, .. } => format!(
                "{} was not written by this version of evalh; write it anew to another folder with --out",
                path.display()
            ),
            TrainingError::StepLine { path, line, .. }
            | TrainingError::StepOrder { path, line, .. } => format!(
                "delete line {line} of {} and all lines after it and resume: the training goes on from the checkpoint before that step",
                path.display()
            ),
            TrainingError::StepsMissing { .. } => {
                "go on from an earlier checkpoint, or train anew to another folder with --out"
                    .to_owned()
            }
            TrainingError::Selection { path, .. } => {
                format!("write {} again with `evalh probe`", path.display())
            }
            TrainingError::AlreadyATraining { .. } => {
                "resume it, or give another folder with --out".to_owned()
            }
            TrainingError::NotEmpty { .. } => "give a new or an empty folder with --out".to_owned(),
            TrainingError::NoTraining { .. } => {
                "check the path; it is the folder that `evalh train --out` was given".to_owned()
            }
            TrainingError::Locked { .. } => {
                "wait until the other one has ended, or give another folder with --out".to_owned()
            }
            TrainingError::NotNext { .. }
            | TrainingError::NotFinite { .. }
            | TrainingError::Serialize { .. } => "please report this as a bug of evalh".to_owned(),
            TrainingError::Changed { .. } => {
                "put the setting back to what it was, or train to a new folder with --out"
                    .to_owned()
            }
        }
    }

    /// What writing a value as JSON gives, in this module's terms.
    pub(super) fn from_json(error: RecordError) -> TrainingError {
        let source = match error {
            RecordError::Serialize { source } => source,
            other => serde::ser::Error::custom(other),
        };
        TrainingError::Serialize { source }
    }
}
