//! What can be wrong with training data, worded so that it reads after "failed to ...".

use evalh_checkpoint::CheckpointError;
use std::{
    fmt, io,
    path::{Path, PathBuf},
};

/// Why training data cannot be had or used.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// The file cannot be read at all.
    #[error("read {}: {source}; check that it is there and that you may read it", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file's content is not what it should be.
    #[error("read {}{}: {problem}; {remedy}", path.display(), after(*place))]
    Content {
        /// The file.
        path: PathBuf,
        /// Where in it.
        place: Place,
        /// What is wrong, with the field's name where it is one.
        problem: String,
        /// What would work.
        remedy: String,
    },
    /// A sample is what it should be, but this checkpoint cannot be trained on it.
    #[error("use {}{} for training: {problem}; {remedy}", path.display(), after(*place))]
    Unusable {
        /// The file.
        path: PathBuf,
        /// Where in it.
        place: Place,
        /// What is wrong.
        problem: String,
        /// What would work.
        remedy: String,
    },
    /// The tokenizer or the chat template fails on a sample.
    #[error("use {}{} for training: failed to {source}", path.display(), after(*place))]
    Text {
        /// The file.
        path: PathBuf,
        /// Where in it.
        place: Place,
        /// What the tokenizer or the template says.
        source: Box<CheckpointError>,
    },
    /// Examples cannot be put into micro-batches.
    #[error("make batches: {problem}; {remedy}")]
    Batches {
        /// What is wrong.
        problem: String,
        /// What would work.
        remedy: &'static str,
    },
}

/// A place in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The file as a whole.
    File,
    /// A line, from 1.
    Line(u64),
    /// An element of a JSON array, from 1.
    Row(u64),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File => f.write_str("the file"),
            Self::Line(line) => write!(f, "line {line}"),
            Self::Row(row) => write!(f, "row {row}"),
        }
    }
}

/// A place as it follows the file's name.
fn after(place: Place) -> String {
    match place {
        Place::File => String::new(),
        inside => format!(", {inside}"),
    }
}

/// What is wrong and what would work, before it is known where.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) problem: String,
    pub(super) remedy: String,
}

impl Fault {
    pub(super) fn new(problem: impl Into<String>, remedy: impl Into<String>) -> Self {
        let (problem, remedy) = (problem.into(), remedy.into());
        Self { problem, remedy }
    }

    /// A fault of the file.
    pub(super) fn content(self, path: &Path, place: Place) -> DataError {
        DataError::Content {
            path: path.to_owned(),
            place,
            problem: self.problem,
            remedy: self.remedy,
        }
    }
}

/// Why one sample cannot be used, before it is known which.
#[derive(Debug)]
pub(super) enum SampleFault {
    /// It does not go with the checkpoint.
    Unusable(Fault),
    /// The tokenizer or the template fails.
    Text(Box<CheckpointError>),
}

impl From<CheckpointError> for SampleFault {
    fn from(error: CheckpointError) -> Self {
        Self::Text(Box::new(error))
    }
}

impl SampleFault {
    pub(super) fn of(self, path: &Path, place: Place) -> DataError {
        let path = path.to_owned();
        match self {
            Self::Unusable(Fault { problem, remedy }) => DataError::Unusable {
                path,
                place,
                problem,
                remedy,
            },
            Self::Text(source) => DataError::Text {
                path,
                place,
                source,
            },
        }
    }
}
