//! Files that are there whole or not at all.

use crate::{RecordError, RecordResult};
use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::Path,
};

/// Replaces `dir/name` by `content`.
pub(crate) fn write(dir: &Path, name: &str, content: &[u8]) -> RecordResult<()> {
    let path = dir.join(name);
    replace_file(&path, content).map_err(|source| RecordError::write(dir, &path, source))
}

/// Replaces a file by `content`: readers see the old file or the new one, whatever happens in between.
///
/// # Errors
/// When the folder cannot be written.
pub fn replace_file(path: &Path, content: &[u8]) -> io::Result<()> {
    let name = path
        .file_name()
        .ok_or(io::ErrorKind::InvalidFilename)?
        .to_string_lossy();
    let partial = path.with_file_name(format!(".{name}.partial"));
    let written = (|| {
        let mut file = File::create(&partial)?;
        file.write_all(content)?;
        file.sync_all()?;
        fs::rename(&partial, path)?;
        // The rename itself survives a power cut only once the folder is written; where folders cannot be
        // opened as files the system does it in its own time.
        if let Some(Ok(folder)) = path.parent().map(File::open) {
            folder.sync_all()?;
        }
        Ok(())
    })();
    if written.is_err() {
        // Best effort: the partial file only takes room, it is never read.
        let _ = fs::remove_file(&partial);
    }
    written
}
