//! One process at a time writes an artifact.

use super::create_dir;
use crate::{ArtifactError, Progress};
use std::{
    fs::{File, OpenOptions, TryLockError},
    path::Path,
};

/// Waits for the lock. It is released when the returned file is dropped, or when the process dies.
pub(crate) fn lock(
    path: &Path,
    name: &str,
    progress: &dyn Progress,
) -> Result<File, ArtifactError> {
    create_dir(path.parent().unwrap_or(Path::new(".")))?;
    let fail = |e| ArtifactError::io("lock", path, e);
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)
        .map_err(fail)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            progress.message(&format!(
                "waiting for another process that is fetching `{name}`"
            ));
            file.lock().map_err(fail)?;
        }
        Err(TryLockError::Error(e)) => return Err(fail(e)),
    }
    Ok(file)
}
