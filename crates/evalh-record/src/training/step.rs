//! `steps.jsonl`: a line a step, appended with one write each.

use super::{TrainingError, TrainingResult};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// One optimizer step.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepRow {
    /// The step, from 1.
    pub step: u64,
    /// Mean nats a loss token, before the step's update.
    pub loss: f64,
    /// The learning rate of the update.
    pub learning_rate: f64,
    /// L2 norm of the gradient over all trained parameters, before it was clipped.
    pub gradient_norm: f64,
    /// Tokens that went through the model in this step.
    pub tokens: u64,
    /// Those of them that counted into the loss.
    pub loss_tokens: u64,
    /// Wall seconds of training until the step's end, over all sessions.
    pub wall_s: f64,
    /// CPU seconds of training until the step's end, over all sessions.
    pub cpu_s: f64,
    /// Resident memory of the process, where the system tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rss_bytes: Option<u64>,
    /// Mean power over the step, where something tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub power_w: Option<f64>,
    /// The target's metric after this step, where it was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<f64>,
}

/// The steps of a file, and how much of it they cover.
#[derive(Debug, Clone, PartialEq)]
pub struct ParsedSteps {
    /// The steps, 1 and up without a gap.
    pub steps: Vec<StepRow>,
    /// Where each step's line ends, in bytes.
    pub ends: Vec<usize>,
}

impl ParsedSteps {
    /// Bytes of whole lines. What follows is the torn line of a writer that was killed.
    pub fn whole_bytes(&self) -> usize {
        self.ends.last().copied().unwrap_or(0)
    }
}

/// Parses steps; `path` is for messages. Bytes after the last line break are what a killed writer left of its last line:
/// they are not parsed.
///
/// # Errors
/// When a whole line is not a step, or not the one that follows.
pub fn parse_steps(path: &Path, bytes: &[u8]) -> TrainingResult<ParsedSteps> {
    let mut parsed = ParsedSteps {
        steps: Vec::new(),
        ends: Vec::new(),
    };
    let lines = bytes.split_inclusive(|&b| b == b'\n');
    for (at, line) in lines.filter(|line| line.ends_with(b"\n")).enumerate() {
        let row: StepRow =
            serde_json::from_slice(line).map_err(|source| TrainingError::StepLine {
                path: path.to_owned(),
                line: at + 1,
                source,
            })?;
        if row.step != at as u64 + 1 {
            return Err(TrainingError::StepOrder {
                path: path.to_owned(),
                line: at + 1,
                step: row.step,
            });
        }
        parsed.steps.push(row);
        parsed.ends.push(parsed.whole_bytes() + line.len());
    }
    Ok(parsed)
}

/// A step as its line, line break included.
///
/// # Errors
/// When a number of it is not finite, which JSON cannot hold: such a step is a failure, not a row.
pub(super) fn to_line(row: &StepRow) -> TrainingResult<Vec<u8>> {
    let numbers = [
        ("loss", Some(row.loss)),
        ("learning_rate", Some(row.learning_rate)),
        ("gradient_norm", Some(row.gradient_norm)),
        ("wall_s", Some(row.wall_s)),
        ("cpu_s", Some(row.cpu_s)),
        ("power_w", row.power_w),
        ("metric", row.metric),
    ];
    for (field, number) in numbers {
        if number.is_some_and(|number| !number.is_finite()) {
            return Err(TrainingError::NotFinite {
                step: row.step,
                field,
            });
        }
    }
    let mut line = serde_json::to_vec(row).map_err(|source| TrainingError::Serialize { source })?;
    line.push(b'\n');
    Ok(line)
}
