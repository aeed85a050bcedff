//! What `evalh bench` measured, read from its `bench.json`.

use super::{BenchCosts, CompareError, Ratio};
use serde::Deserialize;
use std::path::Path;

/// The part of a `bench.json` that a comparison shows.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct BenchFile {
    subject: Subject,
    requests: Option<Requests>,
    adapters: Vec<Adapter>,
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

#[derive(Debug, Clone, PartialEq, Deserialize)]
struct Latency {
    p50: f64,
    p95: f64,
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

impl BenchFile {
    /// Parses a `bench.json`; `path` is for messages.
    ///
    /// # Errors
    /// When the text is not what `evalh bench` writes.
    pub fn parse(path: &Path, text: &[u8]) -> Result<BenchFile, CompareError> {
        serde_json::from_slice(text).map_err(|error| CompareError::Bench {
            path: path.display().to_string(),
            problem: format!("it is not what `evalh bench` writes: {error}"),
        })
    }

    /// What it tells of a base checkpoint.
    pub(super) fn of_base(&self, model: &str) -> Option<BenchCosts> {
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
    pub(super) fn of_adapter(&self, model: &str, adapter: &str) -> Option<BenchCosts> {
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
