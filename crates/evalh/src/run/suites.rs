//! The suites of a run, with their data.

use crate::{
    artifacts::Artifacts,
    failure::{Failure, OrFail as _, Outcome},
    identity,
    settings::RunSettings,
};
use evalh_record::FileOrigin;
use evalh_task::{Suite, Task, TaskOptions, find_suite};
use std::path::PathBuf;

/// A suite and the files that hold its data.
pub struct SuiteData {
    suite: &'static dyn Suite,
    files: Vec<PathBuf>,
    /// Where they came from.
    pub origins: Vec<FileOrigin>,
}

/// The suites of these names.
///
/// # Errors
/// When there is none of a name.
pub fn find_all(names: &[String]) -> Outcome<Vec<&'static dyn Suite>> {
    names
        .iter()
        .map(|name| find_suite(name).or_fail())
        .collect()
}

impl SuiteData {
    /// Finds or fetches the data of a run's suites.
    ///
    /// # Errors
    /// When there is no such suite, or no source has its data.
    pub fn all(run: &RunSettings, artifacts: &Artifacts<'_>) -> Outcome<Vec<SuiteData>> {
        let suites = find_all(&run.suites)?;
        suites
            .into_iter()
            .map(|suite| Self::of(suite, run.data.clone(), artifacts, "--data"))
            .collect()
    }

    /// Finds or fetches the data of one suite; the user gives it by `flag`.
    ///
    /// # Errors
    /// When no source has it, or it is given for a suite that has it built in.
    pub fn of(
        suite: &'static dyn Suite,
        own: Option<PathBuf>,
        artifacts: &Artifacts<'_>,
        flag: &str,
    ) -> Outcome<SuiteData> {
        let Some(artifact) = suite.artifact() else {
            if own.is_some() {
                let what = format!(
                    "use the file of {flag} for `{}`: the suite's data is part of evalh",
                    suite.name()
                );
                return Err(Failure::new(what).help(format!("leave {flag} out")));
            }
            return Ok(SuiteData {
                suite,
                files: Vec::new(),
                origins: Vec::new(),
            });
        };
        let pulled = artifacts.pull(artifact, own, flag)?;
        let mut origins = Vec::new();
        for file in &pulled.files {
            origins.extend(identity::of_pulled(&pulled, file)?.1);
        }
        Ok(SuiteData {
            suite,
            files: pulled.files.into_iter().map(|file| file.path).collect(),
            origins,
        })
    }

    /// Reads the data.
    ///
    /// # Errors
    /// When it is corrupt, or a setting is not possible.
    pub fn open(&self, options: &TaskOptions) -> Outcome<Box<dyn Task>> {
        self.suite.open(&self.files, options).or_fail()
    }

    /// Reads the problems alone.
    ///
    /// # Errors
    /// When they are corrupt.
    pub fn problems(&self) -> Outcome<evalh_task::human_eval::Problems> {
        self.suite.problems(&self.files).or_fail()
    }
}
