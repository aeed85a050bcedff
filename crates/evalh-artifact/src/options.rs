//! Settings of a pull.

use crate::{ArtifactError, HubSettings, SourceKind, cache::default_cache_dir};
use std::{
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
    process::Command,
};

/// Settings of a pull.
#[derive(Debug, Clone)]
pub struct PullOptions {
    /// A file or folder that holds the artifact; nothing else is tried then.
    pub local: Option<PathBuf>,
    /// The cache folder.
    pub cache_dir: PathBuf,
    /// Use only what is on this machine.
    pub offline: bool,
    /// Hash every cached file, also where size and modification time say that it did not change.
    pub verify: bool,
    /// Use only sources of this kind, in the cache too.
    pub source: Option<SourceKind>,
    /// The flag of the command line that sets [`local`](Self::local), for error messages.
    pub path_flag: String,
    /// Endpoint, token and cache of the Hugging Face hub.
    pub hub: HubSettings,
    /// The user's Python and git.
    pub tools: Tools,
}

impl PullOptions {
    /// Settings from the environment: `EVALH_CACHE`, `EVALH_PYTHON` and the hub's own variables.
    ///
    /// # Errors
    /// When neither `EVALH_CACHE` nor the platform names a cache folder.
    pub fn from_env() -> Result<Self, ArtifactError> {
        Ok(Self {
            hub: HubSettings::from_env(),
            tools: Tools {
                python: std::env::var_os("EVALH_PYTHON").map(PathBuf::from),
                ..Tools::default()
            },
            ..Self::in_dir(&default_cache_dir()?)
        })
    }

    /// Settings that take only the cache folder from the caller and nothing from the environment.
    pub fn in_dir(cache_dir: &Path) -> Self {
        Self {
            local: None,
            cache_dir: cache_dir.to_path_buf(),
            offline: false,
            verify: false,
            source: None,
            path_flag: "--path PATH".to_owned(),
            hub: HubSettings::default(),
            tools: Tools::default(),
        }
    }
}

/// The user's own programs, through which packages and repositories are fetched, so that the user's mirrors, proxies
/// and credentials apply.
#[derive(Debug, Clone)]
pub struct Tools {
    /// The Python interpreter; `None` looks for `python3`, then `python`.
    pub python: Option<PathBuf>,
    /// The git program.
    pub git: PathBuf,
    /// Variables set for these programs on top of the environment.
    pub env: Vec<(OsString, OsString)>,
}

impl Default for Tools {
    fn default() -> Self {
        Self {
            python: None,
            git: PathBuf::from("git"),
            env: Vec::new(),
        }
    }
}

impl Tools {
    /// The interpreters to try, in order.
    pub(crate) fn pythons(&self) -> Vec<PathBuf> {
        match &self.python {
            Some(path) => vec![path.clone()],
            None => ["python3", "python"].map(PathBuf::from).to_vec(),
        }
    }

    /// A command of one of the tools, in English and without questions.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .env("LC_ALL", "C")
            .env("GIT_TERMINAL_PROMPT", "0")
            .envs(self.env.iter().map(|(k, v)| (k, v)));
        command
    }
}
