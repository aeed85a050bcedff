//! The sources: a file each, and [`Source::fetcher`](crate::Source) as their register.

mod command;
mod git;
mod hub;
pub(crate) mod hub_settings;
mod package;
mod pip;
mod python_tool;
mod transfer;

pub(crate) use python_tool::tree;

use crate::{
    ArtifactError, FileSpec, Progress, PullOptions, Sha256,
    cache::{Archive, Origin, Staged, Staging},
};

/// What a source can do.
pub(crate) trait Fetch {
    /// How reports call it.
    fn label(&self) -> String;
    /// Its folder in the cache, which changes with whatever changes its bytes.
    fn slug(&self) -> String;
    /// The files it gives.
    fn files(&self) -> &[FileSpec];
    /// Brings the wanted files into the staging folder, verified.
    fn fetch(&self, job: &Job<'_>) -> Result<Fetched, FetchError>;
}

/// What is to be fetched, and where to.
pub(crate) struct Job<'a> {
    pub(crate) wanted: Vec<Wanted<'a>>,
    /// Where the artifact's files came from when they were first fetched.
    pub(crate) recorded: Option<&'a Origin>,
    pub(crate) staging: &'a Staging,
    pub(crate) options: &'a PullOptions,
    pub(crate) progress: &'a dyn Progress,
}

/// A file to fetch, and the hash it must have where one is known.
pub(crate) struct Wanted<'a> {
    pub(crate) spec: &'a FileSpec,
    pub(crate) expected: Option<&'a Sha256>,
}

/// What was fetched.
#[derive(Debug, Default)]
pub(crate) struct Fetched {
    pub(crate) files: Vec<Staged>,
    /// The resolved commit, where the source has commits.
    pub(crate) commit: Option<String>,
    /// The archive that a tool was installed from.
    pub(crate) archive: Option<Archive>,
    /// Whether the archive's hash was not known before.
    pub(crate) archive_first_use: bool,
    /// The source's label, where what was fetched makes it more exact.
    pub(crate) label: Option<String>,
}

/// Why a source gave nothing.
#[derive(Debug)]
pub(crate) enum FetchError {
    /// It does not answer, or not with what was asked; the next source is tried.
    Unavailable(String),
    /// It answers with other bytes; the next source is tried.
    WrongBytes(String),
    /// This machine's disk or cache fails, which no other source would change.
    Fatal(ArtifactError),
}

impl From<ArtifactError> for FetchError {
    fn from(error: ArtifactError) -> Self {
        Self::Fatal(error)
    }
}

/// A commit's first twelve digits, for people.
pub(crate) fn short(commit: &str) -> &str {
    commit.get(..12).unwrap_or(commit)
}

/// Whether a revision is a full commit.
pub(crate) fn is_commit(revision: &str) -> bool {
    revision.len() == 40 && revision.bytes().all(|b| b.is_ascii_hexdigit())
}
