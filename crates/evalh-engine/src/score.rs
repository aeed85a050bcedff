//! Log-probabilities from logits.

use crate::sample::{argmax, exp};

/// The normaliser of one row of logits, computed once for all the tokens asked of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LogSoftmax {
    /// The largest logit.
    max: f32,
    /// Natural logarithm of the sum of `exp(logit - max)`.
    log_sum: f64,
    /// The most likely token, the lowest id on ties.
    pub argmax: u32,
}

impl LogSoftmax {
    /// Reads a row of logits, one per token of the vocabulary. `None` when one is NaN or infinite, or there are none.
    ///
    /// The exponentials are `f32` (relative error 2e-7), their sum `f64` over blocks of partial sums, so a
    /// log-probability is good to about 3e-7 however large the vocabulary.
    pub fn of(logits: &[f32]) -> Option<Self> {
        let best = argmax(logits)?;
        let max = logits[best as usize];
        Some(Self {
            max,
            log_sum: exp::sum_of_exps(logits, max, 1.0).ln(),
            argmax: best,
        })
    }

    /// Log-probability, in nats, of the token that has this logit.
    pub fn log_prob(&self, logit: f32) -> f64 {
        f64::from(logit) - f64::from(self.max) - self.log_sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn two_equal_logits_share_the_probability() {
        let row = LogSoftmax::of(&[5.0, 5.0]).expect("finite");
        assert_eq!(row.argmax, 0);
        assert!((row.log_prob(5.0) + std::f64::consts::LN_2).abs() < 1e-7);
    }

    #[test]
    fn what_is_not_finite_is_refused() {
        assert_eq!(LogSoftmax::of(&[]), None);
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            for place in [0, 16, 39] {
                let mut logits = vec![0.5; 40];
                logits[place] = bad;
                assert_eq!(LogSoftmax::of(&logits), None);
            }
        }
    }

    proptest! {
        #[test]
        fn agrees_with_double_precision(logits in prop::collection::vec(-60f32..60.0, 1..3000)) {
            let row = LogSoftmax::of(&logits).expect("finite");
            let max = logits.iter().copied().fold(f32::MIN, f32::max);
            let sum: f64 = logits.iter().map(|&l| (f64::from(l) - f64::from(max)).exp()).sum();
            for &logit in &logits {
                let expected = f64::from(logit) - f64::from(max) - sum.ln();
                prop_assert!((row.log_prob(logit) - expected).abs() < 1e-6);
            }
            let first = logits.iter().position(|&l| l >= max).expect("there");
            prop_assert_eq!(row.argmax as usize, first);
        }
    }
}
