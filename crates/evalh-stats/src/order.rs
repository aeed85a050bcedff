//! What the order of measurements tells: medians, percentiles, intervals that assume nothing of how they are spread.

/// The median: the middle value, or the mean of the two in the middle. `None` without values, or where one is not a
/// number.
pub fn median(values: &[f64]) -> Option<f64> {
    let sorted = sorted(values)?;
    let middle = sorted.len() / 2;
    if sorted.len().is_multiple_of(2) {
        Some(f64::midpoint(sorted[middle - 1], sorted[middle]))
    } else {
        Some(sorted[middle])
    }
}

/// The smallest value that at least `percent` of the values do not exceed (the nearest rank). `None` without values,
/// where one is not a number, or where `percent` is not within 0 and 100.
pub fn percentile(values: &[f64], percent: f64) -> Option<f64> {
    let sorted = sorted(values)?;
    if !(0.0..=100.0).contains(&percent) {
        return None;
    }
    let rank = (percent / 100.0 * sorted.len() as f64).ceil() as usize;
    Some(sorted[rank.clamp(1, sorted.len()) - 1])
}

/// An interval that covers the median of what the values were drawn from with at least 95 %, whatever that is: from the
/// `k`th smallest to the `k`th largest value, `k` as large as the binomial distribution allows (the inversion of the
/// sign test). `None` with less than six values, which cannot give it, or where one is not a number.
pub fn median_interval_95(values: &[f64]) -> Option<(f64, f64)> {
    let sorted = sorted(values)?;
    let n = sorted.len();
    // The probability that at most `k` of `n` values lie below the median, for growing `k`.
    let (mut term, mut below, mut outside) = (0.5f64.powi(n as i32), 0.0, None);
    for k in 0..n / 2 {
        below += term;
        if 2.0 * below > 0.05 {
            break;
        }
        outside = Some(k);
        term *= (n - k) as f64 / (k + 1) as f64;
    }
    outside.map(|k| (sorted[k], sorted[n - 1 - k]))
}

fn sorted(values: &[f64]) -> Option<Vec<f64>> {
    if values.is_empty() || values.iter().any(|value| value.is_nan()) {
        return None;
    }
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    Some(sorted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 3.0, 2.0]), Some(2.5));
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[1.0, f64::NAN]), None);
    }

    #[test]
    fn percentiles_are_values_that_occurred() {
        let values: Vec<f64> = (1..=20).rev().map(f64::from).collect();
        let at = |percent| percentile(&values, percent);
        assert_eq!(at(50.0), Some(10.0));
        assert_eq!(at(95.0), Some(19.0));
        assert_eq!(at(0.0), Some(1.0));
        assert_eq!(at(100.0), Some(20.0));
        assert_eq!(at(101.0), None);
        assert_eq!(percentile(&[7.0], 95.0), Some(7.0));
    }

    /// Ranks of the tables of the sign test's interval (Conover, Practical Nonparametric Statistics, at 95 %).
    #[test]
    fn the_interval_has_the_ranks_of_the_sign_test() {
        for (n, rank) in [
            (6, 1),
            (8, 1),
            (9, 2),
            (11, 2),
            (12, 3),
            (15, 4),
            (20, 6),
            (25, 8),
        ] {
            let values: Vec<f64> = (1..=n).map(f64::from).collect();
            let found = median_interval_95(&values);
            assert_eq!(
                found,
                Some((f64::from(rank), f64::from(n + 1 - rank))),
                "{n}"
            );
        }
        assert_eq!(median_interval_95(&[1.0; 5]), None);
        assert_eq!(median_interval_95(&[]), None);
    }
}
