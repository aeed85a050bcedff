//! What was asked, once an item.

use crate::{Prompt, RecordError, RecordResult, folder::ITEMS};
use serde::{Deserialize, Serialize};
use std::{fs, io, path::Path};

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

/// The items of a run folder; none where it has no `items.jsonl`.
///
/// # Errors
/// When the file cannot be read, or a line of it is not an item.
pub fn read_items(dir: &Path) -> RecordResult<Vec<ItemText>> {
    let path = dir.join(ITEMS);
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(RecordError::Read { path, source }),
    };
    let lines = bytes.split(|&byte| byte == b'\n').enumerate();
    lines
        .filter(|(_, line)| !line.is_empty())
        .map(|(place, line)| {
            serde_json::from_slice(line).map_err(|source| RecordError::ItemLine {
                path: path.clone(),
                line: place + 1,
                source,
            })
        })
        .collect()
}
