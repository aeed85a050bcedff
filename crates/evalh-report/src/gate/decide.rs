//! From bounds to a verdict.

use super::{Bound, Test, evidence::Evidence};
use serde::Serialize;

/// What came of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// What was asked is shown.
    Pass,
    /// The contrary is shown.
    Fail,
    /// Neither is shown: the items are too few.
    Inconclusive,
}

/// A verdict, and what lies behind it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Decision {
    pub verdict: Verdict,
    pub p: Option<f64>,
    pub items_needed: Option<u64>,
}

/// The verdict on a difference that is turned so that more is better.
pub(super) fn of_difference(evidence: &Evidence, margin: f64, test: Test) -> Decision {
    let above = |threshold: f64| against(evidence, threshold);
    let (verdict, nearest, p) = match test {
        Test::None => (
            if evidence.value >= -margin {
                Verdict::Pass
            } else {
                Verdict::Fail
            },
            -margin,
            None,
        ),
        Test::NonInferiority => (
            above(-margin),
            -margin,
            evidence.p_of_non_inferiority(margin),
        ),
        Test::Superiority => (above(margin), margin, None),
        Test::Equivalence => {
            let verdict = match (above(-margin), above(margin)) {
                (Verdict::Pass, Verdict::Fail) => Verdict::Pass,
                (Verdict::Fail, _) | (_, Verdict::Pass) => Verdict::Fail,
                _ => Verdict::Inconclusive,
            };
            let nearest = if evidence.value < 0.0 {
                -margin
            } else {
                margin
            };
            (verdict, nearest, evidence.p_of_equivalence(margin))
        }
    };
    decided(evidence, verdict, nearest, p)
}

/// The verdict on a value.
pub(super) fn of_value(evidence: &Evidence, bound: Bound, by_interval: bool) -> Decision {
    let (threshold, is_met) = match bound {
        Bound::Min(min) => (min, evidence.value >= min),
        Bound::Max(max) => (max, evidence.value <= max),
    };
    let verdict = match (by_interval, bound) {
        (false, _) if is_met => Verdict::Pass,
        (false, _) => Verdict::Fail,
        (true, Bound::Min(_)) => against(evidence, threshold),
        (true, Bound::Max(_)) => match against(evidence, threshold) {
            Verdict::Pass => Verdict::Fail,
            Verdict::Fail => Verdict::Pass,
            Verdict::Inconclusive => Verdict::Inconclusive,
        },
    };
    decided(evidence, verdict, threshold, None)
}

/// Whether the value is shown to lie above a threshold (pass) or below it (fail).
fn against(evidence: &Evidence, threshold: f64) -> Verdict {
    if evidence.low.is_some_and(|low| low > threshold) {
        Verdict::Pass
    } else if evidence.high.is_some_and(|high| high < threshold) {
        Verdict::Fail
    } else {
        Verdict::Inconclusive
    }
}

fn decided(evidence: &Evidence, verdict: Verdict, threshold: f64, p: Option<f64>) -> Decision {
    let undecided = verdict == Verdict::Inconclusive;
    Decision {
        verdict,
        p,
        items_needed: undecided
            .then(|| evidence.items_needed(threshold))
            .flatten(),
    }
}
