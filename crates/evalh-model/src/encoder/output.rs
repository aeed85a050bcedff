//! What goes into an encoder and what comes out.

/// One input: a sentence, or a pair of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EncoderInput {
    /// Token ids with their special tokens and without padding.
    pub ids: Vec<u32>,
    /// The token types, one a token; none at all for all zero.
    pub token_types: Vec<u32>,
}

/// Logits or hidden values of each input.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct EncoderOutput {
    pub(super) width: usize,
    pub(super) inputs: Vec<Vec<f32>>,
}

impl EncoderOutput {
    /// Values of a row: labels, vocabulary entries or hidden values.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Number of inputs.
    pub fn len(&self) -> usize {
        self.inputs.len()
    }

    /// Whether there was no input.
    pub fn is_empty(&self) -> bool {
        self.inputs.is_empty()
    }

    /// The values of an input, row-major `[rows, width]`: one row for a classifier, one a token (or place asked for)
    /// otherwise.
    ///
    /// # Panics
    /// When there are not so many inputs.
    pub fn values(&self, input: usize) -> &[f32] {
        &self.inputs[input]
    }

    /// One row of an input.
    ///
    /// # Panics
    /// When there are not so many inputs or rows.
    pub fn row(&self, input: usize, row: usize) -> &[f32] {
        &self.inputs[input][row * self.width..(row + 1) * self.width]
    }
}
