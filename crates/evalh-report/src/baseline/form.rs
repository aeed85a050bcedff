//! What a baseline holds.

use super::Values;
use evalh_record::{ResultRow, Settings, Sha256};
use serde::{Deserialize, Serialize};

/// The version of the baseline's format that this crate writes. A reader refuses every other one.
pub const BASELINE_SCHEMA: u32 = 1;

/// The scores of a run by item, without any text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    /// The format's version, [`BASELINE_SCHEMA`].
    pub schema: u32,
    /// What the run was: everything that can change a score.
    pub settings: Settings,
    /// Its scores.
    pub results: Vec<ResultRow>,
    /// Its items' scores, in the order of the settings' suites.
    pub suites: Vec<SuiteItems>,
}

/// The items' scores of one suite.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SuiteItems {
    /// The suite.
    pub suite: String,
    /// Its tasks, in the order of the settings.
    pub tasks: Vec<TaskItems>,
}

/// The items' scores of one task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaskItems {
    /// The task.
    pub task: String,
    /// Items asked.
    pub items: usize,
    /// SHA-256 of their ids in the suite's order, each followed by a line break: equal hashes are the same items.
    pub items_sha256: Sha256,
    /// Their scores, by variant and metric.
    pub scores: Vec<ItemScores>,
}

/// The scores of one variant by one metric.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ItemScores {
    /// The variant.
    pub variant: String,
    /// The metric.
    pub metric: String,
    /// One score an item.
    pub values: Values,
}
