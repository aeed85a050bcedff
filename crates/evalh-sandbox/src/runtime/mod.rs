//! The Python runtime: built once or given, compiled once, loaded in milliseconds.

mod build;
mod cache;
mod compile;

pub use build::COMPONENTIZE_PY_VERSION;
pub(crate) use build::EXPORTS;

use crate::{Limits, SandboxError, engine::WASMTIME_VERSION};
use cache::Cache;
use evalh_record::{Sha256, sha256_bytes, sha256_file};
use serde::{Deserialize, Serialize};
use std::{
    error::Error,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};
use wasmtime::{Engine, component::Component};

/// Gives the folder of an installed componentize-py, that of `pip install --no-deps --target FOLDER
/// componentize-py==VERSION` with [`COMPONENTIZE_PY_VERSION`]. Called only when the cache has no runtime.
pub type ToolSource<'a> = dyn Fn() -> Result<PathBuf, Box<dyn Error + Send + Sync>> + 'a;

/// Where the Python runtime comes from.
pub enum Runtime<'a> {
    /// From the guest that is part of this program, built with componentize-py.
    Built(&'a ToolSource<'a>),
    /// From a component file that was built before, by another evalh perhaps.
    Prebuilt(PathBuf),
}

/// What [`Sandbox::prepare`](crate::Sandbox::prepare) is doing, for a progress display.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PrepareEvent {
    /// Another process is preparing a runtime in the same cache; this one waits for it.
    Waiting,
    /// componentize-py is being fetched, or found.
    FetchingTool,
    /// componentize-py runs, for about ten seconds.
    Building,
    /// The component is there.
    Built {
        /// Time it took.
        took: Duration,
    },
    /// The component is being compiled to machine code, on all cores.
    Compiling,
    /// The machine code is there, and is kept in the cache.
    Compiled {
        /// Time it took.
        took: Duration,
    },
    /// Programs can run.
    Ready {
        /// Time of the whole preparation.
        took: Duration,
    },
}

/// How a runtime came to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Origin {
    /// Built on this machine.
    Built {
        /// The tool and its version.
        tool: String,
        /// Hash of the guest's sources and the tool's version.
        guest_sha256: Sha256,
    },
    /// Given as a file.
    Prebuilt,
}

/// Everything about a sandbox that can change a verdict, for the record of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuntimeIdentity {
    /// Hash of the component. A build is not reproducible (the snapshot holds a random hash seed and addresses), so it
    /// is taken once, and the component is kept; another machine's build has another hash.
    pub component_sha256: Sha256,
    /// How the component came to be.
    pub origin: Origin,
    /// Release of wasmtime.
    pub wasmtime: String,
    /// The limits in force.
    pub limits: Limits,
}

/// A runtime that is ready for programs.
pub(crate) struct Loaded {
    pub(crate) component: Component,
    pub(crate) identity: RuntimeIdentity,
}

impl Runtime<'_> {
    /// Loads the runtime from the cache, building and compiling what is not there.
    pub(crate) fn load(
        &self,
        engine: &Engine,
        limits: &Limits,
        cache_dir: &Path,
        progress: &dyn Fn(PrepareEvent),
    ) -> Result<Loaded, SandboxError> {
        let cache = Cache::open(cache_dir)?;
        let found = if let Some(found) = self.warm(engine, &cache)? {
            found
        } else {
            let _lock = cache.lock(|| progress(PrepareEvent::Waiting))?;
            cache.tidy();
            // Whoever held the lock may have prepared it.
            if let Some(found) = self.warm(engine, &cache)? {
                found
            } else {
                self.cold(engine, &cache, progress)?
            }
        };
        let (component, component_sha256) = found;
        let identity = RuntimeIdentity {
            component_sha256,
            origin: self.origin(),
            wasmtime: WASMTIME_VERSION.to_owned(),
            limits: *limits,
        };
        Ok(Loaded {
            component,
            identity,
        })
    }

    /// The runtime, if the cache has all of it. This needs no lock: an entry of the cache appears whole or not at all.
    fn warm(
        &self,
        engine: &Engine,
        cache: &Cache,
    ) -> Result<Option<(Component, Sha256)>, SandboxError> {
        let sha256 = match self {
            Self::Built(_) => cache.recorded(&build::entry_name())?,
            Self::Prebuilt(file) => {
                Some(sha256_file(file).map_err(SandboxError::io("read", file))?)
            }
        };
        let Some(sha256) = sha256 else {
            return Ok(None);
        };
        Ok(compile::find(engine, cache, &sha256)?.map(|component| (component, sha256)))
    }

    fn cold(
        &self,
        engine: &Engine,
        cache: &Cache,
        progress: &dyn Fn(PrepareEvent),
    ) -> Result<(Component, Sha256), SandboxError> {
        let (bytes, file) = match self {
            Self::Built(tool) => {
                let name = build::entry_name();
                let bytes = if let Some(bytes) = cache.read(&name)? {
                    bytes
                } else {
                    let bytes = build::component(*tool, cache, progress)?;
                    cache.put(&name, &bytes)?;
                    bytes
                };
                (bytes, cache.path(&name))
            }
            Self::Prebuilt(file) => (
                fs::read(file).map_err(SandboxError::io("read", file))?,
                file.clone(),
            ),
        };
        let sha256 = sha256_bytes(&bytes);
        let component = compile::make(engine, cache, &bytes, &sha256, progress)
            .map_err(|reason| SandboxError::Runtime { path: file, reason })?;
        Ok((component, sha256))
    }

    fn origin(&self) -> Origin {
        match self {
            Self::Built(_) => build::origin(),
            Self::Prebuilt(_) => Origin::Prebuilt,
        }
    }
}
