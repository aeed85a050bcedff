//! Tests of a mean difference against a margin, by Student's t.

use crate::{
    Estimate, Interval,
    distribution::{t_tail, t_upper},
    interval::around,
    spread::{is_share, spread_stderr},
};

/// A one-sided test against a margin.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MarginTest {
    /// One-sided p-value; not inferior at `confidence` where it is below `1 - confidence`.
    pub p: f64,
    /// The one-sided lower confidence bound of the difference; above `-margin` exactly where the test rejects.
    pub bound: f64,
}

/// Whether a difference (higher is better) loses less than `margin`, the positive amount that may be lost: the test of
/// `difference <= -margin` by t of `n - 1` degrees of freedom.
///
/// `None` without a standard error, where it is 0 (all items alike; for right and wrong answers
/// [`tango_non_inferiority`](crate::tango_non_inferiority) has a result even then), and where `margin` is not positive or
/// `confidence` not between 0 and 1.
pub fn non_inferiority(difference: Estimate, margin: f64, confidence: f64) -> Option<MarginTest> {
    let (stderr, df) = usable(difference, margin, confidence)?;
    Some(MarginTest {
        p: t_tail((difference.value + margin) / stderr, df),
        bound: difference.value - t_upper(1.0 - confidence, df) * stderr,
    })
}

/// Two one-sided tests against a margin on both sides.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Equivalence {
    /// The larger of the one-sided p-values; equivalent at `confidence` where it is below `1 - confidence`.
    pub p: f64,
    /// The interval of confidence `2 * confidence - 1` (90 % for 0.95); inside the margins exactly where both tests reject.
    pub interval: Interval,
}

/// Whether a difference is less than `margin` in either direction: two one-sided tests (Schuirmann 1987; `ttost_paired` of
/// `statsmodels`) by t of `n - 1` degrees of freedom.
///
/// `None` as for [`non_inferiority`], and where `confidence` is not above one half, for then there is no interval.
pub fn equivalence(difference: Estimate, margin: f64, confidence: f64) -> Option<Equivalence> {
    let (stderr, df) = usable(difference, margin, confidence)?;
    if confidence <= 0.5 {
        return None;
    }
    let above = t_tail((difference.value + margin) / stderr, df);
    let below = t_tail((margin - difference.value) / stderr, df);
    Some(Equivalence {
        p: above.max(below),
        interval: around(
            difference.value,
            stderr,
            difference.n,
            2.0 * confidence - 1.0,
        ),
    })
}

/// The standard error and degrees of freedom, where they and what is asked make sense.
fn usable(difference: Estimate, margin: f64, confidence: f64) -> Option<(f64, f64)> {
    let stderr = spread_stderr(difference)?;
    let asked = margin > 0.0 && margin.is_finite() && is_share(confidence);
    asked.then(|| (stderr, (difference.n - 1) as f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(value: f64, stderr: f64) -> Estimate {
        Estimate {
            value,
            stderr: Some(stderr),
            n: 30,
        }
    }

    #[test]
    fn the_bound_meets_the_margin_where_p_is_the_level() {
        let test = non_inferiority(of(-0.01, 0.02), 0.05, 0.95).unwrap();
        let again = non_inferiority(of(-0.01, 0.02), 0.05, 1.0 - test.p).unwrap();
        assert!((again.bound + 0.05).abs() < 1e-12);
        let test = equivalence(of(-0.01, 0.02), 0.05, 0.95).unwrap();
        let again = equivalence(of(-0.01, 0.02), 0.05, 1.0 - test.p).unwrap();
        assert!((again.interval.low + 0.05).abs() < 1e-12);
    }

    #[test]
    fn no_spread_is_no_certainty() {
        assert_eq!(non_inferiority(of(0.1, 0.0), 0.05, 0.95), None);
        assert_eq!(equivalence(of(0.0, 0.0), 0.05, 0.95), None);
        for margin in [0.0, -0.1, f64::NAN, f64::INFINITY] {
            assert_eq!(non_inferiority(of(0.0, 0.1), margin, 0.95), None);
            assert_eq!(equivalence(of(0.0, 0.1), margin, 0.95), None);
        }
        assert_eq!(equivalence(of(0.0, 0.1), 0.1, 0.4), None);
    }
}
