//! Models and runtimes: the files of one source, all of them and with the manifest's hashes.

use super::{Candidate, Found, Hashes, names};
use crate::{
    ArtifactError, Manifest, Source,
    fetch::{FetchError, tree},
};
use std::path::Path;

/// The files of the first source that is there, or why none is.
pub(super) fn find(
    manifest: &Manifest,
    path: &Path,
    hashes: &mut Hashes,
) -> Result<Result<Found, String>, ArtifactError> {
    let mut refusals = Vec::new();
    for source in &manifest.sources {
        match candidates(source, path) {
            Ok(candidates) => match compare(candidates, hashes)? {
                Ok(files) => {
                    let folder = if path.is_dir() {
                        Some(path)
                    } else {
                        path.parent()
                    };
                    let dir = folder.unwrap_or(path).to_path_buf();
                    return Ok(Ok(Found { dir, files }));
                }
                Err(refusal) => refusals.push(refusal),
            },
            Err(refusal) => refusals.push(refusal),
        }
    }
    refusals.dedup();
    Ok(Err(refusals.join("; or ")))
}

/// The files of a source at a path, or what is missing.
fn candidates<'a>(source: &'a Source, path: &Path) -> Result<Vec<Candidate<'a>>, String> {
    if let Source::PythonTool(tool) = source {
        if !tool.is_installed_in(path) {
            return Err(format!(
                "it is not a folder with the Python module {}",
                tool.module
            ));
        }
        let files = tree(path).map_err(|error| match error {
            FetchError::Unavailable(reason) | FetchError::WrongBytes(reason) => reason,
            FetchError::Fatal(error) => error.to_string(),
        })?;
        let candidate = |name: String| Candidate {
            path: path.join(&name),
            name,
            expected: Vec::new(),
        };
        return Ok(files.into_iter().map(|file| candidate(file.path)).collect());
    }
    let specs = source.files();
    if path.is_file() {
        return match specs {
            [spec] => Ok(vec![Candidate {
                name: spec.path.clone(),
                path: path.to_path_buf(),
                expected: spec.sha256.iter().collect(),
            }]),
            _ => Err(format!(
                "it is a file, and {} files in a folder are needed",
                specs.len()
            )),
        };
    }
    let missing: Vec<&str> = specs
        .iter()
        .filter(|spec| !path.join(&spec.path).is_file())
        .map(|spec| spec.path.as_str())
        .collect();
    if !missing.is_empty() {
        return Err(format!("it lacks {}", names(missing.into_iter())));
    }
    let candidate = |spec: &'a crate::FileSpec| Candidate {
        name: spec.path.clone(),
        path: path.join(&spec.path),
        expected: spec.sha256.iter().collect(),
    };
    Ok(specs.iter().map(candidate).collect())
}

/// Compares the files with the manifest; a refusal says which differs.
fn compare(
    candidates: Vec<Candidate<'_>>,
    hashes: &mut Hashes,
) -> Result<Result<Vec<crate::PulledFile>, String>, ArtifactError> {
    let mut files = Vec::new();
    for candidate in candidates {
        let expected = candidate.expected.first().map(ToString::to_string);
        let file = hashes.compare(candidate)?;
        if let (true, Some(expected)) = (file.differs, expected) {
            return Ok(Err(format!(
                "{} has the sha256 {} instead of the manifest's {expected}, so it is not what the name stands for",
                file.path.display(),
                file.sha256
            )));
        }
        files.push(file);
    }
    Ok(Ok(files))
}
