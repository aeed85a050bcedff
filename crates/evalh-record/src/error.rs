//! What can go wrong with a record on disk.

use crate::{Difference, SCHEMA, SampleKey};
use std::{io, path::PathBuf};

/// The result of work on a record.
pub type RecordResult<T> = Result<T, RecordError>;

/// What can go wrong with a record on disk. Messages read after "failed to ...: "; [`RecordError::help`] is the remedy.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// A file or folder cannot be written.
    #[error("{path} cannot be written")]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file cannot be read.
    #[error("{path} cannot be read")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The disk is full.
    #[error("no space is left on the device of {dir}")]
    DiskFull {
        /// The run folder.
        dir: PathBuf,
    },
    /// A file is not JSON of the expected form.
    #[error("{path} is damaged")]
    Parse {
        /// The file.
        path: PathBuf,
        /// Where and why.
        source: serde_json::Error,
    },
    /// A line of samples is not a sample.
    #[error("{path} line {line} is not a sample")]
    SampleLine {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// Where in the line, and why.
        source: serde_json::Error,
    },
    /// A line of items is not an item.
    #[error("{path} line {line} is not an item")]
    ItemLine {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// Where in the line, and why.
        source: serde_json::Error,
    },
    /// A sample belongs to no suite or variant of the manifest.
    #[error("{path} line {line} is of suite \"{}\" and variant \"{}\", which manifest.json does not have", key.suite, key.variant)]
    StraySample {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The sample.
        key: SampleKey,
    },
    /// A sample is there twice.
    #[error("{path} line {line} repeats sample {} of item \"{}\", suite \"{}\", variant \"{}\"", key.sample, key.item, key.suite, key.variant)]
    DuplicateSample {
        /// The file.
        path: PathBuf,
        /// The second one's line, from 1.
        line: usize,
        /// The sample.
        key: SampleKey,
    },
    /// The record's format is of another version.
    #[error("{path} is of record schema {schema}, this evalh reads schema {SCHEMA}")]
    Schema {
        /// The manifest.
        path: PathBuf,
        /// Its version.
        schema: u64,
    },
    /// The folder holds a run already.
    #[error("{dir} already holds a run")]
    AlreadyARun {
        /// The folder.
        dir: PathBuf,
    },
    /// The folder holds other things.
    #[error("{dir} is not empty and is not a run folder")]
    NotEmpty {
        /// The folder.
        dir: PathBuf,
    },
    /// The folder holds no run.
    #[error("{dir} holds no manifest.json, so there is no run to read")]
    NoRun {
        /// The folder.
        dir: PathBuf,
    },
    /// The run was never finished, so a file is not there yet.
    #[error("{dir} is an unfinished run: {file} is not there yet")]
    Unfinished {
        /// The folder.
        dir: PathBuf,
        /// The missing file.
        file: &'static str,
    },
    /// Another process writes to the folder.
    #[error("{dir} is in use by another evalh")]
    Locked {
        /// The folder.
        dir: PathBuf,
    },
    /// A sample holds a number that JSON cannot.
    #[error("the score of sample {} of item \"{}\", suite \"{}\", variant \"{}\" is not a finite number", key.sample, key.item, key.suite, key.variant)]
    NotFinite {
        /// The sample.
        key: SampleKey,
    },
    /// A value cannot be written as JSON.
    #[error("a value cannot be written as JSON")]
    Serialize {
        /// Why.
        source: serde_json::Error,
    },
    /// Something that can change a score is not what it was.
    #[error("{dir} was run with other settings: {}", list(differences))]
    Changed {
        /// The folder.
        dir: PathBuf,
        /// What differs; at least one.
        differences: Vec<Difference>,
    },
}

impl RecordError {
    /// What the user can do about it.
    pub fn help(&self) -> String {
        match self {
            RecordError::Write { path, .. } => format!(
                "give a folder that you may write to with --out (this one is {})",
                path.display()
            ),
            RecordError::Read { path, .. } => format!("check that {} exists and that you may read it", path.display()),
            RecordError::DiskFull { dir } => format!(
                "every finished sample is kept; free some space and go on with `evalh run --resume {}`",
                dir.display()
            ),
            RecordError::Parse { path, .. } | RecordError::Schema { path, .. } => format!(
                "{} was not written by this version of evalh; start a new run with --out NEW_FOLDER",
                path.display()
            ),
            RecordError::SampleLine { path, line, .. }
            | RecordError::StraySample { path, line, .. }
            | RecordError::DuplicateSample { path, line, .. } => format!(
                "delete line {line} of {} and resume: that sample is then computed again",
                path.display()
            ),
            RecordError::ItemLine { path, .. } => format!(
                "delete {}: it is for reading only, no score needs it",
                path.display()
            ),
            RecordError::AlreadyARun { dir } => format!(
                "go on with it by `evalh run --resume {}`, or give another folder with --out",
                dir.display()
            ),
            RecordError::NotEmpty { .. } => "give a new or an empty folder with --out".to_owned(),
            RecordError::NoRun { dir } => format!(
                "check the path; a run that was stopped before its first sample starts again with `evalh run ... --out {}`",
                dir.display()
            ),
            RecordError::Unfinished { dir, .. } => {
                format!("finish it with `evalh run --resume {}`", dir.display())
            }
            RecordError::Locked { .. } => "wait until the other one has ended, or give another folder with --out".to_owned(),
            RecordError::NotFinite { .. } => {
                "check the weights and the adapter for infinite or missing numbers; on a GPU try --device cpu".to_owned()
            }
            RecordError::Serialize { .. } => "please report this as a bug of evalh".to_owned(),
            RecordError::Changed { .. } => {
                "put the setting back to what it was, or start a new run with --out NEW_FOLDER".to_owned()
            }
        }
    }

    /// A failed write: a full disk is told apart, because it loses nothing and has its own remedy.
    pub(crate) fn write(
        dir: &std::path::Path,
        path: &std::path::Path,
        source: io::Error,
    ) -> RecordError {
        if is_full(&source) {
            RecordError::DiskFull {
                dir: dir.to_owned(),
            }
        } else {
            RecordError::Write {
                path: path.to_owned(),
                source,
            }
        }
    }
}

/// Whether a write failed for want of space.
pub(crate) fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::WriteZero
    )
}

pub(crate) fn list(differences: &[Difference]) -> String {
    const SHOWN: usize = 3;
    let mut parts: Vec<String> = differences
        .iter()
        .take(SHOWN)
        .map(|d| format!("{} was {} and is now {}", d.field, d.recorded, d.current))
        .collect();
    if differences.len() > SHOWN {
        parts.push(format!("and {} more", differences.len() - SHOWN));
    }
    parts.join("; ")
}
