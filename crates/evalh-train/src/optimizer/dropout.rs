//! Dropout whose masks are functions of their place.

use super::super::random::Draws;

/// Dropout at a rate, from a seed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Dropout {
    rate: f64,
    seed: u64,
}

/// A rate of dropout of no meaning.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("drop out at a rate of {0}: give one from 0 to below 1")]
pub struct DropoutError(f64);

impl Dropout {
    /// Dropout that sets each value to 0 with probability `rate` and divides the others by `1 - rate`.
    ///
    /// # Errors
    /// When the rate is not from 0 to below 1.
    pub fn new(rate: f64, seed: u64) -> Result<Self, DropoutError> {
        if (0.0..1.0).contains(&rate) {
            Ok(Self { rate, seed })
        } else {
            Err(DropoutError(rate))
        }
    }

    /// Whether anything is dropped at all.
    pub fn is_active(&self) -> bool {
        self.rate > 0.0
    }

    /// Writes the mask of a module's input in a micro-batch: 0 or `1 / (1 - rate)`.
    ///
    /// Element `i` of `mask` is element `first + i` of the input, and a function of seed, micro-batch (counted over the
    /// whole training, so that each has masks of its own), module and that number alone: the same after a resumption,
    /// in any split and when a forward pass is computed again.
    pub fn mask(&self, micro_batch: u64, module: &str, first: u64, mask: &mut [f32]) {
        let mut draws = Draws::new(
            "dropout",
            self.seed,
            &[&micro_batch.to_le_bytes(), module.as_bytes()],
        );
        draws.go_to(first);
        // As many of the 2^32 words as the rate has a share of are dropped.
        let dropped = (self.rate * 4_294_967_296.0).round() as u64;
        let kept = (1.0 / (1.0 - self.rate)) as f32;
        for value in mask {
            *value = if u64::from(draws.word()) < dropped {
                0.0
            } else {
                kept
            };
        }
    }
}
