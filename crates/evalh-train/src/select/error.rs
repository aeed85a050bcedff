//! What can be wrong with a choice of layers, worded so that it reads after "failed to ...".

use super::Method;
use std::{io, path::PathBuf};

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
        method: Method,
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
    /// A method's name is unknown.
    #[error(
        "read --method {0}: there is no such method; give gradient, cka, fisher, random, first or last"
    )]
    Method(String),
    /// A file cannot be read or written.
    #[error("{action} {}: {source}", path.display())]
    Io {
        /// `read` or `write`.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A `layers.json` is not what it should be.
    #[error("read {}: {problem}; {remedy}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong, with the field's name where it is one.
        problem: String,
        /// What would work.
        remedy: &'static str,
    },
}
