//! Numbers over seeds.

use crate::compare::Range;
use evalh_stats::{mean, t_interval, t_test};
use serde::Serialize;

/// With fewer seeds nothing is claimed: the interval of two has one degree of freedom.
pub const FEWEST_SEEDS: usize = 3;

/// A number over seeds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Over {
    /// Seeds.
    pub seeds: usize,
    /// The mean.
    pub mean: f64,
    /// The sample standard deviation; `None` for one seed.
    pub sd: Option<f64>,
    /// The interval of the mean by Student's t; `None` for one seed, and where all are alike.
    pub interval: Option<Range>,
}

impl Over {
    /// The values of some seeds; `None` without any.
    pub(super) fn of(values: &[f64], confidence: f64) -> Option<Over> {
        let estimate = mean(values)?;
        let root = (values.len() as f64).sqrt();
        Some(Over {
            seeds: values.len(),
            mean: estimate.value,
            sd: estimate.stderr.map(|stderr| stderr * root),
            interval: t_interval(estimate, confidence).map(|interval| Range {
                low: interval.low,
                high: interval.high,
            }),
        })
    }
}

/// What two arms differ by, paired by seed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Paired {
    /// Each seed and its value: a ratio, or a difference.
    pub each: Vec<(u64, f64)>,
    /// Whether the values are ratios, of which 1 is no difference; of differences 0 is.
    pub is_ratio: bool,
    /// The mean; of ratios the geometric one.
    pub value: f64,
    /// Its interval by Student's t; of ratios through their logarithms. `None` for one seed, and where all are alike.
    pub interval: Option<Range>,
    /// Student's t.
    pub t: Option<f64>,
    /// P-value of the paired t-test that there is no difference.
    pub p: Option<f64>,
    /// The same corrected (Holm) for all differences of its kind in the experiment.
    pub p_holm: Option<f64>,
    /// What follows.
    pub claim: Claim,
}

/// What follows from a paired difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Claim {
    /// The arm's value is higher, beyond chance after correction.
    Higher,
    /// It is lower, beyond chance after correction.
    Lower,
    /// The difference may be chance.
    Inconclusive,
    /// There are fewer than [`FEWEST_SEEDS`] seeds.
    TooFewSeeds,
    /// There is no test of it: all seeds differ by the same.
    Untested,
}

impl Paired {
    /// The ratios of some seeds, all above 0; `None` without any.
    pub(super) fn ratios(each: Vec<(u64, f64)>, confidence: f64) -> Option<Paired> {
        let each: Vec<(u64, f64)> = each
            .into_iter()
            .filter(|(_, ratio)| ratio.is_finite() && *ratio > 0.0)
            .collect();
        let logs: Vec<f64> = each.iter().map(|(_, ratio)| ratio.ln()).collect();
        Paired::over(each, &logs, true, confidence)
    }

    /// The differences of some seeds; `None` without any.
    pub(super) fn differences(each: Vec<(u64, f64)>, confidence: f64) -> Option<Paired> {
        let each: Vec<(u64, f64)> = each
            .into_iter()
            .filter(|(_, difference)| difference.is_finite())
            .collect();
        let values: Vec<f64> = each.iter().map(|(_, value)| *value).collect();
        Paired::over(each, &values, false, confidence)
    }

    fn over(
        each: Vec<(u64, f64)>,
        values: &[f64],
        is_ratio: bool,
        confidence: f64,
    ) -> Option<Paired> {
        let estimate = mean(values)?;
        let back = |value: f64| if is_ratio { value.exp() } else { value };
        let test = t_test(values).filter(|test| test.p.is_finite() && test.stderr > 0.0);
        Some(Paired {
            is_ratio,
            value: back(estimate.value),
            interval: test.map(|test| {
                let interval = test.interval(confidence);
                Range {
                    low: back(interval.low),
                    high: back(interval.high),
                }
            }),
            t: test.map(|test| test.t),
            p: test.map(|test| test.p),
            p_holm: None,
            claim: if each.len() < FEWEST_SEEDS {
                Claim::TooFewSeeds
            } else {
                Claim::Untested
            },
            each,
        })
    }

