//! Pinned bytes by name: models, data sets and runtimes.
//!
//! A small TOML [`Manifest`] names an artifact and the sources that have its bytes. [`Catalog::pull`] tries, in this
//! order, an explicit local path, the cache, and then the sources in the order in which the manifest lists them: the
//! Hugging Face hub, a Python package through the user's own pip, a git repository through the user's own git. Every
//! file is checked against a sha256: the manifest's, or, where the manifest knows none, the one that was recorded when
//! the file was first seen ([`PulledFile::first_use`]).
//!
//! What holds at any moment, `kill -9` included:
//! - a file below `models/`, `suites/` or `runtimes/` of the cache is complete and was verified: it got there by a
//!   rename after its bytes reached the disk;
//! - one process at a time writes an artifact: a file lock on `locks/` orders them, and reading needs no lock;
//! - an interrupted download leaves its bytes below `partial/`, from where the next pull goes on.
//!
//! The crate knows nothing of what the bytes mean, and prints nothing: it reports through [`Progress`].

mod builtin;
mod cache;
mod catalog;
mod digest;
mod error;
mod extract;
mod fetch;
mod local;
mod manifest;
mod options;
mod progress;
mod pull;

pub use cache::{Archive, CacheState, Origin, default_cache_dir};
pub use catalog::Catalog;
pub use digest::{Sha256, Sha256ParseError};
pub use error::{ArtifactError, Attempt, NoSource};
pub use fetch::hub_settings::HubSettings;
pub use manifest::{
    Compression, FileSpec, GitSource, HubRepoType, HubSource, Kind, Layout, Manifest,
    PackageFormat, PackageSource, PythonToolSource, Source, SourceKind,
};
pub use options::{PullOptions, Tools};
pub use progress::{NoProgress, Progress};
pub use pull::{Pulled, PulledFile};
