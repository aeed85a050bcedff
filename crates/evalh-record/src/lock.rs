//! One writer a folder.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io,
    path::{Path, PathBuf},
};

/// The file that a writer holds locked.
pub(crate) const LOCK: &str = ".lock";

/// Why a folder could not be locked.
pub(crate) enum LockError {
    /// Another process holds it.
    InUse,
    /// The lock file cannot be made or locked.
    Io {
        /// The lock file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Locks a folder for as long as the file lives; the system lets go of it however the process ends.
pub(crate) fn lock(dir: &Path) -> Result<File, LockError> {
    let path = dir.join(LOCK);
    let opened = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path);
    let file = match opened {
        Ok(file) => file,
        Err(source) => return Err(LockError::Io { path, source }),
    };
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(LockError::InUse),
        Err(TryLockError::Error(source)) => Err(LockError::Io { path, source }),
    }
}
