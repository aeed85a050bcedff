//! Uniform draws.

use rand_chacha::{
    ChaCha8Rng,
    rand_core::{RngCore, SeedableRng},
};

/// `ChaCha8`, which is the same on every machine.
pub(super) struct Draw(ChaCha8Rng);

impl Draw {
    pub(super) fn new(seed: u64) -> Draw {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        Draw(ChaCha8Rng::from_seed(key))
    }

    /// A number below `n`, which is not 0, each with the same probability (Lemire 2019).
    pub(super) fn below(&mut self, n: u32) -> u32 {
        loop {
            let product = u64::from(self.0.next_u32()) * u64::from(n);
            let low = product as u32;
            // Of the 2^32 words, 2^32 mod n are too many; they are among the low halves below n.
            if low >= n || low >= n.wrapping_neg() % n {
                return (product >> 32) as u32;
            }
        }
    }

    /// A multiple of 2^-53 from 0 up to 1, without 1.
    pub(super) fn share(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 * (1.0 / 9_007_199_254_740_992.0)
    }

    /// Means of `resamples` times as many of the `values` as there are. `None` for more than a 32-bit number counts.
    pub(super) fn means(&mut self, values: &[f64], resamples: u32) -> Option<Vec<f64>> {
        let n = u32::try_from(values.len()).ok()?;
        Some(
            (0..resamples)
                .map(|_| {
                    let sum: f64 = (0..n).map(|_| values[self.below(n) as usize]).sum();
                    sum / f64::from(n)
                })
                .collect(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_are_even_and_end_below_n() {
        let mut draw = Draw::new(7);
        for n in [1, 2, 3, 7, 1000] {
            let mut seen = vec![0_u32; n as usize];
            let draws = 2000 * n.min(10);
            for _ in 0..draws {
                seen[draw.below(n) as usize] += 1;
            }
            let expected = f64::from(draws) / f64::from(n);
            let chi_squared: f64 = seen
                .iter()
                .map(|&count| (f64::from(count) - expected).powi(2) / expected)
                .sum();
            // Mean n - 1, variance 2 (n - 1).
            let freedom = f64::from(n - 1);
            assert!(
                chi_squared <= freedom + 5.0 * (2.0 * freedom).sqrt(),
                "{n}: {chi_squared}"
            );
        }
    }

    #[test]
    fn large_ranges_are_not_biased_to_some_words() {
        // Three quarters of all words: without the second draw, every third number had twice its share.
        let n = 3 << 30;
        let mut draw = Draw::new(1);
        let third = (0..30_000)
            .filter(|_| draw.below(n).is_multiple_of(3))
            .count() as f64;
        assert!((third - 10_000.0).abs() < 5.0 * (30_000.0_f64 * 2.0 / 9.0).sqrt());
    }
}
