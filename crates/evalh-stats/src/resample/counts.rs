//! Resampled means of values of which few are different.

use super::{binomial::Binomial, draw::Draw};
use std::collections::HashMap;

/// How often each different value occurs.
pub(super) struct Counts {
    /// Values and how many items have each, the commonest first.
    values: Vec<(f64, u64)>,
    items: u64,
}

/// Counting is taken where there are so many items for each different value that it is the shorter way.
const ITEMS_FOR_EACH: usize = 20;

impl Counts {
    /// `None` where drawing items one by one is no slower.
    pub(super) fn of(values: &[f64]) -> Option<Counts> {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let mut values: Vec<(f64, u64)> = sorted
            .chunk_by(|a, b| a.total_cmp(b).is_eq())
            .map(|alike| (alike[0], alike.len() as u64))
            .collect();
        values.sort_by_key(|&(_, count)| std::cmp::Reverse(count));
        (values.len() * ITEMS_FOR_EACH <= sorted.len()).then_some(Counts {
            values,
            items: sorted.len() as u64,
        })
    }

    /// Means of as many draws as there are items. How often each value is drawn is multinomial: binomial given how many
    /// draws those before it left.
    pub(super) fn means(&self, resamples: u32, draw: &mut Draw) -> Vec<f64> {
        let mut binomials: HashMap<(usize, u64), Binomial> = HashMap::new();
        (0..resamples)
            .map(|_| {
                let (mut draws, mut others, mut sum) = (self.items, self.items, 0.0);
                for (place, &(value, count)) in self.values.iter().enumerate() {
                    others -= count;
                    let drawn = binomials
                        .entry((place, draws))
                        .or_insert_with(|| Binomial::new(draws, count as f64, others as f64))
                        .draw(draw);
                    sum += value * drawn as f64;
                    draws -= drawn;
                }
                sum / self.items as f64
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_different_values_are_not_counted() {
        let different: Vec<f64> = (0..100).map(f64::from).collect();
        assert!(Counts::of(&different).is_none());
        let few: Vec<f64> = (0..100).map(|i| f64::from(i % 3)).collect();
        assert_eq!(
            Counts::of(&few).unwrap().values,
            [(0.0, 34), (1.0, 33), (2.0, 33)]
        );
    }

    /// Of three values, a resample's counts have the means and covariances of the multinomial distribution.
    #[test]
    fn counts_are_multinomial() {
        let values: Vec<f64> = (0..200)
            .map(|i| [1.0, 1000.0, 1_000_000.0][[0, 1, 1, 2][i % 4]])
            .collect();
        let means = Counts::of(&values)
            .unwrap()
            .means(20_000, &mut Draw::new(3));
        // Each count is below 1000, so the sum tells all three.
        let (mut first, mut second, mut product) = (0.0, 0.0, 0.0);
        for mean in &means {
            let sum = (mean * 200.0).round() as u64;
            let (ones, thousands) = (
                (sum % 1000) as f64 - 50.0,
                (sum / 1000 % 1000) as f64 - 100.0,
            );
            assert_eq!(sum % 1000 + sum / 1000 % 1000 + sum / 1_000_000, 200);
            first += ones * ones;
            second += thousands * thousands;
            product += ones * thousands;
        }
        // n p (1 - p), n q (1 - q), -n p q; each within about five of its own standard errors.
        let of = |sum: f64| sum / means.len() as f64;
        assert!((of(first) - 37.5).abs() < 2.0, "{}", of(first));
        assert!((of(second) - 50.0).abs() < 2.5, "{}", of(second));
        assert!((of(product) + 25.0).abs() < 2.0, "{}", of(product));
    }
}
