//! What a rule asked and what was found, in words.

use super::{Bound, Case, GateReport, Measure, Method, Overall, Test, Verdict, WhenInconclusive};
use crate::number::{count_of, counted, p_value, percent, score};
use evalh_record::Part;

/// Whether a metric's values are shares.
pub(super) fn is_share(metric: &str) -> bool {
    value(metric, 0.0).ends_with('%')
}

/// A value with its unit.
pub(super) fn value(metric: &str, value: f64) -> String {
    score(metric_name(metric), value, None)
}

/// A signed difference; of shares in percentage points.
pub(super) fn difference(metric: &str, difference: f64) -> String {
    let shown = value(metric, difference.abs());
    let shown = shown.trim_end_matches(" %");
    if shown.chars().all(|c| matches!(c, '0' | '.')) {
        shown.to_owned()
    } else if difference < 0.0 {
        format!("\u{2212}{shown}")
    } else {
        format!("+{shown}")
    }
}

/// ` points` behind a difference of shares.
pub(super) fn unit(metric: &str) -> &'static str {
    if is_share(metric) { " points" } else { "" }
}

/// A confidence, `95 %`.
pub(super) fn confidence(confidence: f64) -> String {
    let shown = percent(confidence);
    format!("{} %", shown.strip_suffix(".0").unwrap_or(&shown))
}

/// What a comparison asks: `at most 2.0 points below base (non-inferiority, 95 %)`.
pub(super) fn asked_of_difference(
    metric: &str,
    reference: &str,
    (margin, test): (f64, Test),
    lower_is_better: bool,
    sure: f64,
) -> String {
    let size = difference(metric, margin);
    let size = format!("{}{}", size.trim_start_matches('+'), unit(metric));
    let (worse, better) = if lower_is_better {
        ("above", "below")
    } else {
        ("below", "above")
    };
    let sure = confidence(sure);
    match test {
        Test::NonInferiority => {
            format!("less than {size} {worse} {reference} (non-inferiority, {sure})")
        }
        Test::Superiority if margin == 0.0 => {
            format!("{better} {reference} (superiority, {sure})")
        }
        Test::Superiority => {
            format!("more than {size} {better} {reference} (superiority, {sure})")
        }
        Test::Equivalence => {
            format!("within {size} of {reference} (equivalence, {sure})")
        }
        Test::None if margin == 0.0 => format!("not {worse} {reference} (no test)"),
        Test::None => format!("at most {size} {worse} {reference} (no test)"),
    }
}

/// What a bound asks: `at least 30.0 % (95 %)`.
pub(super) fn asked_of_value(metric: &str, bound: Bound, by_interval: bool, sure: f64) -> String {
    let sure = if by_interval {
        format!("({})", confidence(sure))
    } else {
        "(no test)".to_owned()
    };
    match bound {
        Bound::Min(min) => format!("at least {} {sure}", value(metric, min)),
        Bound::Max(max) => format!("at most {} {sure}", value(metric, max)),
    }
}

/// What was found of a difference: `−1.2 points, at least −3.4 (28.8 % to 30.0 %; 3 gained, 9 lost of 500)`.
pub(super) fn found_of_difference(
    metric: &str,
    (ours, theirs): (f64, f64),
    bounds: (Option<f64>, Option<f64>),
    (gained, lost, items): (usize, usize, usize),
    p: Option<f64>,
) -> String {
    let p = p.map_or_else(String::new, |p| {
        let p = p_value(p);
        if p.starts_with('<') {
            format!(", p {p}")
        } else {
            format!(", p = {p}")
        }
    });
    format!(
        "{}{}{}{p} ({} against {}; {} gained, {} lost of {})",
        difference(metric, ours - theirs),
        unit(metric),
        bounded(bounds, |end| difference(metric, end)),
        value(metric, ours),
        value(metric, theirs),
        count_of(gained as u64),
        count_of(lost as u64),
        count_of(items as u64)
    )
}

/// What was found of a value: `31.0 % [27.6, 34.6] of 500 items`.
pub(super) fn found_of_value(
    metric: &str,
    shown: f64,
    bounds: (Option<f64>, Option<f64>),
    items: usize,
) -> String {
    let end = |end: f64| value(metric, end).trim_end_matches(" %").to_owned();
    format!(
        "{}{} of {}",
        value(metric, shown),
        bounded(bounds, end),
        counted(items, "item")
    )
}

/// What was found of a measure: `3.0 % (5 of 164)`.
pub(super) fn found_of_measure(measure: Measure, value: f64, of: Option<(usize, usize)>) -> String {
    let counted = of.map_or_else(String::new, |(count, of)| {
        format!(" ({} of {})", count_of(count as u64), count_of(of as u64))
    });
    format!("{}{counted}", measure.show(value))
}

/// Why a case is undecided, and how many items would decide it.
pub(super) fn undecided(items_needed: Option<u64>, method: Method) -> String {
    match items_needed {
        Some(items) => format!(
            "too few items to tell; about {} would, if the score stays as seen",
            count_of(items)
        ),
        None if method == Method::None => String::new(),
        None => "too few items to tell, and how many would cannot be said: the score lies on the threshold, or the items \
                 show no spread"
            .to_owned(),
    }
}

/// A verdict as a word.
pub(super) fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "pass",
        Verdict::Fail => "fail",
        Verdict::Inconclusive => "inconclusive",
    }
}

/// The suite of a case, with the part where that is not the whole.
pub(super) fn suite(case: &Case) -> String {
    match (&case.suite, &case.part) {
        (Some(suite), Some((Part::Group | Part::Task, part))) => format!("{suite} {part}"),
        (Some(suite), _) => suite.clone(),
        (None, _) => "\u{2013}".to_owned(),
    }
}

/// The verdict in one line: `failed: 1 of 4 checks failed, 1 inconclusive`.
pub(super) fn headline(report: &GateReport) -> String {
    let counts = report.counts;
    let all = counted(report.cases.len(), "check");
    let mut parts = Vec::new();
    if counts.failed > 0 {
        parts.push(format!("{} failed", counts.failed));
    }
    if counts.inconclusive > 0 {
        let counts_as = match report.when_inconclusive {
            WhenInconclusive::Report => "",
            WhenInconclusive::Pass => " (the policy lets that pass)",
            WhenInconclusive::Fail => " (which the policy counts as failed)",
        };
        parts.push(format!("{} inconclusive{counts_as}", counts.inconclusive));
    }
    parts.push(format!("{} passed", counts.passed));
    let verdict = match report.verdict {
        Overall::Passed => "passed",
        Overall::Failed => "failed",
        Overall::Inconclusive => "inconclusive",
    };
    format!("{verdict}: {all}, {}", parts.join(", "))
}

fn bounded((low, high): (Option<f64>, Option<f64>), show: impl Fn(f64) -> String) -> String {
    match (low, high) {
        (Some(low), Some(high)) => format!(" [{}, {}]", show(low), show(high)),
        _ => String::new(),
    }
}

/// The metric's name without the way in which answers were read.
fn metric_name(metric: &str) -> &str {
    metric.split(',').next().unwrap_or(metric)
}
