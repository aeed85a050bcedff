//! A window of a text being scored.

use crate::{LogSoftmax, prepare::PreparedText};

/// A window's tokens, scored as their logits come: no more than one pass's logits are held.
pub struct WindowSum<'e> {
    text: &'e PreparedText,
    /// Its place among the text's windows.
    window: usize,
    sum: f64,
}

impl<'e> WindowSum<'e> {
    /// Nothing scored yet.
    pub fn new(text: &'e PreparedText, window: usize) -> Self {
        Self {
            text,
            window,
            sum: 0.0,
        }
    }

    /// Place in the text, the prefix token counted, of a position in the window.
    pub fn place(&self, position: usize) -> usize {
        self.text.windows[self.window].read.start + position
    }

    /// Takes the logits after a position of the window.
    pub fn take(&mut self, position: usize, softmax: LogSoftmax, logits: &[f32]) {
        let target = self.text.ids[self.place(position) + 1];
        self.sum += softmax.log_prob(logits[target as usize]);
    }

    /// The window's place and its sum of log-probabilities, once every position has been taken.
    pub fn score(&self) -> (usize, f64) {
        (self.window, self.sum)
    }
}
