//! The folder in which a download grows until it may be seen.

use super::{create_dir, sync_dir};
use crate::{
    ArtifactError, FileSpec, Progress, Sha256,
    digest::{Hasher, hash_file},
    fetch::FetchError,
};
use std::{
    fs::{self, File},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

/// The most bytes that are written where a manifest declares no length.
const MAX_UNDECLARED: u64 = 1 << 30;

/// A verified file in the staging folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Staged {
    pub(crate) path: String,
    pub(crate) sha256: Sha256,
    pub(crate) bytes: u64,
}

/// A folder for one source of one artifact: `parts/` grows, `done/` is complete.
pub(crate) struct Staging {
    root: PathBuf,
}

impl Staging {
    pub(crate) fn new(root: PathBuf) -> Self {
        Self { root }
    }

    /// The complete files.
    pub(crate) fn done(&self) -> PathBuf {
        self.root.join("done")
    }

    /// The file that a download of `path` grows in; its folder is created.
    pub(crate) fn part(&self, path: &str) -> Result<PathBuf, ArtifactError> {
        let part = self.root.join("parts").join(format!("{path}.part"));
        create_dir(part.parent().unwrap_or(&self.root))?;
        Ok(part)
    }

    /// A new empty folder for a tool's own files. Those of earlier attempts are removed: a process that still writes
    /// into one is an orphan, because the lock is held.
    pub(crate) fn work_dir(&self) -> Result<tempfile::TempDir, ArtifactError> {
        let folder = self.root.join("work");
        remove_dir(&folder)?;
        create_dir(&folder)?;
        tempfile::tempdir_in(&folder).map_err(|e| ArtifactError::io("create folder in", &folder, e))
    }

    /// A complete file of an earlier, interrupted pull, when it was taken from `url` and is what is expected.
    pub(crate) fn finished(
        &self,
        spec: &FileSpec,
        url: &str,
        expected: Option<&Sha256>,
    ) -> Result<Option<Staged>, ArtifactError> {
        let done = self.done().join(&spec.path);
        if !done.is_file() || !self.is_from(&spec.path, url) {
            return Ok(None);
        }
        let (sha256, bytes) = hash_file(&done).map_err(|e| ArtifactError::io("read", &done, e))?;
        Ok(expected
            .is_none_or(|expected| *expected == sha256)
            .then(|| Staged {
                path: spec.path.clone(),
                sha256,
                bytes,
            }))
    }

    /// Whether what is staged of `path` came from `url`.
    pub(crate) fn is_from(&self, path: &str, url: &str) -> bool {
        fs::read_to_string(self.url_note(path)).is_ok_and(|noted| noted == url)
    }

    /// Notes which URL the part of `path` comes from.
    pub(crate) fn note_url(&self, path: &str, url: &str) -> Result<(), ArtifactError> {
        let note = self.url_note(path);
        fs::write(&note, url).map_err(|e| ArtifactError::io("write", &note, e))
    }

    fn url_note(&self, path: &str) -> PathBuf {
        self.root.join("parts").join(format!("{path}.url"))
    }

    /// Copies a stream into the staging folder, hashing it, and checks length and hash. What is refused is removed.
    pub(crate) fn deposit(
        &self,
        spec: &FileSpec,
        expected: Option<&Sha256>,
        reader: &mut dyn Read,
        from: &str,
        progress: &dyn Progress,
    ) -> Result<Staged, FetchError> {
        let part = self.part(&spec.path)?;
        progress.start(&format!("extract {}", spec.path), spec.bytes);
        let limit = spec.bytes.unwrap_or(MAX_UNDECLARED);
        let mut file = File::create(&part).map_err(|e| ArtifactError::io("create", &part, e))?;
        let mut hasher = Hasher::default();
        let mut bytes = 0_u64;
        let filled = fill(&mut reader.take(limit.saturating_add(1)), &mut |chunk| {
            hasher.update(chunk);
            bytes += chunk.len() as u64;
            progress.advance(chunk.len() as u64);
            file.write_all(chunk)
        });
        progress.finish();
        let refusal = match filled {
            Err(Fill::Write(e)) => return Err(ArtifactError::io("write", &part, e).into()),
            Err(Fill::Read(e)) => Some(format!("{from} cannot be read: {e}")),
            Ok(()) if bytes > limit => {
                Some(format!("{from} has more than the {limit} bytes expected"))
            }
            Ok(()) => None,
        };
        if let Some(reason) = refusal {
            drop(file);
            fs::remove_file(&part).map_err(|e| ArtifactError::io("remove", &part, e))?;
            return Err(FetchError::Unavailable(reason));
        }
        self.accept(spec, expected, (hasher.finish(), bytes), file, from)
    }

