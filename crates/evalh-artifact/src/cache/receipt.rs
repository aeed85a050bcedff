//! What is remembered of files once they were verified.

use super::durable::write_atomic;
use crate::{ArtifactError, Sha256, SourceKind};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    fs::{self, Metadata},
    io,
    path::Path,
    time::UNIX_EPOCH,
};

/// The version of the receipt's format.
const SCHEMA: u32 = 1;

/// Where bytes came from; a run records it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The kind of source.
    pub kind: SourceKind,
    /// How reports call it, such as `hub OWNER/NAME @ 12fd25f77366`.
    pub label: String,
    /// The full commit, for the hub and git.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// The archive that a Python tool was installed from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archive: Option<Archive>,
}

/// An archive that files came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Archive {
    /// Its file name.
    pub file: String,
    /// Its hash.
    pub sha256: Sha256,
}

/// A file that was verified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ReceiptFile {
    pub(crate) sha256: Sha256,
    pub(crate) bytes: u64,
    /// Modification time in nanoseconds since 1970; with `bytes` it tells cheaply that a file did not change.
    pub(crate) modified_ns: u64,
}

impl ReceiptFile {
    /// Whether a file still has the length and time that it had when it was verified.
    pub(crate) fn unchanged(&self, metadata: &Metadata) -> bool {
        metadata.len() == self.bytes && modified_ns(metadata) == self.modified_ns
    }
}

/// Modification time in nanoseconds since 1970; 0 where the system has none.
pub(crate) fn modified_ns(metadata: &Metadata) -> u64 {
    let since = metadata
        .modified()
        .ok()
        .and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    since.map_or(0, |d| u64::try_from(d.as_nanos()).unwrap_or(0))
}

/// What is remembered of a source's files, by their relative paths.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Receipt {
    schema: u32,
    pub(crate) origin: Origin,
    pub(crate) files: BTreeMap<String, ReceiptFile>,
}

impl Receipt {
    pub(crate) fn new(origin: Origin) -> Self {
        Self {
            schema: SCHEMA,
            origin,
            files: BTreeMap::new(),
        }
    }

    /// Reads a receipt. One that is missing, damaged or of another version is none: what it said is then found out
    /// again.
    pub(crate) fn load(path: &Path) -> Result<Option<Self>, ArtifactError> {
        match fs::read(path) {
            Ok(bytes) => Ok(serde_json::from_slice::<Self>(&bytes)
                .ok()
                .filter(|r| r.schema == SCHEMA)),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(ArtifactError::io("read", path, e)),
        }
    }

    pub(crate) fn save(&self, path: &Path) -> Result<(), ArtifactError> {
        let mut bytes = serde_json::to_vec_pretty(self)
            .map_err(|e| ArtifactError::io("write", path, io::Error::other(e)))?;
        bytes.push(b'\n');
        write_atomic(path, &bytes)
    }
}
