//! Suites: whatever the path holds of the manifest's files, also with bytes of the user's own.

use super::{Candidate, Found, Hashes, names};
use crate::{ArtifactError, FileSpec, Manifest, Source};
use std::path::{Path, PathBuf};

/// What is there of all sources and layouts together. The suite knows which of it it needs.
pub(super) fn find(
    manifest: &Manifest,
    path: &Path,
    hashes: &mut Hashes,
) -> Result<Result<Found, String>, ArtifactError> {
    let (dir, specs) = if path.is_dir() {
        let there = |spec: &&FileSpec| path.join(&spec.path).is_file();
        (path.to_path_buf(), manifest.files().filter(there).collect())
    } else {
        single(manifest, path)
    };
    let mut candidates: Vec<Candidate<'_>> = Vec::new();
    for spec in specs {
        // Several sources may give the same file.
        if let Some(known) = candidates.iter_mut().find(|c| c.name == spec.path) {
            known.expected.extend(&spec.sha256);
            continue;
        }
        candidates.push(Candidate {
            name: spec.path.clone(),
            path: if path.is_dir() {
                path.join(&spec.path)
            } else {
                path.to_path_buf()
            },
            expected: spec.sha256.iter().collect(),
        });
    }
    if candidates.is_empty() {
        return Ok(Err(refusal(manifest, path)));
    }
    let files: Result<Vec<_>, _> = candidates
        .into_iter()
        .map(|candidate| hashes.compare(candidate))
        .collect();
    Ok(Ok(Found { dir, files: files? }))
}

/// A single file: the one that a path of the manifest names, or, whatever it is called, the one file that a source
/// consists of.
fn single<'m>(manifest: &'m Manifest, path: &Path) -> (PathBuf, Vec<&'m FileSpec>) {
    let parent = path.parent().unwrap_or(path).to_path_buf();
    let named = manifest
        .files()
        .filter(|spec| path.ends_with(&spec.path))
        .max_by_key(|spec| spec.path.len());
    if let Some(named) = named {
        let depth = Path::new(&named.path).components().count();
        let dir = path.ancestors().nth(depth).unwrap_or(&parent).to_path_buf();
        let same = manifest.files().filter(|spec| spec.path == named.path);
        return (dir, same.collect());
    }
    let sources = manifest.sources.iter().map(Source::files);
    let alone = sources.filter_map(|files| match files {
        [spec] => Some(spec),
        _ => None,
    });
    (parent, alone.collect())
}

/// What could have been there.
fn refusal(manifest: &Manifest, path: &Path) -> String {
    let listings = manifest.sources.iter().map(Source::files);
    let layouts = manifest
        .layouts
        .iter()
        .map(|layout| layout.files.as_slice());
    let mut known: Vec<String> = listings
        .chain(layouts)
        .map(|specs| names(specs.iter().map(|spec| spec.path.as_str())))
        .collect();
    known.sort();
    known.dedup();
    let known = known.join("; or ");
    if path.is_dir() {
        format!("it holds no file of the suite, which are: {known}")
    } else {
        format!("it is a file, and none that the suite has; give the folder that holds: {known}")
    }
}
