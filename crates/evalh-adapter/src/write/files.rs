//! Files that are there whole or not at all.

use crate::AdapterError;
use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

/// The failure of writing a file.
pub fn failed(path: &Path) -> impl FnOnce(io::Error) -> AdapterError {
    let path = path.to_owned();
    |source| AdapterError::SaveFile { path, source }
}

/// A file that is written in full under another name beside its own.
pub struct Pending {
    partial: PathBuf,
    path: PathBuf,
}

impl Pending {
    /// Writes the content beside `path`, down to the disk.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn write(path: &Path, content: &[u8]) -> Result<Pending, AdapterError> {
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let partial = path.with_file_name(format!(".{name}.partial"));
        let written = (|| {
            let mut file = File::create(&partial)?;
            file.write_all(content)?;
            file.sync_all()
        })();
        if let Err(source) = written {
            // Best effort: a partial file only takes room, it is never read.
            let _ = fs::remove_file(&partial);
            return Err(failed(path)(source));
        }
        Ok(Pending {
            partial,
            path: path.to_owned(),
        })
    }

    /// Gives the file its name, in place of an older one.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn publish(self) -> Result<(), AdapterError> {
        fs::rename(&self.partial, &self.path).map_err(failed(&self.path))
    }
}

/// Brings the names in a folder down to the disk; where folders cannot be opened as files the system does so in its own time.
///
/// # Errors
/// When the disk refuses.
pub fn settle(dir: &Path) -> Result<(), AdapterError> {
    match File::open(dir) {
        Ok(folder) => folder.sync_all().map_err(failed(dir)),
        Err(_) => Ok(()),
    }
}
