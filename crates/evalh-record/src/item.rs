//! What was asked, once an item.

use crate::Prompt;
use serde::{Deserialize, Serialize};

/// What was asked of every variant for one item, and what is right: a line of `items.jsonl`. It is there for people, and
/// no score is computed from it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ItemText {
    /// The suite.
    pub suite: String,
    /// The part of the suite that the item is of.
    pub task: String,
    /// The item's id within its suite.
    pub item: String,
    /// The item's place in the suite's data, from 0.
    pub position: usize,
    /// What the model reads, shots included, before a chat template is put around it.
    pub prompt: Prompt,
    /// The continuations whose log-likelihoods were asked for, in the order of the answer's scores.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<String>,
    /// What is right, where the data tells it as a text: a canonical solution, a worked answer, a label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
}
