//! Scores of a complete run.

use serde::{Deserialize, Serialize};

/// One score: a metric of one variant on one task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResultRow {
    /// The suite.
    pub suite: String,
    /// The part of the suite.
    pub task: String,
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
}
