//! What `evalh bench` measured, read from its `bench.json`.

use crate::{
    Warning,
    compare::{BenchCosts, Ratio},
};
use serde::Deserialize;
use std::{
    fs, io,
    path::{Path, PathBuf},
};
use thiserror::Error;

/// The part of a `bench.json` that comparisons show and gates limit.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct BenchFile {
    subject: Subject,
    requests: Option<Requests>,
    adapters: Vec<Adapter>,
    warnings: Vec<Warning>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
struct Subject {
    model: String,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
struct Requests {
    whole: Latency,
    joules_per_request: Option<f64>,
}

/// Seconds of whole requests.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
pub(crate) struct Latency {
    pub p50: f64,
    pub p95: f64,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
struct Adapter {
    #[serde(rename = "adapter")]
    name: String,
    how: String,
    ratio: Spread,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
struct Spread {
    median: f64,
    interval: Option<(f64, f64)>,
}

/// Why a `bench.json` cannot be used.
#[derive(Debug, Error)]
pub enum BenchFileError {
    /// It cannot be read.
    #[error("read {path}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is something else.
    #[error("{path} is not what `evalh bench` writes")]
    Parse {
        /// The file.
        path: PathBuf,
        /// Where, and why.
        source: serde_json::Error,
    },
}

impl BenchFileError {
    /// What the user can do.
    pub fn help(&self) -> &'static str {
        "give the bench.json that `evalh bench --model M --out DIR` writes"
    }
}

impl BenchFile {
    /// Reads a `bench.json`.
    ///
    /// # Errors
    /// When the file cannot be read, or is not what `evalh bench` writes.
    pub fn read(path: &Path) -> Result<BenchFile, BenchFileError> {
        let text = fs::read(path).map_err(|source| BenchFileError::Read {
            path: path.to_owned(),
            source,
        })?;
        BenchFile::parse(path, &text)
    }

    /// Parses a `bench.json`; `path` is for messages.
    ///
    /// # Errors
    /// When the text is not what `evalh bench` writes.
    pub fn parse(path: &Path, text: &[u8]) -> Result<BenchFile, BenchFileError> {
        serde_json::from_slice(text).map_err(|source| BenchFileError::Parse {
            path: path.to_owned(),
            source,
        })
    }

    /// The checkpoint that was measured.
    pub(crate) fn model(&self) -> &str {
        &self.subject.model
    }

    /// The latency of whole requests, where it was measured.
    pub(crate) fn latency(&self) -> Option<Latency> {
        self.requests.as_ref().map(|requests| requests.whole)
    }

    /// What makes its figures doubtful: a machine that was busy, too few repetitions.
    pub(crate) fn warnings(&self) -> impl Iterator<Item = Warning> {
        self.warnings.iter().map(|warning| Warning {
            what: format!("evalh bench of {}: {}", self.subject.model, warning.what),
            remedy: warning.remedy.clone(),
        })
    }

    /// What it tells of a base checkpoint.
    pub(crate) fn of_base(&self, model: &str) -> Option<BenchCosts> {
        let requests = self
            .requests
            .as_ref()
            .filter(|_| self.subject.model == model)?;
        Some(BenchCosts {
            latency_p50_seconds: Some(requests.whole.p50),
            latency_p95_seconds: Some(requests.whole.p95),
            joules_per_request: requests.joules_per_request,
            ..BenchCosts::default()
        })
    }

    /// What it tells of an adapter on that checkpoint.
    pub(crate) fn of_adapter(&self, model: &str, adapter: &str) -> Option<BenchCosts> {
        let ratio = |how: &str| {
            let own = |of: &&Adapter| of.name == adapter && of.how == how;
            let spread = &self.adapters.iter().find(own)?.ratio;
            Some(Ratio {
                value: spread.median,
                low: spread.interval.map(|(low, _)| low),
                high: spread.interval.map(|(_, high)| high),
            })
        };
        let costs = BenchCosts {
            merged_ratio: ratio("merged"),
            unmerged_ratio: ratio("unmerged"),
            ..BenchCosts::default()
        };
        let any = costs.merged_ratio.or(costs.unmerged_ratio).is_some();
        (any && self.subject.model == model).then_some(costs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"{
        "subject": { "model": "small", "threads": 2 },
        "requests": { "whole": { "p50": 0.5, "p95": 0.75 }, "joules_per_request": null },
        "adapters": [
            { "adapter": "mine", "how": "merged", "ratio": { "median": 1.01, "interval": [0.99, 1.02] } },
            { "adapter": "mine", "how": "unmerged", "ratio": { "median": 1.2, "interval": null } }
        ],
        "warnings": [{ "what": "the machine was busy", "remedy": "wait" }]
    }"#;

    #[test]
    fn costs_are_found_by_model_and_adapter() {
        let file = BenchFile::parse(Path::new("bench.json"), TEXT.as_bytes()).unwrap();
        let base = file.of_base("small").unwrap();
        assert_eq!(base.latency_p95_seconds, Some(0.75));
        assert_eq!(base.joules_per_request, None);
        let mine = file.of_adapter("small", "mine").unwrap();
        let merged = mine.merged_ratio.unwrap();
        assert_eq!((merged.value, merged.low), (1.01, Some(0.99)));
        assert_eq!(mine.unmerged_ratio.unwrap().high, None);
        assert_eq!(file.of_base("large"), None);
        assert_eq!(file.of_adapter("large", "mine"), None);
        assert_eq!(file.of_adapter("small", "other"), None);
        let warnings: Vec<_> = file.warnings().map(|warning| warning.what).collect();
        assert_eq!(warnings, ["evalh bench of small: the machine was busy"]);
    }
}
