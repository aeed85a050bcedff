//! Differences over several models and seeds.

use super::{Against, Range, Role};
use serde::Serialize;

/// The contrasts of one role over several models, or over several adapters (seeds) of one model, on one suite's headline
/// metric.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Replicated {
    /// The suite.
    pub suite: String,
    /// Its headline metric.
    pub metric: String,
    /// Whether the metric is a share of items.
    pub is_share: bool,
    /// What the variants are called, without the numbers that tell seeds apart: adapters of one such name are replicates.
    pub name: String,
    /// The role of the variants.
    pub role: Role,
    /// What they are set against.
    pub against: Against,
    /// Each contrast: the variant's place, its model, the difference.
    pub each: Vec<Replicate>,
    /// Mean difference: over models, each the mean over its seeds; over seeds where there is one model.
    pub mean: f64,
    /// Standard deviation of what is averaged; `None` for one.
    pub sd: Option<f64>,
    /// Interval of the mean by Student's t over models (seeds where there is one model).
    pub interval: Option<Range>,
    /// Student's t, degrees of freedom and the two-sided p-value, over models (seeds where there is one model).
    pub t: Option<f64>,
    /// Degrees of freedom.
    pub df: Option<f64>,
    /// Its p-value.
    pub p: Option<f64>,
    /// Cohen's d of the paired differences.
    pub d: Option<f64>,
    /// Models.
    pub models: usize,
    /// Replicates that are better than what they are set against.
    pub wins: usize,
    /// Replicates that are as good.
    pub ties: usize,
    /// Replicates that are worse.
    pub losses: usize,
}

/// One replicate.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Replicate {
    /// The variant.
    pub variant: usize,
    /// What it is set against.
    pub other: usize,
    /// The model.
    pub model: String,
    /// The difference.
    pub value: f64,
}
