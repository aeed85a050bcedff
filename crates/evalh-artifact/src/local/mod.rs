//! An artifact at a path that the user gave.

mod own;
mod pinned;

use crate::{
    ArtifactError, Kind, Manifest, Origin, Progress, PullOptions, Pulled, PulledFile, Sha256,
    SourceKind,
    cache::{Cache, Receipt, ReceiptFile, modified_ns},
    digest::hash_file,
};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Finds the artifact's files at the path: in a folder, or the single file itself. Nothing is copied.
///
/// A model or runtime is the whole of one of the manifest's sources, byte for byte where the manifest knows a hash. A
/// suite's data may be the user's own: whatever is there under the names of the manifest is taken, and
/// [`PulledFile::differs`] says of which files the manifest knows other bytes.
pub(crate) fn pull(
    manifest: &Manifest,
    path: &Path,
    options: &PullOptions,
    progress: &dyn Progress,
) -> Result<Pulled, ArtifactError> {
    let fail = |reason: String| ArtifactError::LocalPath {
        name: manifest.name.clone(),
        path: path.to_path_buf(),
        reason,
    };
    let path = fs::canonicalize(path).map_err(|e| fail(e.to_string()))?;
    let receipt_path = Cache::new(&options.cache_dir).path_receipt(&path);
    let origin = Origin {
        kind: SourceKind::Path,
        label: format!("path {}", path.display()),
        commit: None,
        archive: None,
    };
    let old =
        Receipt::load(&receipt_path)?.filter(|receipt| !options.verify && receipt.origin == origin);
    let mut hashes = Hashes {
        old,
        new: Receipt::new(origin.clone()),
    };
    let found = match manifest.kind {
        Kind::Suite => own::find(manifest, &path, &mut hashes)?,
        Kind::Model | Kind::Runtime => pinned::find(manifest, &path, &mut hashes)?,
    };
    let Found { dir, files } = found.map_err(fail)?;
    if hashes.old.as_ref() != Some(&hashes.new)
        && let Err(error) = hashes.new.save(&receipt_path)
    {
        // A hash that is not remembered is only taken again.
        progress.message(&format!("failed to {error}"));
    }
    Ok(Pulled {
        name: manifest.name.clone(),
        kind: manifest.kind,
        dir,
        files,
        origin,
        from_cache: false,
    })
}

/// What was found, and the folder that the files' names start from.
struct Found {
    dir: PathBuf,
    files: Vec<PulledFile>,
}

/// A file that may be the artifact's.
struct Candidate<'a> {
    name: String,
    path: PathBuf,
    /// The hashes that the manifest knows for it.
    expected: Vec<&'a Sha256>,
}

/// The hashes of the path's files: those remembered, and those to remember.
struct Hashes {
    old: Option<Receipt>,
    new: Receipt,
}

impl Hashes {
    /// Hashes a file, unless it did not change since it was hashed, and compares.
    fn compare(&mut self, candidate: Candidate<'_>) -> Result<PulledFile, ArtifactError> {
        let Candidate {
            name,
            path,
            expected,
        } = candidate;
        let fail = |e| ArtifactError::io("read", &path, e);
        let metadata = fs::metadata(&path).map_err(fail)?;
        let remembered = self.old.as_ref().and_then(|old| old.files.get(&name));
        let found = if let Some(file) = remembered.filter(|file| file.unchanged(&metadata)) {
            file.clone()
        } else {
            let (sha256, bytes) = hash_file(&path).map_err(fail)?;
            ReceiptFile {
                sha256,
                bytes,
                modified_ns: modified_ns(&metadata),
            }
        };
        let first_use = expected.is_empty();
        let file = PulledFile {
            name: name.clone(),
            path,
            bytes: found.bytes,
            sha256: found.sha256.clone(),
            first_use,
            differs: !first_use && !expected.contains(&&found.sha256),
        };
        self.new.files.insert(name, found);
        Ok(file)
    }
}

/// Names for people: all of a few, the first ones of many.
pub(crate) fn names<'a>(names: impl ExactSizeIterator<Item = &'a str>) -> String {
    /// So many are listed.
    const LISTED: usize = 6;
    let count = names.len();
    let listed: Vec<&str> = names.take(LISTED).collect();
    let listed = listed.join(", ");
    if count > LISTED {
        format!("{listed} and {} more", count - LISTED)
    } else {
        listed
    }
}
