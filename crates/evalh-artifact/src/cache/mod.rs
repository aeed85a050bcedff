//! The cache folder: who is where in it, and what of it is valid.
//!
//! ```text
//! models/NAME/SOURCE/...             the files, complete and verified
//! models/NAME/SOURCE.receipt.json    where they came from, and their hashes
//! suites/, runtimes/                 likewise
//! paths/HASH.receipt.json            hashes of files that the user gave by path
//! partial/KIND-NAME-SOURCE/          downloads under way
//! locks/KIND-NAME.lock               held by the process that writes
//! ```

mod durable;
mod inspect;
mod lock;
mod receipt;
mod staging;

pub(crate) use durable::{create_dir, sync_dir};
pub use inspect::CacheState;
pub(crate) use inspect::{Slot, SlotState};
pub(crate) use lock::lock;
pub use receipt::{Archive, Origin};
pub(crate) use receipt::{Receipt, ReceiptFile, modified_ns};
pub(crate) use staging::{Fill, Staged, Staging, fill};

use crate::{ArtifactError, Manifest, Source, digest::hash_bytes};
use std::path::{Path, PathBuf};

/// The cache folder of the environment: `EVALH_CACHE`, else `evalh` in the platform's cache folder.
///
/// # Errors
/// When `EVALH_CACHE` is not set and the platform names no cache folder.
pub fn default_cache_dir() -> Result<PathBuf, ArtifactError> {
    match std::env::var_os("EVALH_CACHE").filter(|dir| !dir.is_empty()) {
        Some(dir) => Ok(PathBuf::from(dir)),
        None => dirs::cache_dir()
            .map(|dir| dir.join("evalh"))
            .ok_or(ArtifactError::NoCacheDir),
    }
}

/// Paths within a cache folder.
#[derive(Debug, Clone)]
pub(crate) struct Cache {
    root: PathBuf,
}

impl Cache {
    pub(crate) fn new(root: &Path) -> Self {
        Self {
            root: root.to_path_buf(),
        }
    }

    /// Where a source's files of an artifact live.
    pub(crate) fn dir(&self, manifest: &Manifest, source: &Source) -> PathBuf {
        self.artifact(manifest).join(source.fetcher().slug())
    }

    pub(crate) fn receipt(&self, manifest: &Manifest, source: &Source) -> PathBuf {
        self.artifact(manifest)
            .join(format!("{}.receipt.json", source.fetcher().slug()))
    }

    pub(crate) fn partial(&self, manifest: &Manifest, source: &Source) -> PathBuf {
        let slug = source.fetcher().slug();
        self.root
            .join("partial")
            .join(format!("{}-{}-{slug}", manifest.kind, manifest.name))
    }

    pub(crate) fn lock_file(&self, manifest: &Manifest) -> PathBuf {
        self.root
            .join("locks")
            .join(format!("{}-{}.lock", manifest.kind, manifest.name))
    }

    /// The receipt of a path outside the cache.
    pub(crate) fn path_receipt(&self, path: &Path) -> PathBuf {
        let id = hash_bytes(path.as_os_str().as_encoded_bytes());
        self.root
            .join("paths")
            .join(format!("{}.receipt.json", &id.as_str()[..16]))
    }

    fn artifact(&self, manifest: &Manifest) -> PathBuf {
        self.root.join(manifest.kind.folder()).join(&manifest.name)
    }
}
