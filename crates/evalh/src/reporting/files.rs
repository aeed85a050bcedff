//! Reports as files.

use super::Runs;
use crate::failure::{OrFail as _, Outcome};
use evalh_report::{Comparison, markdown};
use std::path::{Path, PathBuf};

/// Writes `report.md` into a folder.
///
/// # Errors
/// When it cannot be written.
pub fn write_report(dir: &Path, runs: &Runs, comparison: &Comparison) -> Outcome<Vec<PathBuf>> {
    let report = markdown(comparison, &runs.each(), &[]);
    Ok(vec![write(dir, "report.md", &report)?])
}

/// Writes every form of report into a folder, which is made where it is not there.
///
/// # Errors
/// When a file cannot be written.
pub fn write_all(dir: &Path, runs: &Runs, comparison: &Comparison) -> Outcome<Vec<PathBuf>> {
    std::fs::create_dir_all(dir).or_fail_to(|| format!("make {}", dir.display()))?;
    write_report(dir, runs, comparison)
}

fn write(dir: &Path, name: &str, text: &str) -> Outcome<PathBuf> {
    let path = dir.join(name);
    std::fs::write(&path, text).or_fail_to(|| format!("write {}", path.display()))?;
    Ok(path)
}
