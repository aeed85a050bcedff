//! Writes that a crash leaves either done or not begun.

use crate::ArtifactError;
use std::{fs, io::Write, path::Path};

/// Creates a folder and its parents.
pub(crate) fn create_dir(path: &Path) -> Result<(), ArtifactError> {
    fs::create_dir_all(path).map_err(|e| ArtifactError::io("create folder", path, e))
}

/// Makes renames within a folder durable.
pub(crate) fn sync_dir(path: &Path) -> Result<(), ArtifactError> {
    // Windows cannot open a folder as a file, and makes renames durable by itself.
    if cfg!(unix) {
        let sync = || fs::File::open(path)?.sync_all();
        sync().map_err(|e| ArtifactError::io("sync folder", path, e))?;
    }
    Ok(())
}

/// Replaces a file by new content, of which a reader sees all or nothing.
pub(crate) fn write_atomic(path: &Path, bytes: &[u8]) -> Result<(), ArtifactError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    create_dir(folder)?;
    let write = || {
        let mut file = tempfile::Builder::new()
            .prefix(".tmp-")
            .tempfile_in(folder)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|e| e.error)
    };
    write().map_err(|e| ArtifactError::io("write", path, e))?;
    sync_dir(folder)
}
