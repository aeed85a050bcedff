//! Why a sandbox could not be prepared or could not run a program. A program's own failure is an outcome, not an error.

use std::{error::Error, io, path::PathBuf};

/// Why a sandbox could not be prepared or could not run a program.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SandboxError {
    /// The tool that builds the Python runtime could not be had.
    #[error(
        "get componentize-py {version}, which builds the sandbox's Python runtime: {source}; \
         a prebuilt runtime can be given with `--runtime FILE.wasm`",
        version = crate::COMPONENTIZE_PY_VERSION
    )]
    Tool {
        /// What the caller's [`ToolSource`](crate::ToolSource) said.
        source: Box<dyn Error + Send + Sync>,
    },
    /// No Python interpreter could be started to run the tool.
    #[error(
        "start `python3` or `python`, which the build of the sandbox's runtime needs (3.10 or newer): {source}; \
         a prebuilt runtime can be given with `--runtime FILE.wasm`"
    )]
    Python {
        /// Why the last one tried did not start.
        source: io::Error,
    },
    /// The tool is another version than the one this sandbox is made for.
    #[error("build the sandbox's runtime with {found} in {folder}: version {expected} is needed")]
    ToolVersion {
        /// What the tool says it is.
        found: String,
        /// Where it is.
        folder: PathBuf,
        /// What it should be.
        expected: &'static str,
    },
    /// The tool ran and failed.
    #[error("build the sandbox's Python runtime: componentize-py ended with {status}:\n{output}")]
    Build {
        /// The tool's exit status.
        status: std::process::ExitStatus,
        /// The beginning of what it printed.
        output: String,
    },
    /// A file operation failed.
    #[error("{action} {path}: {source}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which file or folder.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// A runtime file is not what it should be.
    #[error("use {path} as the sandbox's runtime: {reason}")]
    Runtime {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// wasmtime could not be set up or a program could not be started: a fault of the host, never of a program.
    #[error("{action}: {reason}")]
    Engine {
        /// What was tried.
        action: &'static str,
        /// What wasmtime said.
        reason: String,
    },
}

impl SandboxError {
    /// Puts an action and a path to an i/o error; for `map_err`.
    pub(crate) fn io(
        action: &'static str,
        path: &std::path::Path,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Io {
            action,
            path,
            source,
        }
    }

    /// Puts an action to an error of wasmtime; for `map_err`.
    pub(crate) fn engine(action: &'static str) -> impl FnOnce(wasmtime::Error) -> Self {
        move |error| Self::Engine {
            action,
            reason: format!("{error:#}"),
        }
    }
}
