//! An artifact at a path that the user gave.

use crate::{
    ArtifactError, FileSpec, Manifest, Origin, Progress, PullOptions, Pulled, PulledFile, Source,
    SourceKind,
    cache::{Cache, Receipt, ReceiptFile, modified_ns},
    digest::hash_file,
    fetch::{FetchError, tree},
};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Finds the files of one of the manifest's sources at the path: in a folder, or the single file itself, whatever it
/// is called.
///
/// The bytes must be those that the manifest names; where it names none they are taken as they are. Nothing is copied.
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
    let mut receipt = Receipt::new(origin.clone());
    let mut refusals = Vec::new();
    for source in &manifest.sources {
        match candidates(source, &path) {
            Ok(files) => match verify(files, old.as_ref(), &mut receipt)? {
                Ok(files) => {
                    if old.as_ref() != Some(&receipt)
                        && let Err(error) = receipt.save(&receipt_path)
                    {
                        // A hash that is not remembered is only taken again.
                        progress.message(&format!("failed to {error}"));
                    }
                    let dir = if path.is_dir() {
                        path.clone()
                    } else {
                        path.parent().unwrap_or(&path).to_path_buf()
                    };
                    let (name, kind) = (manifest.name.clone(), manifest.kind);
                    return Ok(Pulled {
                        name,
                        kind,
                        dir,
                        files,
                        origin,
                        from_cache: false,
                    });
                }
                Err(refusal) => refusals.push(refusal),
            },
            Err(refusal) => refusals.push(refusal),
        }
    }
    refusals.dedup();
    Err(fail(refusals.join("; or ")))
}

/// A file that may be the artifact's.
struct Candidate<'a> {
    name: String,
    path: PathBuf,
    spec: Option<&'a FileSpec>,
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
            spec: None,
        };
        return Ok(files.into_iter().map(|file| candidate(file.path)).collect());
    }
    let specs = source.files();
    if path.is_file() {
        return match specs {
            [spec] => Ok(vec![Candidate {
                name: spec.path.clone(),
                path: path.to_path_buf(),
                spec: Some(spec),
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
    if missing.is_empty() {
        let candidate = |spec: &'a FileSpec| Candidate {
            name: spec.path.clone(),
            path: path.join(&spec.path),
            spec: Some(spec),
        };
        Ok(specs.iter().map(candidate).collect())
    } else {
        Err(format!("it lacks {}", missing.join(", ")))
    }
}

/// Compares the files with the manifest; a refusal says which differs.
fn verify(
    candidates: Vec<Candidate<'_>>,
    old: Option<&Receipt>,
    receipt: &mut Receipt,
) -> Result<Result<Vec<PulledFile>, String>, ArtifactError> {
    let mut files = Vec::new();
    for Candidate { name, path, spec } in candidates {
        let metadata = fs::metadata(&path).map_err(|e| ArtifactError::io("read", &path, e))?;
        let recorded = old
            .and_then(|old| old.files.get(&name))
            .filter(|file| file.unchanged(&metadata));
        let found = if let Some(file) = recorded {
            file.clone()
        } else {
            let (sha256, bytes) =
                hash_file(&path).map_err(|e| ArtifactError::io("read", &path, e))?;
            ReceiptFile {
                sha256,
                bytes,
                modified_ns: modified_ns(&metadata),
            }
        };
        let expected = spec.and_then(|spec| spec.sha256.as_ref());
        if let Some(expected) = expected.filter(|expected| **expected != found.sha256) {
            return Ok(Err(format!(
                "{} has the sha256 {} instead of the manifest's {expected}, so it is not what the name stands for",
                path.display(),
                found.sha256
            )));
        }
        let (sha256, bytes, first_use) = (found.sha256.clone(), found.bytes, expected.is_none());
        files.push(PulledFile {
            name: name.clone(),
            path,
            bytes,
            sha256,
            first_use,
        });
        receipt.files.insert(name, found);
    }
    Ok(Ok(files))
}
