//! One scored answer.

use crate::{Answer, Outcome, Sha256};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One scored answer of one variant to one item. It holds nothing that depends on time, on the machine's load or on
/// what else ran, so the same plan gives the same bytes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sample {
    /// The suite, `humaneval`.
    pub suite: String,
    /// The part of the suite that reports score apart, the suite's own name where it has one part only.
    pub task: String,
    /// How the item was put to the model, part of every score's name.
    pub protocol: String,
    /// The variant that answered.
    pub variant: String,
    /// The item's id within its suite.
    pub item: String,
    /// The item's place in the suite's data, from 0: the canonical order of a record.
    pub position: usize,
    /// Which of the item's samples, from 0.
    pub sample: usize,
    /// The solved examples before the item: their rows in the split that they were taken from, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shots: Vec<usize>,
    /// Hash of the prompt's token ids.
    pub prompt_sha256: Sha256,
    /// Tokens of the prompt after truncation.
    pub prompt_tokens: usize,
    /// Tokens dropped from the prompt's left.
    pub truncated_tokens: usize,
    /// What the model answered.
    pub answer: Answer,
    /// What was read out of the answer, where that is text: a choice, a label, a number. The headline metric rests on it.
    pub extracted: Option<String>,
    /// What is right, in the same form, where one text is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Hash of the program that ran, where one did.
    pub program_sha256: Option<Sha256>,
    /// How that program ended.
    pub outcome: Option<Outcome>,
    /// What a person may want to look at before believing that the program passed: names of the sandbox's findings.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub suspicions: Vec<String>,
    /// The answer's score by the headline metric: 1 right, 0 wrong; for a text's loss, nats a token.
    pub score: f64,
    /// Its scores by the task's other metrics that are means over items, by the metric's name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub scores: BTreeMap<String, f64>,
}

impl Sample {
    /// What makes the sample unique in its record.
    pub fn key(&self) -> SampleKey {
        SampleKey {
            suite: self.suite.clone(),
            variant: self.variant.clone(),
            item: self.item.clone(),
            sample: self.sample,
        }
    }
}

/// What makes a [`Sample`] unique in its record.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SampleKey {
    /// The suite.
    pub suite: String,
    /// The variant.
    pub variant: String,
    /// The item's id.
    pub item: String,
    /// Which of the item's samples.
    pub sample: usize,
}
