//! `training.json`.

use super::{Energy, LossSummary, Seconds, TrainingError, TrainingResult, TrainingSettings};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::path::Path;

/// The version of a training's record that this crate writes. A reader refuses every other one.
pub const TRAINING_SCHEMA: u32 = 1;

/// `training.json`: what a training is, what it cost and how it ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Training {
    /// The format's version, [`TRAINING_SCHEMA`].
    pub schema: u32,
    /// Everything that can change the result.
    pub settings: TrainingSettings,
    /// Parameters that move.
    pub trainable_parameters: u64,
    /// Parameters of the model with its adapter.
    pub total_parameters: u64,
    /// The command as it was typed.
    pub command: String,
    /// The machine: processor, memory, system.
    pub machine: String,
    /// Threads that computed.
    pub threads: usize,
    /// Sessions that worked on it: 1, and one more for each time it was resumed.
    pub sessions: u32,
    /// When the first session began, RFC 3339.
    pub started: String,
    /// When the last session ended, RFC 3339; `None` while it runs.
    pub ended: Option<String>,
    /// Time spent training.
    pub seconds: Seconds,
    /// Steps that are done.
    pub steps: u64,
    /// Tokens that went through the model.
    pub tokens: u64,
    /// Those of them that counted into the loss.
    pub loss_tokens: u64,
    /// Losses; `None` before the first step.
    pub loss: Option<LossSummary>,
    /// Highest resident memory of the process, in bytes, where the system tells.
    pub peak_rss_bytes: Option<u64>,
    /// Energy spent.
    pub energy: Energy,
    /// How it stands.
    pub status: Status,
}

/// How a training stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case", deny_unknown_fields)]
pub enum Status {
    /// It trains, or was killed.
    Running,
    /// All steps are done.
    Done,
    /// It stopped before its last step.
    Stopped {
        /// Why.
        why: Stop,
    },
    /// It cannot go on.
    Failed(Failure),
}

/// Why a training stopped before its last step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stop {
    /// The metric reached its target.
    TargetReached,
    /// The time of the training that it is matched to is spent.
    BudgetSpent,
    /// The user stopped it; it can be resumed.
    Interrupted,
}

/// Where and why a training failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Failure {
    /// The step that failed, from 1.
    pub step: u64,
    /// The layer, where one is to blame.
    pub layer: Option<usize>,
    /// The tensor, where one is to blame.
    pub tensor: Option<String>,
    /// What is wrong: `the loss is NaN`.
    pub problem: String,
}

impl Status {
    /// Whether nothing is left to do: it is done, stopped for its budget or target, or failed.
    pub fn is_over(&self) -> bool {
        !matches!(
            self,
            Status::Running
                | Status::Stopped {
                    why: Stop::Interrupted
                }
        )
    }
}

impl Training {
    /// Parses `training.json`; `path` is for messages.
    ///
    /// # Errors
    /// When the text is not a training's record, or one of another schema.
    pub fn parse(path: &Path, text: &[u8]) -> TrainingResult<Training> {
        parse_versioned(path, text, TRAINING_SCHEMA)
    }
}

/// A value whose object tells its schema. Another schema is named before the value's form is looked at.
pub(super) fn parse_versioned<T: serde::de::DeserializeOwned>(
    path: &Path,
    text: &[u8],
    schema: u32,
) -> TrainingResult<T> {
    let damaged = |source| TrainingError::Parse {
        path: path.to_owned(),
        source,
    };
    let value: Value = serde_json::from_slice(text).map_err(damaged)?;
    match value.get("schema").and_then(Value::as_u64) {
        Some(found) if found != u64::from(schema) => Err(TrainingError::Schema {
            path: path.to_owned(),
            found,
            reads: schema,
        }),
        _ => serde_json::from_value(value).map_err(damaged),
    }
}
