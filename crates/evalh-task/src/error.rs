//! What can be wrong with a suite, its data, or samples made elsewhere.

use std::path::PathBuf;

/// Why a task cannot go on. Every message names what was given and the remedy.
#[derive(Debug, thiserror::Error)]
pub enum TaskError {
    /// No suite has this name.
    #[error(
        "find suite `{name}`: there is none of this name, the nearest is `{nearest}`; choose one of: {known}"
    )]
    UnknownSuite {
        /// What was asked for.
        name: String,
        /// The suite with the most similar name.
        nearest: String,
        /// All suites.
        known: String,
    },
    /// A suite's definition is not TOML of its form.
    #[error(
        "read suite definition {path}, line {line}: {problem}; correct it, docs/suite-format.md describes the form"
    )]
    Toml {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        problem: String,
    },
    /// A suite's definition makes no suite.
    #[error("read suite definition {path}, `{field}`: {problem}; {remedy}")]
    Definition {
        /// The file.
        path: PathBuf,
        /// The field, with where it is.
        field: String,
        /// What is wrong with it.
        problem: String,
        /// What would work.
        remedy: String,
    },
    /// A file's rows cannot be had.
    #[error(transparent)]
    Rows(#[from] evalh_data::DataError),
    /// A row is not what the suite's definition makes of it.
    #[error("use {path}, row {row}: {problem}; {remedy}")]
    Row {
        /// The file.
        path: PathBuf,
        /// The row, from 1.
        row: usize,
        /// What is wrong with it.
        problem: String,
        /// What would work.
        remedy: String,
    },
    /// A setting of the suite is not possible.
    #[error("open suite `{suite}`: {setting} {problem}; {remedy}")]
    Setting {
        /// The suite.
        suite: String,
        /// The setting.
        setting: &'static str,
        /// What is wrong with it.
        problem: String,
        /// What would work.
        remedy: String,
    },
    /// A file cannot be read.
    #[error("read {path}: {source}; {remedy}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
        /// What would work.
        remedy: String,
    },
    /// A file cannot be written.
    #[error(
        "write {path}: {source}; check that its folder is there and writable, and that the disk has room"
    )]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A line of a data file is corrupt.
    #[error("read {path}, line {line}: {problem}; {remedy}")]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it, with the field where it is one.
        problem: String,
        /// What would work.
        remedy: String,
    },
    /// A data file as a whole is not what it should be.
    #[error("use {path}: {problem}; {remedy}")]
    Data {
        /// The file, or the folder or suite that should give one.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
        /// What would work.
        remedy: String,
    },
    /// A score cannot be told, because answers are missing.
    #[error("score {what}: {problem}; {remedy}")]
    Incomplete {
        /// What was to be scored.
        what: String,
        /// What is missing.
        problem: String,
        /// What would work.
        remedy: String,
    },
    /// A response does not belong to any request of the task, or is of the wrong kind.
    #[error("judge response {index} of suite `{suite}`: {problem}")]
    Response {
        /// The suite.
        suite: String,
        /// The response's index.
        index: usize,
        /// What is wrong with it.
        problem: String,
    },
}
