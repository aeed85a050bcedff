//! Files as memory.

use crate::CheckpointError;
use memmap2::Mmap;
use std::{
    fmt,
    fs::File,
    ops::Range,
    path::{Path, PathBuf},
};

/// A file mapped into memory, read-only.
pub(crate) struct MappedFile {
    path: PathBuf,
    bytes: Bytes,
}

enum Bytes {
    Mapped(Mmap),
    Owned(Vec<u8>),
}

impl MappedFile {
    /// Maps a whole file.
    pub(crate) fn open(path: &Path) -> Result<Self, CheckpointError> {
        let io = |source| CheckpointError::Io {
            path: path.to_owned(),
            source,
        };
        let file = File::open(path).map_err(io)?;
        // SAFETY: the mapping is private to this process and never written. What remains is that another process
        // could change or truncate the file under it; every read of weights from a mapped file accepts this, and a
        // checkpoint is not edited in place while a model is loaded from it.
        #[allow(unsafe_code)]
        let map = unsafe { Mmap::map(&file) }.map_err(io)?;
        Ok(Self {
            path: path.to_owned(),
            bytes: Bytes::Mapped(map),
        })
    }

    /// Bytes that are in memory already, as if they were the file of that path.
    pub(crate) fn from_bytes(path: &Path, bytes: Vec<u8>) -> Self {
        Self {
            path: path.to_owned(),
            bytes: Bytes::Owned(bytes),
        }
    }

    /// The file's path.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The file's bytes.
    pub(crate) fn bytes(&self) -> &[u8] {
        match &self.bytes {
            Bytes::Mapped(map) => map,
            Bytes::Owned(bytes) => bytes,
        }
    }

    /// Lets the system take back the memory of a part that has been read: weights are read once, and kept in another
    /// form. Without that a checkpoint counts twice, as its file and as the model.
    pub(crate) fn release(&self, range: Range<usize>) {
        #[cfg(unix)]
        if let Bytes::Mapped(map) = &self.bytes {
            let (offset, len) = (range.start, range.len());
            // SAFETY: the mapping is of a file and read-only, so pages given back come again from the file unchanged.
            #[allow(unsafe_code)]
            let advised = unsafe {
                map.unchecked_advise_range(memmap2::UncheckedAdvice::DontNeed, offset, len)
            };
            // Only advice: where the system takes none, the pages stay until it needs them.
            drop(advised);
        }
        #[cfg(not(unix))]
        drop(range);
    }
}

impl fmt::Debug for MappedFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MappedFile")
            .field("path", &self.path)
            .field("len", &self.bytes().len())
            .finish_non_exhaustive()
    }
}

/// What lies in a folder, sorted by name.
pub(crate) fn list(folder: &Path) -> Result<Vec<PathBuf>, CheckpointError> {
    let io = |source| CheckpointError::Io {
        path: folder.to_owned(),
        source,
    };
    let mut entries = std::fs::read_dir(folder)
        .map_err(io)?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<Vec<_>, _>>()
        .map_err(io)?;
    entries.sort();
    Ok(entries)
}

/// A whole small file as bytes.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, CheckpointError> {
    std::fs::read(path).map_err(|source| CheckpointError::Io {
        path: path.to_owned(),
        source,
    })
}

/// A whole JSON file.
pub(crate) fn read_json(path: &Path) -> Result<serde_json::Value, CheckpointError> {
    serde_json::from_slice(&read(path)?).map_err(|e| CheckpointError::Malformed {
        path: path.to_owned(),
        field: "JSON".to_owned(),
        problem: e.to_string(),
        remedy: crate::error::FETCH_AGAIN,
    })
}
