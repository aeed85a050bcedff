//! Intervals of a mean by Student's t.

use crate::{
    Estimate, Interval,
    distribution::t_upper,
    spread::{is_share, spread_stderr},
};

/// The interval `mean +- t * stderr` with Student's t of `n - 1` degrees of freedom, which covers the mean of what the
/// items were drawn from with `confidence` (0.95 for 95 %) where the mean is about normal.
///
/// `None` without a standard error, where it is 0 (all items alike, which is no certainty), where something is not
/// finite, and where `confidence` is not between 0 and 1.
pub fn t_interval(estimate: Estimate, confidence: f64) -> Option<Interval> {
    let stderr = spread_stderr(estimate)?;
    is_share(confidence).then(|| around(estimate.value, stderr, estimate.n, confidence))
}

/// The two-sided interval by t of `n - 1` degrees of freedom.
pub(crate) fn around(value: f64, stderr: f64, n: usize, confidence: f64) -> Interval {
    let half = t_upper((1.0 - confidence) / 2.0, n as f64 - 1.0) * stderr;
    Interval {
        low: value - half,
        high: value + half,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_error_and_no_confidence_have_no_interval() {
        let of = |stderr, confidence| {
            let estimate = Estimate {
                value: 0.5,
                stderr,
                n: 10,
            };
            t_interval(estimate, confidence)
        };
        assert!(of(Some(0.1), 0.95).is_some());
        assert_eq!(of(None, 0.95), None);
        assert_eq!(of(Some(0.0), 0.95), None);
        assert_eq!(of(Some(f64::NAN), 0.95), None);
        for confidence in [0.0, 1.0, -0.5, 95.0, f64::NAN] {
            assert_eq!(of(Some(0.1), confidence), None);
        }
    }
}
