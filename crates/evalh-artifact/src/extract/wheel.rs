//! Members of a zip archive.

use crate::fetch::FetchError;
use std::{
    fs::File,
    io::{BufReader, Read},
    path::Path,
};
use zip::{ZipArchive, result::ZipError};

/// Calls `take` with the bytes of the member that has exactly this name.
pub(crate) fn with_zip_member<T>(
    archive: &Path,
    member: &str,
    take: impl FnOnce(&mut dyn Read) -> Result<T, FetchError>,
) -> Result<T, FetchError> {
    let name = archive
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let bad =
        |e: ZipError| FetchError::Unavailable(format!("{name} is not a readable zip archive: {e}"));
    let file = File::open(archive).map_err(|e| crate::ArtifactError::io("read", archive, e))?;
    let mut zip = ZipArchive::new(BufReader::new(file)).map_err(bad)?;
    let mut entry = match zip.by_name(member) {
        Ok(entry) => entry,
        Err(ZipError::FileNotFound) => {
            return Err(FetchError::Unavailable(format!(
                "{name} has no member {member}"
            )));
        }
        Err(e) => return Err(bad(e)),
    };
    if !entry.is_file() {
        return Err(FetchError::Unavailable(format!(
            "{member} in {name} is not a file"
        )));
    }
    take(&mut entry)
}