    /// Checks a complete part, makes it durable and moves it to the complete files.
    pub(crate) fn accept(
        &self,
        spec: &FileSpec,
        expected: Option<&Sha256>,
        (sha256, bytes): (Sha256, u64),
        file: File,
        from: &str,
    ) -> Result<Staged, FetchError> {
        let part = self.part(&spec.path)?;
        let wrong = if let Some(declared) = spec.bytes.filter(|declared| *declared != bytes) {
            Some(format!("{from} has {bytes} bytes instead of {declared}"))
        } else {
            expected
                .filter(|expected| **expected != sha256)
                .map(|expected| {
                    let known = if spec.sha256.is_some() {
                        "the manifest's"
                    } else {
                        "recorded on first use:"
                    };
                    format!("{from} has the sha256 {sha256} instead of {known} {expected}")
                })
        };
        if let Some(reason) = wrong {
            drop(file);
            fs::remove_file(&part).map_err(|e| ArtifactError::io("remove", &part, e))?;
            return Err(FetchError::WrongBytes(reason));
        }
        file.sync_all()
            .map_err(|e| ArtifactError::io("sync", &part, e))?;
        drop(file);
        rename(&part, &self.done().join(&spec.path))?;
        Ok(Staged {
            path: spec.path.clone(),
            sha256,
            bytes,
        })
    }

    /// Takes a complete folder as the complete files.
    pub(crate) fn adopt_tree(&self, folder: &Path) -> Result<(), ArtifactError> {
        remove_dir(&self.done())?;
        rename(folder, &self.done())
    }

    /// Moves complete files to where they are seen: the folder as a whole where there is none yet, else file by file.
    pub(crate) fn publish(&self, files: &[Staged], dir: &Path) -> Result<(), ArtifactError> {
        if dir.exists() {
            for file in files {
                rename(&self.done().join(&file.path), &dir.join(&file.path))?;
            }
        } else {
            rename(&self.done(), dir)?;
        }
        self.clear()
    }

    /// Replaces a whole folder.
    pub(crate) fn publish_tree(&self, dir: &Path) -> Result<(), ArtifactError> {
        let old = self.root.join("old");
        remove_dir(&old)?;
        if dir.exists() {
            rename(dir, &old)?;
        }
        rename(&self.done(), dir)?;
        self.clear()
    }

    /// Forgets everything staged when none of it would help a later pull.
    pub(crate) fn tidy(&self) -> Result<(), ArtifactError> {
        remove_dir(&self.root.join("work"))?;
        if has_bytes(&self.root) {
            Ok(())
        } else {
            self.clear()
        }
    }

    /// Forgets everything staged.
    pub(crate) fn clear(&self) -> Result<(), ArtifactError> {
        remove_dir(&self.root)
    }
}

/// Whether a folder holds any bytes, apart from notes of where they are from.
fn has_bytes(folder: &Path) -> bool {
    fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .any(|entry| {
            let path = entry.path();
            let note = path.extension().is_some_and(|e| e == "url");
            path.is_dir() && has_bytes(&path)
                || !note && entry.metadata().is_ok_and(|m| m.is_file() && m.len() > 0)
        })
}

/// Which side of a copy failed.
pub(crate) enum Fill {
    Read(io::Error),
    Write(io::Error),
}

/// Hands a stream to `sink` piece by piece.
pub(crate) fn fill(
    reader: &mut dyn Read,
    sink: &mut dyn FnMut(&[u8]) -> io::Result<()>,
) -> Result<(), Fill> {
    let mut buffer = vec![0; 1 << 16];
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(n) => sink(&buffer[..n]).map_err(Fill::Write)?,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(Fill::Read(e)),
        }
    }
}

fn remove_dir(path: &Path) -> Result<(), ArtifactError> {
    match fs::remove_dir_all(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(ArtifactError::io("remove", path, e)),
        _ => Ok(()),
    }
}

/// Renames durably, creating the target's folder.
fn rename(from: &Path, to: &Path) -> Result<(), ArtifactError> {
    let folder = to.parent().unwrap_or(Path::new("."));
    create_dir(folder)?;
    fs::rename(from, to).map_err(|e| ArtifactError::io("move a file to", to, e))?;
    sync_dir(folder)
}