    /// Whether the value is above that of no difference.
    pub fn is_higher(&self) -> bool {
        self.value > if self.is_ratio { 1.0 } else { 0.0 }
    }
}

/// Corrects the p-values of differences of one kind, and says what follows from each. Those of too few seeds could not be
/// claimed and are not of the family.
pub(super) fn judge<'p>(family: impl Iterator<Item = &'p mut Paired>, confidence: f64) {
    let can_be_claimed = |of: &&mut Paired| of.p.is_some() && of.claim != Claim::TooFewSeeds;
    let mut tested: Vec<&mut Paired> = family.filter(can_be_claimed).collect();
    let p: Vec<f64> = tested.iter().filter_map(|of| of.p).collect();
    for (of, corrected) in tested.iter_mut().zip(evalh_stats::holm(&p)) {
        of.p_holm = Some(corrected);
        of.claim = if corrected >= 1.0 - confidence {
            Claim::Inconclusive
        } else if of.is_higher() {
            Claim::Higher
        } else {
            Claim::Lower
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn judged(mut all: Vec<Paired>) -> Vec<Paired> {
        judge(all.iter_mut(), 0.95);
        all
    }

    /// Ratios 1.2, 1.25 and 1.3 by `scipy.stats.ttest_1samp(numpy.log(r), 0)` and its `confidence_interval`.
    #[test]
    fn a_ratio_is_tested_through_its_logarithm() {
        let of = Paired::ratios(vec![(1, 1.2), (2, 1.25), (3, 1.3)], 0.95).unwrap();
        assert!((of.value - 1.249_333_0).abs() < 1e-6, "{}", of.value);
        let interval = of.interval.unwrap();
        assert!(
            (interval.low - 1.131_093_2).abs() < 1e-6,
            "{}",
            interval.low
        );
        assert!(
            (interval.high - 1.379_933_0).abs() < 1e-6,
            "{}",
            interval.high
        );
        assert!(
            (of.p.unwrap() - 0.010_604_3).abs() < 1e-6,
            "{}",
            of.p.unwrap()
        );
        let [of] = judged(vec![of]).try_into().unwrap();
        assert_eq!((of.claim, of.p_holm), (Claim::Higher, of.p));
    }

    #[test]
    fn few_seeds_and_equal_ones_claim_nothing() {
        let two = Paired::ratios(vec![(1, 1.2), (2, 1.201)], 0.95).unwrap();
        let one = Paired::differences(vec![(1, 4.0)], 0.95).unwrap();
        let alike = Paired::differences(vec![(1, 4.0), (2, 4.0), (3, 4.0)], 0.95).unwrap();
        assert!(two.interval.is_some() && one.interval.is_none() && alike.interval.is_none());
        let claims: Vec<Claim> = judged(vec![two, one, alike])
            .iter()
            .map(|of| of.claim)
            .collect();
        assert_eq!(
            claims,
            [Claim::TooFewSeeds, Claim::TooFewSeeds, Claim::Untested]
        );
        assert!(Paired::ratios(vec![(1, 0.0), (2, f64::NAN)], 0.95).is_none());
    }

    #[test]
    fn many_looks_need_more() {
        let of = || Paired::differences(vec![(1, 1.0), (2, 1.3), (3, 0.8)], 0.95).unwrap();
        let alone = judged(vec![of()]);
        assert_eq!(alone[0].claim, Claim::Higher);
        let among = judged((0..8).map(|_| of()).collect());
        assert!(among.iter().all(|of| of.claim == Claim::Inconclusive));
    }

    proptest! {
        #[test]
        fn intervals_hold_the_value(ratios in proptest::collection::vec(0.1f64..10.0, 2..8)) {
            let each = (1..).zip(ratios).collect();
            let of = Paired::ratios(each, 0.95).unwrap();
            if let Some(interval) = of.interval {
                prop_assert!(interval.low > 0.0 && interval.low <= of.value && of.value <= interval.high);
                let leaves_one_out = interval.low > 1.0 || interval.high < 1.0;
                let p = of.p.unwrap();
                prop_assert!((p - 0.05).abs() < 1e-9 || leaves_one_out == (p < 0.05));
            }
        }
    }
}
