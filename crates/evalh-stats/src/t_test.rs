//! Student's paired t-test and its effect size.

use crate::{
    Interval,
    distribution::t_tail,
    interval::around,
    spread::{is_share, spread_mean},
};

/// The two-sided test that the mean difference is 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TTest {
    /// The mean over its standard error.
    pub t: f64,
    /// Degrees of freedom: one less than the differences.
    pub df: f64,
    /// Two-sided p-value.
    pub p: f64,
    /// The mean difference.
    pub mean: f64,
    /// The standard error of the mean difference.
    pub stderr: f64,
}

impl TTest {
    /// The interval of the mean difference, which leaves 0 out exactly where `p < 1 - confidence`. Both ends are not a
    /// number where `confidence` is not between 0 and 1.
    pub fn interval(&self, confidence: f64) -> Interval {
        if is_share(confidence) {
            around(self.mean, self.stderr, self.df as usize + 1, confidence)
        } else {
            Interval {
                low: f64::NAN,
                high: f64::NAN,
            }
        }
    }
}

/// The paired t-test (`SciPy`'s `ttest_rel`) of one difference a pair, such as one a seed, a model or an item.
///
/// `None` with less than two differences, where one is not finite, and where all are the same: no spread was seen then,
/// so there is nothing to hold the mean against (`SciPy` divides by 0 and gives an infinite t or not a number).
pub fn t_test(differences: &[f64]) -> Option<TTest> {
    let (mean, stderr) = spread_mean(differences)?;
    let t = mean.value / stderr;
    let df = (mean.n - 1) as f64;
    Some(TTest {
        t,
        df,
        p: 2.0 * t_tail(t.abs(), df),
        mean: mean.value,
        stderr,
    })
}

/// Cohen's d of paired differences (`d_z`, Cohen 1988): their mean over their sample standard deviation, so that
/// `t = d * sqrt(n)`. `None` where [`t_test`] has no result.
pub fn cohens_d(differences: &[f64]) -> Option<f64> {
    let (mean, stderr) = spread_mean(differences)?;
    Some(mean.value / (stderr * (mean.n as f64).sqrt()))
}

/// How often a difference is above 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wins {
    /// Differences above 0.
    pub wins: u64,
    /// Differences of exactly 0.
    pub ties: u64,
    /// Differences below 0.
    pub losses: u64,
}

impl Wins {
    /// The share of wins, with half of the ties.
    pub fn rate(&self) -> f64 {
        let all = (self.wins + self.ties + self.losses) as f64;
        (self.wins as f64 + self.ties as f64 / 2.0) / all
    }
}

/// Counts wins, ties and losses. `None` without differences, or where one is not a number.
pub fn win_rate(differences: &[f64]) -> Option<Wins> {
    if differences.is_empty() || differences.iter().any(|x| x.is_nan()) {
        return None;
    }
    let count = |is: fn(f64) -> bool| differences.iter().filter(|&&x| is(x)).count() as u64;
    Some(Wins {
        wins: count(|x| x > 0.0),
        ties: count(|x| x == 0.0),
        losses: count(|x| x < 0.0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_spread_is_no_certainty() {
        assert_eq!(t_test(&[0.1; 5]), None);
        assert_eq!(t_test(&[0.0; 5]), None);
        assert_eq!(cohens_d(&[0.1; 5]), None);
        assert_eq!(t_test(&[0.3]), None);
        assert_eq!(t_test(&[]), None);
        assert_eq!(t_test(&[1.0, f64::INFINITY]), None);
    }

    #[test]
    fn the_interval_ends_at_zero_where_p_is_its_level() {
        let test = t_test(&[0.3, 0.1, -0.2, 0.4, 0.25]).unwrap();
        assert!(test.interval(1.0 - test.p).low.abs() < 1e-12);
        assert!(test.interval(1.5).low.is_nan());
    }

    #[test]
    fn wins_are_counted() {
        let found = win_rate(&[0.5, 0.0, -0.1, 0.2]).unwrap();
        assert_eq!((found.wins, found.ties, found.losses), (2, 1, 1));
        assert!((found.rate() - 0.625).abs() < f64::EPSILON);
        assert_eq!(win_rate(&[]), None);
        assert_eq!(win_rate(&[f64::NAN]), None);
    }
}
