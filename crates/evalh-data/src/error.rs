//! What can be wrong with a file, worded so that it reads after "failed to ...".

use std::{
    fmt, io,
    path::{Path, PathBuf},
};

/// Why a file's rows cannot be had.
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
    #[error("read {}{place}: {problem}; {remedy}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// Where in it.
        place: Place,
        /// What is wrong.
        problem: String,
        /// What would work.
        remedy: String,
    },
}

/// A place in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// The file as a whole.
    File,
    /// A line of a text, from 1; a row of CSV begins there.
    Line(u64),
    /// A row, from 1.
    Row(u64),
    /// A column by its dotted name.
    Column(String),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File => Ok(()),
            Self::Line(line) => write!(f, ", line {line}"),
            Self::Row(row) => write!(f, ", row {row}"),
            Self::Column(name) => write!(f, ", column `{}`", name.escape_debug()),
        }
    }
}

/// A [`DataError::Content`] whose file is not named yet.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) place: Place,
    pub(crate) problem: String,
    pub(crate) remedy: String,
}

impl Fault {
    pub(crate) fn new(place: Place, problem: impl Into<String>, remedy: impl Into<String>) -> Self {
        let (problem, remedy) = (problem.into(), remedy.into());
        Self {
            place,
            problem,
            remedy,
        }
    }

    pub(crate) fn of(self, path: &Path) -> DataError {
        DataError::Content {
            path: path.to_path_buf(),
            place: self.place,
            problem: self.problem,
            remedy: self.remedy,
        }
    }
}
