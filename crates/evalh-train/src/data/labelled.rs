//! Texts with labels, for encoders with a head.

mod encode;
mod read;

pub use encode::{LabelledData, LabelledEncoder};
pub use read::{parse_labelled, read_labelled};

use super::Place;
use evalh_model::{EncoderInput, Label};
use evalh_record::Sha256;
use std::path::PathBuf;

/// What an encoder reads and what is right. Batches of them are made by their lengths, as those of decoders
/// ([`Batches`](super::Batches)).
#[derive(Debug, Clone, PartialEq)]
pub struct LabelledExample {
    /// What it reads, at least one token.
    pub input: EncoderInput,
    /// What is right.
    pub label: Label,
}

/// The rows of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct LabelledDataset {
    /// The file.
    pub path: PathBuf,
    /// The hash of its bytes.
    pub hash: Sha256,
    /// The rows, in the file's order; at least one. All have one text or all have two, and all labels are classes or all
    /// are numbers.
    pub rows: Vec<LabelledText>,
}

/// A text, or a pair of texts, and what is right.
#[derive(Debug, Clone, PartialEq)]
pub struct LabelledText {
    /// Where in the file it is.
    pub place: Place,
    /// The text, or the first of the pair.
    pub first: String,
    /// The second of the pair.
    pub second: Option<String>,
    /// What is right.
    pub label: Label,
}

impl LabelledDataset {
    /// Outputs of a head that can give every label: one for numbers, else one a class, at least two.
    pub fn outputs(&self) -> usize {
        let classes = self.rows.iter().filter_map(|row| match row.label {
            Label::Class(class) => Some(class + 1),
            Label::Value(_) => None,
        });
        classes.max().map_or(1, |classes| classes.max(2))
    }
}
