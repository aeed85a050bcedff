//! The suites of a run, with their data.

use crate::{
    artifacts::Artifacts,
    failure::{Failure, OrFail as _, Outcome},
    identity,
};
use evalh_record::FileOrigin;
use evalh_task::{DataFiles, DataSource, Suite, Task};
use std::{path::PathBuf, sync::Arc};

/// A suite and the files that hold its data.
pub struct SuiteData {
    /// The suite.
    pub suite: Arc<dyn Suite>,
    files: DataFiles,
    /// Where they came from.
    pub origins: Vec<FileOrigin>,
}

impl SuiteData {
    /// Finds or fetches the data of a suite; the user gives it by `flag`.
    ///
    /// # Errors
    /// When no source has it, it is given for a suite that has it already, or not given where only the user has it.
    pub fn of(
        suite: Arc<dyn Suite>,
        own: Option<PathBuf>,
        artifacts: &Artifacts<'_>,
        flag: &str,
    ) -> Outcome<SuiteData> {
        let mut origins = Vec::new();
        let files = match (suite.data(), own) {
            (DataSource::Artifact(artifact), own) => {
                let pulled = artifacts.pull(&artifact, own, flag)?;
                for file in &pulled.files {
                    origins.extend(identity::of_pulled(&pulled, file)?.1);
                }
                DataFiles {
                    root: pulled.dir,
                    files: pulled.files.into_iter().map(|file| file.path).collect(),
                }
            }
            (DataSource::User, Some(path)) => DataFiles {
                root: path.parent().map(PathBuf::from).unwrap_or_default(),
                files: vec![path],
            },
            (DataSource::User, None) => {
                let what = format!("open suite `{}`: it has no data of its own", suite.name());
                return Err(Failure::new(what).help(format!("name the file with {flag} FILE")));
            }
            (DataSource::Folder(root), None) => DataFiles {
                root,
                files: Vec::new(),
            },
            (DataSource::BuiltIn, None) => DataFiles::default(),
            (DataSource::BuiltIn | DataSource::Folder(_), Some(_)) => {
                let whose = match suite.data() {
                    DataSource::Folder(_) => "named in the suite's definition",
                    _ => "part of evalh",
                };
                let what = format!(
                    "use the file of {flag} for `{}`: the suite's data is {whose}",
                    suite.name()
                );
                return Err(Failure::new(what).help(format!("leave {flag} out")));
            }
        };
        Ok(SuiteData {
            suite,
            files,
            origins,
        })
    }

    /// Reads the data.
    ///
    /// # Errors
    /// When it is corrupt, or a setting is not possible.
    pub fn open(&self, options: &evalh_task::TaskOptions) -> Outcome<Box<dyn Task>> {
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
