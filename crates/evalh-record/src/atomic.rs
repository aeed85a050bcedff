//! Files that are there whole or not at all.

use crate::{RecordError, RecordResult};
use std::{
    fs::{self, File},
    io::Write as _,
    path::Path,
};

/// Replaces `dir/name` by `content`: readers see the old file or the new one, whatever happens in between.
pub(crate) fn write(dir: &Path, name: &str, content: &[u8]) -> RecordResult<()> {
    let path = dir.join(name);
    let partial = dir.join(format!(".{name}.partial"));
    let written = (|| {
        let mut file = File::create(&partial)?;
        file.write_all(content)?;
        file.sync_all()?;
        fs::rename(&partial, &path)?;
        // The rename itself survives a power cut only once the folder is written; where folders cannot be
        // opened as files the system does it in its own time.
        if let Ok(folder) = File::open(dir) {
            folder.sync_all()?;
        }
        Ok(())
    })();
    written.map_err(|source| {
        // Best effort: the partial file only takes room, it is never read.
        let _ = fs::remove_file(&partial);
        RecordError::write(dir, &path, source)
    })
}
