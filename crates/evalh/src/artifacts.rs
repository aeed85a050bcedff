//! Artifacts by name, fetched on this console.

use crate::{
    failure::{Failure, OrFail as _, Outcome},
    output::{Console, PullProgress},
};
use evalh_artifact::{ArtifactError, Catalog, PullOptions, Pulled, SourceKind};
use std::path::PathBuf;

/// The catalog and where it fetches to.
pub struct Artifacts<'c> {
    catalog: Catalog,
    options: PullOptions,
    console: &'c Console,
}

impl<'c> Artifacts<'c> {
    /// The built-in catalog, the cache of the environment.
    ///
    /// # Errors
    /// When there is no place for a cache.
    pub fn new(console: &'c Console, offline: bool) -> Outcome<Artifacts<'c>> {
        let options = PullOptions {
            offline,
            ..PullOptions::from_env().or_fail()?
        };
        Ok(Artifacts {
            catalog: Catalog::builtin().or_fail()?,
            options,
            console,
        })
    }

    /// The same, asking only this kind of source where one is given.
    pub fn only_from(mut self, source: Option<SourceKind>) -> Artifacts<'c> {
        self.options.source = source;
        self
    }

    /// The catalog.
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// The cache folder.
    pub fn cache_dir(&self) -> &std::path::Path {
        &self.options.cache_dir
    }

    /// The files of an artifact, from `local` where that is given (by the flag `flag`), verified.
    ///
    /// # Errors
    /// When no source has it.
    pub fn pull(&self, name: &str, local: Option<PathBuf>, flag: &str) -> Outcome<Pulled> {
        let options = PullOptions {
            local,
            path_flag: format!("{flag} PATH"),
            ..self.options.clone()
        };
        let pulled = self
            .catalog
            .pull(name, &options, &PullProgress::new(self.console));
        let pulled = pulled.map_err(|error| match &error {
            ArtifactError::LocalPath { .. } => Failure::of(&error).help(format!(
                "give a copy in one of the artifact's layouts with {flag}, or leave {flag} out to have it fetched"
            )),
            _ => Failure::of(&error),
        })?;
        let own: Vec<_> = pulled.files.iter().filter(|file| file.differs).collect();
        if let [first, others @ ..] = own.as_slice() {
            let more = match others.len() {
                0 => String::new(),
                more => format!(" and {more} more of its files"),
            };
            self.console.warn(format_args!(
                "{}{more} in `{name}`: not the published bytes: scores are of your own data, whose hashes the record holds",
                first.name
            ));
        }
        Ok(pulled)
    }
}
