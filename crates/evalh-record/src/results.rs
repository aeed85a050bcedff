//! Scores of a complete run.

use serde::{Deserialize, Serialize};

/// Which part of a suite a [`ResultRow`] sums up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// The whole suite: its headline.
    Whole,
    /// Several of its tasks.
    Group,
    /// One task of several.
    Task,
}

/// One score: a metric of one variant on one task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResultRow {
    /// The suite.
    pub suite: String,
    /// The part of the suite by name: the suite's own, a group's or a task's.
    pub task: String,
    /// What that name stands for.
    pub part: Part,
    /// How the items were put to the model.
    pub protocol: String,
    /// The variant that answered.
    pub variant: String,
    /// The metric's name, `pass@1`.
    pub metric: String,
    /// Its value.
    pub value: f64,
    /// The standard error of `value`, where it can be told.
    pub stderr: Option<f64>,
    /// Items that the value rests on.
    pub n: usize,
    /// What the metric gives to one who guesses, where that can be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chance: Option<f64>,
}

impl ResultRow {
    /// The metric's name without the way in which answers were read: `exact_match` of `exact_match,strict-match`.
    pub fn metric_name(&self) -> &str {
        self.metric.split(',').next().unwrap_or(&self.metric)
    }
}
