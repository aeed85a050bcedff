//! Untrusted Python in wasmtime: limits, verdicts, a warm snapshot.
//!
//! [`Sandbox::prepare`] makes or loads the runtime once: `CPython` compiled to WebAssembly, started, with the standard
//! library imported, and frozen as a snapshot. [`Sandbox::run`] then starts a fresh copy of the snapshot for every
//! program, in about a millisecond, and gives a [`Verdict`]. Nothing of the host is granted: no files, no network, no
//! environment, no standard input.
//!
//! # What a pass means
//! The program ran to its end, then its tests ran to their end, in two calls from the host, and both calls returned
//! normally; and the evidence number that the host put in the last line of the tests came back. What a program
//! prints, returns or claims is never consulted. See `sandboxes/python/evalh_guest.py` for the guest's part.
//!
//! # What repeats
//! With the same runtime (its sha256 is in [`RuntimeIdentity`]), the same program and tests give the same verdict and
//! the same [`Verdict::fuel`], whatever else runs: time is counted in fuel, string hashes are fixed by the snapshot,
//! and the random numbers of a program follow from its text. Only the clocks are real.

mod engine;
mod error;
mod judge;
mod limits;
mod outcome;
mod output;
mod program;
mod runtime;
mod sandbox;
mod state;
mod suspicion;
mod wasi;

pub use error::SandboxError;
pub use evalh_record::Outcome;
pub use limits::{HUMANEVAL_MAX_FUEL, Limits};
pub use outcome::{Captured, Stage, Verdict};
pub use program::Program;
pub use runtime::{
    COMPONENTIZE_PY_VERSION, Origin, PrepareEvent, Runtime, RuntimeIdentity, ToolSource,
};
pub use sandbox::{Sandbox, SandboxConfig};
pub use suspicion::{Suspicion, suspicions};
