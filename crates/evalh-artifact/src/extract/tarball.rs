//! Members of a gzipped tar archive.

use crate::fetch::FetchError;
use std::{fs::File, io::Read, path::Path};

/// The most bytes of an archive that are decompressed in search of a member.
const MAX_SCAN: u64 = 8 << 30;

/// Calls `take` with the bytes of the first regular file that has exactly this name.
pub(crate) fn with_tar_member<T>(
    archive: &Path,
    member: &str,
    take: impl FnOnce(&mut dyn Read) -> Result<T, FetchError>,
) -> Result<T, FetchError> {
    let name = archive
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let bad = |e| FetchError::Unavailable(format!("{name} is not a readable tar.gz archive: {e}"));
    let file = File::open(archive).map_err(|e| crate::ArtifactError::io("read", archive, e))?;
    let mut tar = tar::Archive::new(flate2::read::MultiGzDecoder::new(file).take(MAX_SCAN));
    for entry in tar.entries().map_err(bad)? {
        let mut entry = entry.map_err(bad)?;
        if *entry.path_bytes() == *member.as_bytes() {
            if !entry.header().entry_type().is_file() {
                return Err(FetchError::Unavailable(format!(
                    "{member} in {name} is not a regular file"
                )));
            }
            return take(&mut entry);
        }
    }
    Err(FetchError::Unavailable(format!(
        "{name} has no member {member}"
    )))
}
