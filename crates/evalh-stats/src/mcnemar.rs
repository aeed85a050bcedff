//! The exact test of two paired rates (`McNemar` 1947).

/// Two-sided p-value for `gained` items that only the one variant gets right and `lost` that only the other does:
/// the exact binomial test of `gained` out of `gained + lost` at one half. 1 where neither gained nor lost anything.
///
/// The tail `2 sum_{i <= min} C(n, i) / 2^n` is summed downwards from its largest term, whose logarithm is a sum of
/// logarithms, so that nothing overflows for any number of items.
pub fn mcnemar_exact(gained: u64, lost: u64) -> f64 {
    let (few, n) = (gained.min(lost), gained.saturating_add(lost));
    if gained == lost {
        return 1.0;
    }
    let log_choose: f64 = (1..=few)
        .map(|i| ((n - few + i) as f64 / i as f64).ln())
        .sum();
    let largest = (log_choose - n as f64 * std::f64::consts::LN_2).exp();
    let mut term = 1.0;
    let mut sum = 1.0;
    for i in (1..=few).rev() {
        term *= i as f64 / (n - i + 1) as f64;
        sum += term;
        // The ratio of neighbours falls, so what is left is smaller than the next term over one minus its ratio.
        if term < f64::EPSILON * 1e-3 {
            break;
        }
    }
    (2.0 * largest * sum).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::mcnemar_exact;

    #[test]
    fn no_difference_is_no_evidence() {
        assert!((mcnemar_exact(0, 0) - 1.0).abs() < f64::EPSILON);
        assert!((mcnemar_exact(7, 7) - 1.0).abs() < f64::EPSILON);
    }

    #[test]
    fn small_tables_are_exact() {
        assert!((mcnemar_exact(1, 0) - 1.0).abs() < 1e-15);
        assert!((mcnemar_exact(5, 0) - 0.0625).abs() < 1e-15);
        assert!((mcnemar_exact(8, 1) - 20.0 / 512.0).abs() < 1e-15);
    }
}
