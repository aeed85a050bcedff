//! What can be wrong with a choice of layers, worded so that it reads after "failed to ...".

use evalh_record::training::{ProbeMethod, TrainingError};
use std::path::PathBuf;

/// Why layers cannot be chosen.
#[derive(Debug, thiserror::Error)]
pub enum SelectError {
    /// A score is NaN or infinite.
    #[error(
        "choose layers: the {method} score of layer {layer} is {score}; check that layer's weights and the data, or \
         choose with random, first or last"
    )]
    NotFinite {
        /// The method.
        method: ProbeMethod,
        /// The layer, from 0.
        layer: usize,
        /// Its score.
        score: f64,
    },
    /// There is nothing to choose from.
    #[error("choose layers: the model has none")]
    NoLayers,
    /// More layers than there are.
    #[error("choose {asked} layers of {layers}: give at most {layers} with --top")]
    TooMany {
        /// The number asked for.
        asked: usize,
        /// The model's.
        layers: usize,
    },
    /// `--top` is not an amount.
    #[error("read --top {text}: {problem}; give a share (50% or 0.5) or a number of layers (8)")]
    Amount {
        /// What was given.
        text: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// `--layers` is not a choice.
    #[error(
        "read --layers {text}: {problem}; give all, a layers.json, or numbers such as 0-15 or 0,2,5-7"
    )]
    Layers {
        /// What was given.
        text: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A `layers.json` cannot be read.
    #[error("read {}: {source}; make it again with evalh probe, or name the layers by number", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Box<TrainingError>,
    },
    /// A `layers.json` is of another model.
    #[error("use {} for this model: it was made for {model}, which has {found} layers, and this one has {layers}; probe this model with evalh probe", path.display())]
    OtherModel {
        /// The file.
        path: PathBuf,
        /// The model it was made for.
        model: String,
        /// That model's layers.
        found: usize,
        /// This model's layers.
        layers: usize,
    },
}
