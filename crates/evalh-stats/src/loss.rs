//! How well texts are predicted: ratios over all documents, as lm-eval's `loglikelihood_rolling` tasks give them.
//!
//! Documents count by their length. lm-eval gives these metrics no standard error; here it is by [`Bootstrap`] over
//! documents. All are `None` without documents, where there is not one length a document, where all are empty, and where
//! the result is not finite.

use crate::{Bootstrap, Estimate};

/// The loss a token, in nats: minus the sum of `log_probs` (a document each, in nats) over the sum of `tokens`.
pub fn nats_per_token(
    log_probs: &[f64],
    tokens: &[usize],
    bootstrap: Bootstrap,
) -> Option<Estimate> {
    estimate(log_probs, tokens, bootstrap, |nats| nats)
}

/// The loss a byte, in bits (lm-eval's `bits_per_byte`), with `bytes` of each document in UTF-8.
pub fn bits_per_byte(log_probs: &[f64], bytes: &[usize], bootstrap: Bootstrap) -> Option<Estimate> {
    estimate(log_probs, bytes, bootstrap, |nats| {
        nats / std::f64::consts::LN_2
    })
}

/// `exp` of the nats a word (lm-eval's `word_perplexity`), with the `words` of each document.
pub fn word_perplexity(
    log_probs: &[f64],
    words: &[usize],
    bootstrap: Bootstrap,
) -> Option<Estimate> {
    estimate(log_probs, words, bootstrap, f64::exp)
}

fn estimate(
    log_probs: &[f64],
    lengths: &[usize],
    bootstrap: Bootstrap,
    unit: impl Fn(f64) -> f64,
) -> Option<Estimate> {
    let n = log_probs.len();
    if n == 0 || n != lengths.len() {
        return None;
    }
    let ratio = |documents: &mut dyn Iterator<Item = usize>| {
        let (mut nats, mut length) = (0.0, 0.0);
        for document in documents {
            nats -= log_probs[document];
            length += lengths[document] as f64;
        }
        let value = unit(nats / length);
        value.is_finite().then_some(value)
    };
    let value = ratio(&mut (0..n))?;
    let stderr = bootstrap.standard_error(n, |drawn| ratio(&mut drawn.iter().copied()));
    Some(Estimate { value, stderr, n })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_count_by_their_length() {
        let none = Bootstrap {
            resamples: 0,
            seed: 0,
        };
        let found = nats_per_token(&[-2.0, -30.0], &[1, 9], none).unwrap();
        assert!((found.value - 3.2).abs() < 1e-15);
        assert_eq!((found.stderr, found.n), (None, 2));
    }

    #[test]
    fn what_has_no_length_has_no_loss() {
        let default = Bootstrap::default();
        assert_eq!(nats_per_token(&[], &[], default), None);
        assert_eq!(nats_per_token(&[-1.0], &[1, 2], default), None);
        assert_eq!(nats_per_token(&[-0.0, -0.0], &[0, 0], default), None);
        assert_eq!(bits_per_byte(&[f64::NAN, -1.0], &[1, 2], default), None);
        assert_eq!(word_perplexity(&[-1e9], &[1], default), None);
    }
}
