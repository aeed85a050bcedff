//! Members of a Python package.

use super::{Fetch, FetchError, Fetched, Job, Wanted, pip};
use crate::{
    FileSpec, PackageFormat, PackageSource,
    cache::Staged,
    extract::{decompressed, with_tar_member, with_zip_member},
};
use std::{io::Read, path::Path};

impl Fetch for PackageSource {
    fn label(&self) -> String {
        format!("pip {} {}", self.package, self.version)
    }

    fn slug(&self) -> String {
        format!("pip-{}-{}", self.package, self.version)
    }

    fn files(&self) -> &[FileSpec] {
        &self.files
    }

    fn fetch(&self, job: &Job<'_>) -> Result<Fetched, FetchError> {
        if job.options.offline {
            return Err(FetchError::Unavailable("offline was asked for".to_owned()));
        }
        let folder = job.staging.work_dir()?;
        let requirement = pip::Requirement {
            package: &self.package,
            version: &self.version,
            wheel: self.format == PackageFormat::Wheel,
            bytes: self.archive_bytes,
        };
        let archive = pip::download(job, &requirement, folder.path())?;
        let mut fetched = Fetched::default();
        for wanted in &job.wanted {
            fetched.files.push(extract(job, wanted, &archive)?);
        }
        Ok(fetched)
    }
}

/// Takes a member out of the archive, by the archive's own format.
fn extract(job: &Job<'_>, wanted: &Wanted<'_>, archive: &Path) -> Result<Staged, FetchError> {
    let spec = wanted.spec;
    let name = archive
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let from = format!("{} in {name}", spec.member());
    let take = |member: &mut dyn Read| {
        let mut content = decompressed(member, spec.decompress);
        job.staging
            .deposit(spec, wanted.expected, &mut content, &from, job.progress)
    };
    let has = |extension: &str| name.to_ascii_lowercase().ends_with(extension);
    if has(".whl") || has(".zip") {
        with_zip_member(archive, spec.member(), take)
    } else if has(".tar.gz") || has(".tgz") {
        with_tar_member(archive, spec.member(), take)
    } else {
        Err(FetchError::Unavailable(format!(
            "{name} is neither a wheel nor a .tar.gz"
        )))
    }
}
