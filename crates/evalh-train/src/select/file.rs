//! `layers.json`: the outcome of a probe.

use super::{Amount, Method, SelectError, ranks};
use evalh_record::Sha256;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The outcome of a probe. `layers_to_transform` is what PEFT calls it: `LoraConfig` takes it as it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LayersFile {
    /// The version of this form, [`LayersFile::SCHEMA`].
    pub schema: u32,
    /// The version of evalh that wrote it.
    pub evalh: String,
    /// How the layers were chosen.
    pub method: Method,
    /// The seed.
    pub seed: u64,
    /// The model that was probed.
    pub model: Source,
    /// The data it was probed on; none for a method that measures nothing.
    pub data: Option<Source>,
    /// Batches read (gradient, Fisher).
    pub batches: Option<usize>,
    /// Samples read.
    pub samples: Option<usize>,
    /// The model's number of layers.
    pub of_layers: usize,
    /// The score of each layer, higher is chosen first; for CKA its importance, 1 - CKA. None for a method that measures
    /// nothing.
    pub scores: Option<Vec<f64>>,
    /// The rank of each layer by its score, 1 is the highest.
    pub ranks: Option<Vec<usize>>,
    /// How many layers were asked for.
    pub top: Amount,
    /// The layers chosen, from 0, ascending.
    pub layers_to_transform: Vec<usize>,
    /// What the probe cost.
    pub seconds: ProbeCost,
}

/// What was read, by name and content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Its name as it was given.
    pub name: String,
    /// The hash of its content.
    pub sha256: Sha256,
}

/// The cost of a probe in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProbeCost {
    /// By the clock.
    pub wall: f64,
    /// Of all processors together.
    pub cpu: f64,
}

impl LayersFile {
    /// The version of the form that this evalh writes and reads.
    pub const SCHEMA: u32 = 1;

    /// Reads a file that was made for a model of `of_layers` layers.
    ///
    /// # Errors
    /// When the file cannot be read, is damaged, contradicts itself, or was made for another number of layers.
    pub fn read(path: &Path, of_layers: usize) -> Result<Self, SelectError> {
        let bytes = std::fs::read(path).map_err(|source| SelectError::Io {
            action: "read",
            path: path.to_owned(),
            source,
        })?;
        let refused = |problem: String, remedy| SelectError::File {
            path: path.to_owned(),
            problem,
            remedy,
        };
        let again = "make it again with evalh probe";
        let file: Self = serde_json::from_slice(&bytes)
            .map_err(|error| refused(format!("it is not a layers.json: {error}"), again))?;
        file.check().map_err(|problem| refused(problem, again))?;
        if file.of_layers != of_layers {
            let problem = format!(
                "it was made for {}, which has {} layers, and this model has {of_layers}",
                file.model.name, file.of_layers
            );
            return Err(refused(problem, "probe this model with evalh probe"));
        }
        Ok(file)
    }

    /// Writes the file, whole or not at all.
    ///
    /// # Errors
    /// When it contradicts itself (a score that is not finite, layers that are not the model's) or cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), SelectError> {
        self.check().map_err(|problem| SelectError::File {
            path: path.to_owned(),
            problem,
            remedy: "please report this as a bug of evalh",
        })?;
        let io = |source| SelectError::Io {
            action: "write",
            path: path.to_owned(),
            source,
        };
        let mut text = serde_json::to_string_pretty(self).map_err(|error| io(error.into()))?;
        text.push('\n');
        evalh_record::replace_file(path, text.as_bytes()).map_err(io)
    }

    /// What is wrong with it, by field.
    fn check(&self) -> Result<(), String> {
        if self.schema != Self::SCHEMA {
            return Err(format!(
                "schema is {}, this evalh reads {}",
                self.schema,
                Self::SCHEMA
            ));
        }
        self.check_scores()?;
        let layers = &self.layers_to_transform;
        if layers.is_empty() {
            return Err("layers_to_transform names no layer".to_owned());
        }
        if !layers.windows(2).all(|pair| pair[0] < pair[1]) {
            return Err("layers_to_transform is not ascending, or names a layer twice".to_owned());
        }
        match layers.iter().find(|layer| **layer >= self.of_layers) {
            Some(layer) => Err(format!(
                "layers_to_transform names layer {layer} of a model of {} layers",
                self.of_layers
            )),
            None => Ok(()),
        }
    }

    fn check_scores(&self) -> Result<(), String> {
        let expected = match (&self.scores, self.method.is_measured()) {
            (Some(scores), true) if scores.len() == self.of_layers => {
                Some(ranks(self.method, scores).map_err(|error| error.to_string())?)
            }
            (Some(scores), true) => {
                return Err(format!(
                    "scores has {} values for {} layers",
                    scores.len(),
                    self.of_layers
                ));
            }
            (None, true) => {
                return Err(format!("scores of the method {} are missing", self.method));
            }
            (Some(_), false) => return Err(format!("the method {} has no scores", self.method)),
            (None, false) => None,
        };
        if self.ranks == expected {
            Ok(())
        } else {
            Err("ranks are not those of the scores".to_owned())
        }
    }
}
