//! Files by their content, and where they came from.

use crate::failure::{OrFail as _, Outcome};
use evalh_artifact::{Pulled, PulledFile};
use evalh_record::{FileIdentity, FileOrigin, Sha256, sha256_file};
use std::path::{Path, PathBuf};

/// The identities of files, in their order.
///
/// # Errors
/// When a file cannot be read.
pub fn files(paths: &[PathBuf]) -> Outcome<Vec<FileIdentity>> {
    paths.iter().map(|path| Ok(of_path(path)?.0)).collect()
}

/// The identity of a file of the user's, read for it.
///
/// # Errors
/// When it cannot be read.
pub fn of_path(path: &Path) -> Outcome<(FileIdentity, Option<FileOrigin>)> {
    let what = || format!("read {}", path.display());
    let bytes = std::fs::metadata(path).or_fail_to(what)?.len();
    let sha256 = sha256_file(path).or_fail_to(what)?;
    let name = path
        .file_name()
        .unwrap_or(path.as_os_str())
        .to_string_lossy()
        .into_owned();
    Ok((
        FileIdentity {
            name,
            bytes,
            sha256,
        },
        None,
    ))
}

/// The identity and origin of a file that was pulled, which was verified then.
///
/// # Errors
/// When its hash is none.
pub fn of_pulled(
    pulled: &Pulled,
    file: &PulledFile,
) -> Outcome<(FileIdentity, Option<FileOrigin>)> {
    let sha256 = Sha256::try_from(file.sha256.as_str().to_owned())
        .or_fail_to(|| format!("name {} by its hash", file.name))?;
    let origin = FileOrigin {
        name: file.name.clone(),
        sha256: sha256.clone(),
        source: pulled.origin.label.clone(),
        first_use: file.first_use,
    };
    let identity = FileIdentity {
        name: file.name.clone(),
        bytes: file.bytes,
        sha256,
    };
    Ok((identity, Some(origin)))
}
