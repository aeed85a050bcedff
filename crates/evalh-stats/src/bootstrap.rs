//! Standard errors by drawing the items anew.

use crate::random::PythonRandom;

/// How items are drawn anew for a standard error.
///
/// The scheme is lm-eval 0.4.13's (`api/metrics.py`, `bootstrap_stderr`), with draws of its bits: the resamples come in
/// chunks of 1000, chunk `c` from Python's `random.Random(c)`, each resample `choices(items, k=len(items))`; the standard
/// error is the resamples' sample standard deviation. So with seed 0 and as many resamples as lm-eval makes
/// (`--bootstrap_iters`), the standard error is lm-eval's own. It is the same on every machine.
///
/// Two things go beyond lm-eval: a last chunk may be shorter (lm-eval leaves it out), and another seed gives other draws
/// (chunk `c` from `random.Random(seed * 2**32 + c)`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bootstrap {
    /// Resamples; with less than two there is no standard error.
    pub resamples: u32,
    /// The seed; 0 draws as lm-eval does.
    pub seed: u32,
}

/// Resamples from one generator.
const CHUNK: u32 = 1000;

impl Default for Bootstrap {
    /// 1000 resamples, which leave about 2 % of noise in a standard error.
    fn default() -> Self {
        Bootstrap {
            resamples: 1000,
            seed: 0,
        }
    }
}

impl Bootstrap {
    /// The standard error of a `statistic` of the drawn places in `0..items`.
    ///
    /// Resamples for which the statistic is not defined are left out. `None` where they are more than half, and where
    /// there are less than two items or resamples.
    pub(crate) fn standard_error(
        self,
        items: usize,
        mut statistic: impl FnMut(&[usize]) -> Option<f64>,
    ) -> Option<f64> {
        if items < 2 {
            return None;
        }
        let mut drawn = vec![0; items];
        let mut values = Vec::new();
        for first in (0..self.resamples).step_by(CHUNK as usize) {
            let chunk = first / CHUNK;
            let mut random = PythonRandom::new(u64::from(self.seed) << 32 | u64::from(chunk));
            for _ in 0..CHUNK.min(self.resamples - first) {
                drawn.fill_with(|| random.choice_by_float(items));
                values.extend(statistic(&drawn));
            }
        }
        if values.len() < 2 || values.len() * 2 < self.resamples as usize {
            return None;
        }
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let squares: f64 = values.iter().map(|x| (x - mean) * (x - mean)).sum();
        Some((squares / (values.len() - 1) as f64).sqrt())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_to_draw_from_has_no_error() {
        let mean_of = |_: &[usize]| Some(0.5);
        assert_eq!(Bootstrap::default().standard_error(1, mean_of), None);
        let one = Bootstrap {
            resamples: 1,
            seed: 0,
        };
        assert_eq!(one.standard_error(5, mean_of), None);
        assert_eq!(Bootstrap::default().standard_error(5, mean_of), Some(0.0));
    }

    #[test]
    fn undefined_resamples_are_left_out_up_to_half() {
        let ten = Bootstrap {
            resamples: 10,
            seed: 0,
        };
        let mut calls = 0;
        let mut defined_for = |share: u32| {
            calls = 0;
            ten.standard_error(4, |_| {
                calls += 1;
                (calls <= share).then_some(1.0)
            })
        };
        assert_eq!(defined_for(5), Some(0.0));
        assert_eq!(defined_for(4), None);
    }

    #[test]
    fn another_seed_draws_otherwise_and_the_same_seed_alike() {
        let first = |drawn: &[usize]| Some(drawn[0] as f64);
        let error = |seed| {
            Bootstrap {
                resamples: 50,
                seed,
            }
            .standard_error(100, first)
        };
        assert_eq!(error(3), error(3));
        assert_ne!(error(3), error(4));
    }
}
