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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MODULE: &str = "model.layers.0.self_attn.q_proj";

    fn mask(dropout: Dropout, micro_batch: u64, module: &str, length: usize) -> Vec<f32> {
        let mut mask = vec![f32::NAN; length];
        dropout.mask(micro_batch, module, 0, &mut mask);
        mask
    }

    #[test]
    fn the_mask_is_what_its_place_says() {
        let dropout = Dropout::new(0.25, 3).unwrap();
        let text = include_str!("../../tests/reference/random.json");
        let reference: serde_json::Value = serde_json::from_str(text).unwrap();
        let expected: Vec<bool> = serde_json::from_value(reference["kept"].clone()).unwrap();
        let expected: Vec<f32> = expected
            .iter()
            .map(|kept| if *kept { 4.0 / 3.0 } else { 0.0 })
            .collect();
        let found = mask(dropout, 7, MODULE, expected.len());
        assert_eq!(found, expected);
        assert_ne!(mask(dropout, 8, MODULE, 100), found);
        assert_ne!(
            mask(dropout, 7, "model.layers.0.self_attn.k_proj", 100),
            found
        );
        assert_ne!(mask(Dropout::new(0.25, 4).unwrap(), 7, MODULE, 100), found);
    }

    #[test]
    fn the_rate_is_met_and_the_mean_stays() {
        let n = 200_000;
        for rate in [0.05, 0.1, 0.5, 0.9] {
            let values = mask(Dropout::new(rate, 11).unwrap(), 0, MODULE, n);
            let dropped = values.iter().filter(|value| **value == 0.0).count() as f64 / n as f64;
            let error = (rate * (1.0 - rate) / n as f64).sqrt();
            assert!((dropped - rate).abs() < 5.0 * error, "{rate}: {dropped}");
            let mean = values.iter().map(|value| f64::from(*value)).sum::<f64>() / n as f64;
            assert!(
                (mean - 1.0).abs() < 5.0 * error / (1.0 - rate),
                "{rate}: {mean}"
            );
        }
    }

    #[test]
    fn no_dropout_keeps_all() {
        let none = Dropout::new(0.0, 1).unwrap();
        assert!(!none.is_active());
        assert!(
            mask(none, 0, MODULE, 1000)
                .iter()
                .all(|value| value.to_bits() == 1.0_f32.to_bits())
        );
        for rate in [1.0, -0.1, f64::NAN] {
            assert!(Dropout::new(rate, 1).is_err());
        }
        assert_eq!(
            Dropout::new(1.5, 1).unwrap_err().to_string(),
            "drop out at a rate of 1.5: give one from 0 to below 1"
        );
    }

    proptest! {
        #[test]
        fn any_split_has_the_same_mask(length in 1_usize..300, cut in 0_usize..300) {
            let dropout = Dropout::new(0.5, 1).unwrap();
            let whole = mask(dropout, 2, MODULE, length);
            let cut = cut.min(length);
            let mut parts = vec![f32::NAN; length];
            let (first, second) = parts.split_at_mut(cut);
            dropout.mask(2, MODULE, cut as u64, second);
            dropout.mask(2, MODULE, 0, first);
            prop_assert_eq!(parts, whole);
        }
    }
}
