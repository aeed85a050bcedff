//! The user's own pip.

use super::{FetchError, Job, command};
use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
};

/// An archive to download.
pub(super) struct Requirement<'a> {
    pub(super) package: &'a str,
    pub(super) version: &'a str,
    /// Whether a wheel is asked for, else a source distribution.
    pub(super) wheel: bool,
    /// The length, for progress.
    pub(super) bytes: Option<u64>,
}

/// Downloads the one archive of a package, without its dependencies, into `folder`.
pub(super) fn download(
    job: &Job<'_>,
    requirement: &Requirement<'_>,
    folder: &Path,
) -> Result<PathBuf, FetchError> {
    let work = folder.join("pip");
    let archives = work.join("archives");
    crate::cache::create_dir(&archives)?;
    let exact = format!("{}=={}", requirement.package, requirement.version);
    job.progress
        .start(&format!("pip download {exact}"), requirement.bytes);
    let format = if requirement.wheel {
        "--only-binary"
    } else {
        "--no-binary"
    };
    let arguments: [&OsStr; 8] = [
        "--no-deps".as_ref(),
        // Members are only read, so that the package need not fit this Python.
        "--ignore-requires-python".as_ref(),
        format.as_ref(),
        ":all:".as_ref(),
        "--dest".as_ref(),
        archives.as_os_str(),
        "--".as_ref(),
        exact.as_ref(),
    ];
    pip(job, "download", &arguments, &work)?;
    job.progress.finish();
    only_file(&archives)
}

/// Installs a wheel into a folder of its own, without its dependencies and without asking an index.
pub(super) fn install(
    job: &Job<'_>,
    wheel: &Path,
    target: &Path,
    folder: &Path,
) -> Result<(), FetchError> {
    let arguments: [&OsStr; 8] = [
        "--no-deps".as_ref(),
        "--no-index".as_ref(),
        "--no-compile".as_ref(),
        "--ignore-requires-python".as_ref(),
        "--target".as_ref(),
        target.as_os_str(),
        "--".as_ref(),
        wheel.as_os_str(),
    ];
    pip(job, "install", &arguments, &folder.join("pip"))
}

/// Runs a subcommand of pip, whose temporary files go below `work`.
fn pip(
    job: &Job<'_>,
    subcommand: &str,
    arguments: &[&OsStr],
    work: &Path,
) -> Result<(), FetchError> {
    let temporary = work.join("tmp");
    crate::cache::create_dir(&temporary)?;
    let pythons = job.options.tools.pythons();
    for python in &pythons {
        let mut command = job.options.tools.command(python);
        command.args(["-m", "pip"]).arg(subcommand);
        command
            .args([
                "--disable-pip-version-check",
                "--no-input",
                "--progress-bar",
                "off",
            ])
            .args(arguments);
        // pip downloads into its temporary folder and copies from there: only there its progress is counted once.
        for variable in ["TMPDIR", "TEMP", "TMP"] {
            command.env(variable, &temporary);
        }
        match command::run(&mut command, Some((&temporary, job.progress)))? {
            None => {}
            Some(finished) if finished.status.success() => return Ok(()),
            Some(finished) => {
                let reason = command::reason(&finished.stderr);
                let remedy = if reason.contains("No module named pip") {
                    " (install pip, or set EVALH_PYTHON to a Python that has it)"
                } else {
                    ""
                };
                return Err(FetchError::Unavailable(format!(
                    "{}{remedy}",
                    reason.trim_end_matches('.')
                )));
            }
        }
    }
    let names: Vec<_> = pythons
        .iter()
        .map(|python| python.to_string_lossy())
        .collect();
    Err(command::missing(
        &names.join(" or "),
        "install Python, or set EVALH_PYTHON to its path",
    ))
}

fn only_file(folder: &Path) -> Result<PathBuf, FetchError> {
    let entries = fs::read_dir(folder).map_err(|e| crate::ArtifactError::io("read", folder, e))?;
    let files: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.is_file())
        .collect();
    match files.as_slice() {
        [file] => Ok(file.clone()),
        _ => Err(FetchError::Unavailable(format!(
            "pip left {} archives instead of one",
            files.len()
        ))),
    }
}
