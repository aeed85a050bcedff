//! From resamples to intervals.

use super::Resampled;
use crate::{
    Interval,
    distribution::{normal_cdf, normal_quantile},
    spread::spread_mean,
};

/// What leaving out one item or cluster at a time tells of the statistic: its acceleration, a sixth of the skewness.
pub(super) struct Jackknife {
    acceleration: f64,
}

impl Jackknife {
    /// From the statistic without each item or cluster. `None` where they are all the same.
    pub(super) fn of(left_out: &[f64]) -> Option<Jackknife> {
        let (mean, _) = spread_mean(left_out)?;
        Jackknife::of_influences(left_out.iter().map(|value| mean.value - value))
    }

    /// For a mean, where without item `i` it is `(n * mean - x_i) / (n - 1)`.
    pub(super) fn of_mean(values: &[f64], mean: f64) -> Option<Jackknife> {
        Jackknife::of_influences(values.iter().map(|value| value - mean))
    }

    /// From anything proportional to the influences of the items: the factor falls out.
    fn of_influences(influences: impl Iterator<Item = f64>) -> Option<Jackknife> {
        let (squares, cubes) = influences.fold((0.0, 0.0), |(squares, cubes), x| {
            (squares + x * x, cubes + x * x * x)
        });
        let acceleration = cubes / squares.powf(1.5) / 6.0;
        acceleration
            .is_finite()
            .then_some(Jackknife { acceleration })
    }
}

/// `None` with less than two resamples, and where all are the same.
pub(super) fn summary(
    value: f64,
    mut resamples: Vec<f64>,
    confidence: f64,
    jackknife: Option<Jackknife>,
) -> Option<Resampled> {
    resamples.sort_by(f64::total_cmp);
    let (mean, stderr) = spread_mean(&resamples)?;
    let tail = (1.0 - confidence) / 2.0;
    let between = |low, high| Interval {
        low: quantile(&resamples, low),
        high: quantile(&resamples, high),
    };
    Some(Resampled {
        value,
        stderr: stderr * (mean.n as f64).sqrt(),
        percentile: between(tail, 1.0 - tail),
        bca: jackknife
            .and_then(|jackknife| corrected(value, &resamples, tail, jackknife.acceleration))
            .map(|[low, high]| between(low, high)),
        confidence,
    })
}

/// The levels of the bias-corrected and accelerated interval.
fn corrected(value: f64, sorted: &[f64], tail: f64, acceleration: f64) -> Option<[f64; 2]> {
    let below = sorted.partition_point(|&x| x < value);
    let up_to = sorted.partition_point(|&x| x <= value);
    let bias = normal_quantile((below + up_to) as f64 / (2 * sorted.len()) as f64);
    let level = |z: f64| {
        let shifted = bias + z;
        normal_cdf(bias + shifted / (1.0 - acceleration * shifted))
    };
    let z = normal_quantile(tail);
    let levels = [level(z), level(-z)];
    // An infinite bias has no levels; a denominator of 0 or below would turn them round.
    let ordered = bias.is_finite() && levels[0] < levels[1];
    ordered.then_some(levels)
}

/// The quantile at `level` of sorted values, linear between neighbours (`NumPy`'s default; type 7 of Hyndman and Fan 1996).
fn quantile(sorted: &[f64], level: f64) -> f64 {
    let last = sorted.len() - 1;
    let at = level * last as f64;
    let below = (at as usize).min(last);
    let above = (below + 1).min(last);
    sorted[below] + (sorted[above] - sorted[below]) * (at - below as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_linear_between_neighbours() {
        let sorted = [1.0, 2.0, 4.0];
        for (level, expected) in [(0.0, 1.0), (0.25, 1.5), (0.5, 2.0), (0.75, 3.0), (1.0, 4.0)] {
            assert!((quantile(&sorted, level) - expected).abs() < 1e-15);
        }
    }

    #[test]
    fn resamples_to_one_side_have_no_correction() {
        let jackknife = || Jackknife::of(&[1.0, 2.0, 4.0]);
        let beside = summary(0.0, vec![1.0, 2.0, 3.0], 0.95, jackknife()).unwrap();
        assert_eq!(beside.bca, None);
        let around = summary(2.0, vec![1.0, 2.0, 3.0], 0.95, jackknife()).unwrap();
        assert!(around.bca.is_some());
        assert!(Jackknife::of(&[0.5; 4]).is_none());
        assert!(summary(1.0, vec![1.0; 9], 0.95, None).is_none());
    }
}
