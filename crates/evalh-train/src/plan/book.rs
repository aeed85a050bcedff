//! What of an experiment is done already.

use super::Job;
use evalh_record::{Difference, Sha256, differences, replace_file};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io,
    path::{Path, PathBuf},
};

/// The version of a book's entries.
const SCHEMA: u32 = 1;
const JOBS: &str = "jobs";

/// What of an experiment is done already: `jobs/ID.json` in its folder, an entry a job. One process at a time holds it.
pub struct Book {
    out: PathBuf,
    _lock: File,
}

/// How far a job is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Nothing was done of it.
    New,
    /// It was begun and not ended: it can be resumed.
    Begun,
    /// It is over.
    Over(Done),
}

/// How a job ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case", deny_unknown_fields)]
pub enum Done {
    /// As it should.
    Finished,
    /// It cannot go on; the experiment goes on without it.
    Failed {
        /// Why.
        problem: String,
    },
}

/// What can be wrong with a book. Messages read after "failed to ...: "; [`BookError::help`] is the remedy.
#[derive(Debug, thiserror::Error)]
pub enum BookError {
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
    /// An entry is damaged.
    #[error("{path} is damaged")]
    Parse {
        /// The file.
        path: PathBuf,
        /// Where and why.
        source: serde_json::Error,
    },
    /// An entry is of another version.
    #[error("{path} is of schema {schema}, this evalh reads schema {SCHEMA}")]
    Schema {
        /// The file.
        path: PathBuf,
        /// Its version.
        schema: u64,
    },
    /// Another process runs the experiment.
    #[error("{out} is in use by another evalh")]
    Locked {
        /// The experiment's folder.
        out: PathBuf,
    },
    /// A job was done with other settings.
    #[error("{id} was made with other settings: {}", list(differences))]
    Changed {
        /// The job.
        id: String,
        /// Its folder.
        folder: PathBuf,
        /// Its entry.
        entry: PathBuf,
        /// What differs; at least one.
        differences: Vec<Difference>,
    },
}

impl BookError {
    /// What the user can do about it.
    pub fn help(&self) -> String {
        match self {
            BookError::Write { path, .. } => format!(
                "name a folder that you may write to as `out` of [experiment] (this is {})",
                path.display()
            ),
            BookError::Read { path, .. } => {
                format!("check that you may read {}", path.display())
            }
            BookError::Parse { path, .. } | BookError::Schema { path, .. } => format!(
                "delete {} and the folder of that job to do it anew, or name another `out` in [experiment]",
                path.display()
            ),
            BookError::Locked { .. } => {
                "wait until the other one has ended, or name another `out` in [experiment]"
                    .to_owned()
            }
            BookError::Changed { folder, entry, .. } => format!(
                "put the plan back to what it was, name another `out` in [experiment], or delete {} and {} to do that job anew",
                folder.display(),
                entry.display()
            ),
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    schema: u32,
    id: String,
    sha256: Sha256,
    settings: Value,
    done: Option<Done>,
}

impl Book {
    /// Opens the book of an experiment's folder, which is made where it is not there.
    ///
    /// # Errors
    /// When the folder cannot be made, or another process holds the book.
    pub fn open(out: &Path) -> Result<Book, BookError> {
        let jobs = out.join(JOBS);
        let write = |path: &Path, source| BookError::Write {
            path: path.to_owned(),
            source,
        };
        fs::create_dir_all(&jobs).map_err(|source| write(&jobs, source))?;
        let path = jobs.join(".lock");
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(|source| write(&path, source))?;
        match lock.try_lock() {
            Ok(()) => Ok(Book {
                out: out.to_owned(),
                _lock: lock,
            }),
            Err(TryLockError::WouldBlock) => Err(BookError::Locked {
                out: out.to_owned(),
            }),
            Err(TryLockError::Error(source)) => Err(write(&path, source)),
        }
    }

    /// How far a job is. One that was made with other settings is refused, since hours of work should not be thrown away
    /// unasked and its result belongs to another experiment.
    ///
    /// # Errors
    /// When its settings differ from those it was made with, or its entry cannot be read.
    pub fn state(&self, job: &Job) -> Result<State, BookError> {
        let path = self.entry(&job.id);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(State::New),
            Err(source) => return Err(BookError::Read { path, source }),
        };
        let entry = parse(&path, &text)?;
        if entry.sha256 != job.hash {
            return Err(BookError::Changed {
                id: job.id.clone(),
                folder: job.folder.clone(),
                entry: path,
                differences: differences(&entry.settings, &job.settings),
            });
        }
        Ok(entry.done.map_or(State::Begun, State::Over))
    }

    /// How far every job is, so that a changed one is refused before any other begins.
    ///
    /// # Errors
    /// As [`Book::state`], for the first that is refused.
    pub fn states(&self, jobs: &[Job]) -> Result<Vec<State>, BookError> {
        jobs.iter().map(|job| self.state(job)).collect()
    }

    /// Notes that a job begins.
    ///
    /// # Errors
    /// When that cannot be written.
    pub fn begin(&self, job: &Job) -> Result<(), BookError> {
        self.write(job, None)
    }

    /// Notes how a job ended.
    ///
    /// # Errors
    /// When that cannot be written.
    pub fn end(&self, job: &Job, done: Done) -> Result<(), BookError> {
        self.write(job, Some(done))
    }

    fn entry(&self, id: &str) -> PathBuf {
        self.out.join(JOBS).join(format!("{id}.json"))
    }

    fn write(&self, job: &Job, done: Option<Done>) -> Result<(), BookError> {
        let path = self.entry(&job.id);
        let entry = Entry {
            schema: SCHEMA,
            id: job.id.clone(),
            sha256: job.hash.clone(),
            settings: job.settings.clone(),
            done,
        };
        let text = serde_json::to_vec_pretty(&entry).map_err(io::Error::other);
        let written = text.and_then(|mut text| {
            text.push(b'\n');
            replace_file(&path, &text)
        });
        written.map_err(|source| BookError::Write { path, source })
    }
}

fn parse(path: &Path, text: &[u8]) -> Result<Entry, BookError> {
    let damaged = |source| BookError::Parse {
        path: path.to_owned(),
        source,
    };
    let value: Value = serde_json::from_slice(text).map_err(damaged)?;
    match value.get("schema").and_then(Value::as_u64) {
        Some(schema) if schema != u64::from(SCHEMA) => Err(BookError::Schema {
            path: path.to_owned(),
            schema,
        }),
        _ => serde_json::from_value(value).map_err(damaged),
    }
}

fn list(differences: &[Difference]) -> String {
    const SHOWN: usize = 3;
    let shown = differences.iter().take(SHOWN);
    let mut parts: Vec<String> = shown
        .map(|of| format!("{} was {} and is now {}", of.field, of.recorded, of.current))
        .collect();
    if differences.len() > SHOWN {
        parts.push(format!("and {} more", differences.len() - SHOWN));
    }
    parts.join("; ")
}
