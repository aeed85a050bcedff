//! `layers.json`: what a probe of the layers found.

use super::{
    DataSettings, ModelSettings, Seconds, TrainingError, TrainingResult, status::parse_versioned,
};
use crate::{atomic, folder::json};
use serde::{Deserialize, Serialize};
use std::{fmt, fs, path::Path};

/// The version of `layers.json` that this crate writes. A reader refuses every other one.
pub const LAYERS_SCHEMA: u32 = 1;

/// `layers.json`: a score a layer, and the layers that it selects.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LayerSelection {
    /// The format's version, [`LAYERS_SCHEMA`].
    pub schema: u32,
    /// The program's version.
    pub evalh: String,
    /// What the scores are.
    pub method: ProbeMethod,
    /// Seed of the examples drawn, and of a random choice.
    pub seed: u64,
    /// The checkpoint that was probed.
    pub model: ModelSettings,
    /// What it was probed with; `None` for a method that looks at no data.
    pub data: Option<DataSettings>,
    /// Batches that the scores are summed over, for a method of gradients.
    pub batches: Option<usize>,
    /// Examples that the scores are of.
    pub samples: Option<usize>,
    /// One a layer, higher is more important.
    pub scores: Vec<f64>,
    /// The rank of each layer's score, from 1 for the highest; equal scores rank the lower layer first.
    pub ranks: Vec<usize>,
    /// The selected layers, from 0, ascending: PEFT's `layers_to_transform`.
    pub layers_to_transform: Vec<usize>,
    /// The share of layers that was asked for, above 0 and at most 1.
    pub ratio: f64,
    /// Time spent.
    pub seconds: Seconds,
}

/// How layers are scored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProbeMethod {
    /// Norm of the loss's gradient, summed over batches.
    Gradient,
    /// 1 - linear CKA of what enters and what leaves the layer.
    Cka,
    /// Norm of the mean squared gradient.
    Fisher,
    /// Drawn from the seed.
    Random,
    /// The first layers.
    First,
    /// The last layers.
    Last,
}

impl ProbeMethod {
    /// Every method.
    pub const ALL: [ProbeMethod; 6] = [
        ProbeMethod::Gradient,
        ProbeMethod::Cka,
        ProbeMethod::Fisher,
        ProbeMethod::Random,
        ProbeMethod::First,
        ProbeMethod::Last,
    ];

    /// The name in commands, plans and files.
    pub fn name(self) -> &'static str {
        match self {
            ProbeMethod::Gradient => "gradient",
            ProbeMethod::Cka => "cka",
            ProbeMethod::Fisher => "fisher",
            ProbeMethod::Random => "random",
            ProbeMethod::First => "first",
            ProbeMethod::Last => "last",
        }
    }
}

impl fmt::Display for ProbeMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl LayerSelection {
    /// Parses `layers.json`; `path` is for messages.
    ///
    /// # Errors
    /// When the text is not a selection, is one of another schema, or its parts do not fit together.
    pub fn parse(path: &Path, text: &[u8]) -> TrainingResult<LayerSelection> {
        let selection: LayerSelection = parse_versioned(path, text, LAYERS_SCHEMA)?;
        match selection.problem() {
            Some(problem) => Err(TrainingError::Selection {
                path: path.to_owned(),
                problem,
            }),
            None => Ok(selection),
        }
    }

    /// Reads a `layers.json`.
    ///
    /// # Errors
    /// When it cannot be read, or as [`LayerSelection::parse`].
    pub fn read(path: &Path) -> TrainingResult<LayerSelection> {
        let text = fs::read(path).map_err(|source| TrainingError::Read {
            path: path.to_owned(),
            source,
        })?;
        LayerSelection::parse(path, &text)
    }

    /// Writes it: the old file or the new one is there, whatever happens in between.
    ///
    /// # Errors
    /// When it cannot be written, or a score is not a finite number.
    pub fn write(&self, path: &Path) -> TrainingResult<()> {
        if let Some(layer) = self.scores.iter().position(|score| !score.is_finite()) {
            return Err(TrainingError::Selection {
                path: path.to_owned(),
                problem: format!("the score of layer {layer} is not a finite number"),
            });
        }
        let text = json(self).map_err(TrainingError::from_json)?;
        atomic::replace_file(path, &text).map_err(|source| TrainingError::Write {
            path: path.to_owned(),
            source,
        })
    }

    /// What does not fit together, if anything.
    fn problem(&self) -> Option<String> {
        let layers = self.scores.len();
        let mut ranks = self.ranks.clone();
        ranks.sort_unstable();
        if !ranks.into_iter().eq(1..=layers) {
            return Some(format!("`ranks` are not 1 to {layers}, one a score"));
        }
        let selected = &self.layers_to_transform;
        if selected.is_empty() || !selected.is_sorted_by(|a, b| a < b) {
            return Some("`layers_to_transform` is empty or not ascending".to_owned());
        }
        selected
            .last()
            .filter(|&&last| last >= layers)
            .map(|last| format!("`layers_to_transform` has layer {last} of {layers} layers"))
    }
}
