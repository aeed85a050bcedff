//! A Python package installed into a folder of its own.

use super::{Fetch, FetchError, Fetched, Job, pip};
use crate::{
    ArtifactError, FileSpec, PythonToolSource,
    cache::{Archive, Staged},
    digest::hash_file,
};
use std::{
    env::consts::{ARCH, OS},
    fs,
    path::Path,
};

impl Fetch for PythonToolSource {
    fn label(&self) -> String {
        format!("pip {} {}", self.package, self.version)
    }

    fn slug(&self) -> String {
        format!("tool-{}-{}-{OS}-{ARCH}", self.package, self.version)
    }

    fn files(&self) -> &[FileSpec] {
        &[]
    }

    fn fetch(&self, job: &Job<'_>) -> Result<Fetched, FetchError> {
        if job.options.offline {
            return Err(FetchError::Unavailable("offline was asked for".to_owned()));
        }
        let folder = job.staging.work_dir()?;
        let requirement = pip::Requirement {
            package: &self.package,
            version: &self.version,
            wheel: true,
            bytes: self.archive_bytes,
        };
        let wheel = pip::download(job, &requirement, folder.path())?;
        let (archive, archive_first_use) = self.verify(job, &wheel)?;

        let target = folder.path().join("installed");
        job.progress
            .start(&format!("pip install {}", archive.file), None);
        pip::install(job, &wheel, &target, folder.path())?;
        job.progress.finish();
        if !self.is_installed_in(&target) {
            return Err(FetchError::Unavailable(format!(
                "{} has no module {}",
                archive.file, self.module
            )));
        }
        let files = tree(&target)?;
        for file in &files {
            let path = target.join(&file.path);
            let sync = || {
                fs::OpenOptions::new()
                    .read(true)
                    .write(cfg!(windows))
                    .open(&path)?
                    .sync_all()
            };
            sync().map_err(|e| ArtifactError::io("sync", &path, e))?;
        }
        job.staging.adopt_tree(&target)?;
        Ok(Fetched {
            files,
            archive: Some(archive),
            archive_first_use,
            ..Fetched::default()
        })
    }
}

impl PythonToolSource {
    /// Whether a folder holds the tool's module.
    pub(crate) fn is_installed_in(&self, folder: &Path) -> bool {
        folder.join(&self.module).join("__init__.py").is_file()
            || folder.join(format!("{}.py", self.module)).is_file()
    }

    /// Checks the wheel's hash before anything of it is installed, and says whether it was not known before.
    fn verify(&self, job: &Job<'_>, wheel: &Path) -> Result<(Archive, bool), FetchError> {
        let file = wheel
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let (sha256, _) = hash_file(wheel).map_err(|e| ArtifactError::io("read", wheel, e))?;
        let pinned = self.wheels.get(&file);
        let recorded = job
            .recorded
            .and_then(|origin| origin.archive.as_ref())
            .filter(|archive| archive.file == file)
            .map(|archive| &archive.sha256);
        if let Some(expected) = pinned.or(recorded).filter(|expected| **expected != sha256) {
            let known = if pinned.is_some() {
                "the manifest's"
            } else {
                "recorded on first use:"
            };
            return Err(FetchError::WrongBytes(format!(
                "{file} has the sha256 {sha256} instead of {known} {expected}"
            )));
        }
        let first_use = pinned.or(recorded).is_none();
        Ok((Archive { file, sha256 }, first_use))
    }
}

/// Every file below a folder, with its hash, ordered by path. Links are refused: what they lead to may change.
pub(crate) fn tree(root: &Path) -> Result<Vec<Staged>, FetchError> {
    let mut files = Vec::new();
    let mut folders = vec![String::new()];
    while let Some(folder) = folders.pop() {
        let path = root.join(&folder);
        let fail = |e| ArtifactError::io("read", &path, e);
        for entry in fs::read_dir(&path).map_err(fail)? {
            let entry = entry.map_err(fail)?;
            let name = entry.file_name().into_string().map_err(|name| {
                FetchError::Unavailable(format!("{} is not UTF-8", name.to_string_lossy()))
            })?;
            let relative = if folder.is_empty() {
                name
            } else {
                format!("{folder}/{name}")
            };
            let kind = entry.file_type().map_err(fail)?;
            if kind.is_dir() {
                // Python writes its compiled modules beside the sources whenever it likes.
                if entry.file_name() != "__pycache__" {
                    folders.push(relative);
                }
            } else if kind.is_file() {
                let (sha256, bytes) = hash_file(&entry.path()).map_err(fail)?;
                files.push(Staged {
                    path: relative,
                    sha256,
                    bytes,
                });
            } else {
                return Err(FetchError::Unavailable(format!(
                    "{relative} is a link or special file"
                )));
            }
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}
