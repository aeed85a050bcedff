//! What `evalh bench` measured, as far as limits need it.

use super::{GateError, GateResult};
use serde::Deserialize;
use std::{fs, path::Path};

/// What `evalh bench` measured: its `bench.json`, of which only what limits need is read.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Bench {
    subject: Subject,
    requests: Option<Requests>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
struct Subject {
    model: String,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
struct Requests {
    whole: Latency,
}

/// Seconds of whole requests.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
pub(super) struct Latency {
    pub p50: f64,
    pub p95: f64,
}

impl Bench {
    /// Reads a `bench.json`.
    ///
    /// # Errors
    /// When the file cannot be read, or is none.
    pub fn read(path: &Path) -> GateResult<Bench> {
        let text = fs::read(path).map_err(|source| GateError::Read {
            path: path.to_owned(),
            source,
        })?;
        Bench::parse(path, &text)
    }

    /// Parses a `bench.json`; `path` is for messages.
    ///
    /// # Errors
    /// When the text is none.
    pub fn parse(path: &Path, text: &[u8]) -> GateResult<Bench> {
        serde_json::from_slice(text).map_err(|error| GateError::Bench {
            path: path.to_owned(),
            problem: error.to_string(),
        })
    }

    /// The checkpoint that was measured.
    pub(super) fn model(&self) -> &str {
        &self.subject.model
    }

    /// The latency of whole requests, where it was measured.
    pub(super) fn latency(&self) -> Option<Latency> {
        self.requests.as_ref().map(|requests| requests.whole)
    }
}
