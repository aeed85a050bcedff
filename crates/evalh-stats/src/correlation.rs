//! How well predicted numbers follow the gold ones.
//!
//! Values are those of `SciPy` 1.17. Where `SciPy` gives `nan` or refuses, there is `None`: fewer than two items, not one
//! prediction an item, a side of which all numbers are equal (a model that always says the same has no correlation, which
//! is not a correlation of 0), and a number that is not finite. Standard errors are by [`Bootstrap`] over items.

use crate::{Bootstrap, Estimate};

/// Pearson's correlation of the numbers.
pub fn pearson(gold: &[f64], predicted: &[f64], bootstrap: Bootstrap) -> Option<Estimate> {
    estimate(gold, predicted, bootstrap, |gold, predicted| {
        correlation(gold, predicted)
    })
}

/// Spearman's rank correlation: Pearson's of the ranks, where equal numbers have the mean of their ranks.
pub fn spearman(gold: &[f64], predicted: &[f64], bootstrap: Bootstrap) -> Option<Estimate> {
    estimate(gold, predicted, bootstrap, |gold, predicted| {
        correlation(&ranks(gold), &ranks(predicted))
    })
}

fn estimate(
    gold: &[f64],
    predicted: &[f64],
    bootstrap: Bootstrap,
    statistic: impl Fn(&[f64], &[f64]) -> Option<f64>,
) -> Option<Estimate> {
    let n = gold.len();
    let finite = gold
        .iter()
        .chain(predicted)
        .all(|number| number.is_finite());
    if n < 2 || n != predicted.len() || !finite {
        return None;
    }
    let value = statistic(gold, predicted)?;
    let (mut drawn_gold, mut drawn_predicted) = (vec![0.0; n], vec![0.0; n]);
    let stderr = bootstrap.standard_error(n, |drawn| {
        for (place, &item) in drawn.iter().enumerate() {
            drawn_gold[place] = gold[item];
            drawn_predicted[place] = predicted[item];
        }
        statistic(&drawn_gold, &drawn_predicted)
    });
    Some(Estimate { value, stderr, n })
}

/// Pearson's correlation of as many numbers on both sides, or `None` where one side has no spread.
fn correlation(x: &[f64], y: &[f64]) -> Option<f64> {
    let (x, y) = (unit(x)?, unit(y)?);
    let product: f64 = x.iter().zip(&y).map(|(x, y)| x * y).sum();
    Some(product.clamp(-1.0, 1.0))
}

/// The deviations from the mean, divided by their Euclidean length.
fn unit(numbers: &[f64]) -> Option<Vec<f64>> {
    let first = numbers.first()?;
    #[expect(clippy::float_cmp, reason = "only equal numbers have no spread")]
    let flat = numbers.iter().all(|number| number == first);
    if flat {
        return None;
    }
    // Divided by the largest number first, so that no square overflows or vanishes.
    let largest = numbers.iter().fold(0.0_f64, |most, x| most.max(x.abs()));
    let mean = numbers.iter().map(|x| x / largest).sum::<f64>() / numbers.len() as f64;
    let centred: Vec<f64> = numbers.iter().map(|x| x / largest - mean).collect();
    let length = centred.iter().map(|x| x * x).sum::<f64>().sqrt();
    (length > 0.0 && length.is_finite()).then(|| centred.iter().map(|x| x / length).collect())
}

/// The ranks of numbers from 1, ties by the mean.
#[expect(clippy::float_cmp, reason = "only equal numbers are tied")]
fn ranks(numbers: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..numbers.len()).collect();
    order.sort_unstable_by(|&a, &b| numbers[a].total_cmp(&numbers[b]));
    let mut ranks = vec![0.0; numbers.len()];
    let mut before = 0;
    for tied in order.chunk_by(|&a, &b| numbers[a] == numbers[b]) {
        let rank = before as f64 + (tied.len() + 1) as f64 / 2.0;
        for &item in tied {
            ranks[item] = rank;
        }
        before += tied.len();
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_share_their_ranks() {
        assert_eq!(
            ranks(&[3.0, 1.0, 3.0, -0.0, 0.0]),
            [4.5, 3.0, 4.5, 1.5, 1.5]
        );
    }

    #[test]
    fn numbers_without_a_spread_have_no_correlation() {
        let none = Bootstrap {
            resamples: 0,
            seed: 0,
        };
        for metric in [pearson, spearman] {
            assert_eq!(metric(&[1.0, 1.0, 1.0], &[1.0, 2.0, 3.0], none), None);
            assert_eq!(metric(&[1.0, 2.0, 3.0], &[0.0, -0.0, 0.0], none), None);
            assert_eq!(metric(&[1.0], &[1.0], none), None);
            assert_eq!(metric(&[1.0, 2.0], &[1.0], none), None);
            assert_eq!(metric(&[1.0, f64::NAN], &[1.0, 2.0], none), None);
        }
    }

    #[test]
    fn huge_and_tiny_numbers_do_not_overflow() {
        let none = Bootstrap {
            resamples: 0,
            seed: 0,
        };
        let found = pearson(&[1e300, -1e300, 5e299], &[1e-300, -1e-300, 5e-301], none).unwrap();
        assert!((found.value - 1.0).abs() < 1e-12);
    }
}
