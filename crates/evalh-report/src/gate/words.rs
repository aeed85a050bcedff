//! What a rule asked and what was found, in words: at length, and in brief for tables.

use super::{Case, Figures, GateReport, Method, Overall, Test, Verdict, WhenInconclusive};
use crate::number::{self, count_of, counted, p_value, percent, score};
use evalh_record::Part;

const NONE: &str = "\u{2013}";

/// Whether a metric's values are shares.
pub(super) fn is_share(metric: &str) -> bool {
    number::is_share(name(metric))
}

/// What was asked, at length: `less than 2.0 points below base smollm (non-inferiority, 95 %)`.
pub(super) fn asked(figures: &Figures) -> String {
    match figures {
        Figures::Comparison {
            metric,
            reference,
            margin,
            test,
            lower_is_better,
            confidence,
            ..
        } => {
            let size = format!("{}{}", threshold(metric, *margin), points(metric));
            let sure = self::confidence(*confidence);
            let (worse, better) = if *lower_is_better {
                ("above", "below")
            } else {
                ("below", "above")
            };
            match (test, *margin > 0.0) {
                (Test::NonInferiority, _) => {
                    format!("less than {size} {worse} {reference} (non-inferiority, {sure})")
                }
                (Test::Superiority, false) => {
                    format!("{better} {reference} (superiority, {sure})")
                }
                (Test::Superiority, true) => {
                    format!("more than {size} {better} {reference} (superiority, {sure})")
                }
                (Test::Equivalence, _) => {
                    format!("within {size} of {reference} (equivalence, {sure})")
                }
                (Test::None, false) => format!("not {worse} {reference} (no test)"),
                (Test::None, true) => format!("at most {size} {worse} {reference} (no test)"),
            }
        }
        Figures::Bound {
            metric,
            min,
            method,
            confidence,
            ..
        } => {
            let how = match method {
                Method::None => "no test".to_owned(),
                _ => self::confidence(*confidence),
            };
            let side = if min.is_some() { "at least" } else { "at most" };
            let unit = if is_share(metric) { " %" } else { "" };
            format!("{side} {}{unit} ({how})", threshold(metric, bound(figures)))
        }
        Figures::Limit { measure, limit, .. } => {
            let side = if measure.is_minimum() {
                "at least"
            } else {
                "at most"
            };
            format!("{}: {side} {}", measure.name(), measure.show(*limit))
        }
    }
}

/// What was found, at length: `−1.2 points [−3.4, +1.0], p = 0.210 (28.8 % against 30.0 %; 3 gained, 9 lost of 500)`.
pub(super) fn found(figures: &Figures) -> String {
    let brief = brief_found(figures);
    match figures {
        Figures::Comparison {
            metric,
            value,
            reference_value,
            items,
            gained,
            lost,
            p,
            ..
        } => {
            let p = p.map_or_else(String::new, |p| match p_value(p) {
                p if p.starts_with('<') => format!(", p {p}"),
                p => format!(", p = {p}"),
            });
            let counts = match (gained, lost) {
                (Some(gained), Some(lost)) => format!(
                    "{} gained, {} lost of {}",
                    count_of(*gained as u64),
                    count_of(*lost as u64),
                    count_of(*items as u64)
                ),
                _ => counted(*items, "item"),
            };
            let (ours, theirs) = (shown(metric, *value), shown(metric, *reference_value));
            format!("{brief}{p} ({ours} against {theirs}; {counts})")
        }
        Figures::Bound { items, .. } => format!("{brief} of {}", counted(*items, "item")),
        Figures::Limit { .. } => brief,
    }
}

/// What was found, for a table: `−1.2 points [−3.4, +1.0]`.
pub(super) fn brief_found(figures: &Figures) -> String {
    match figures {
        Figures::Comparison {
            metric,
            difference,
            low,
            high,
            ..
        } => {
            let show = |value: f64| number::difference(name(metric), value);
            let bounds = bounds((*low, *high), show);
            format!("{}{}{bounds}", show(*difference), points(metric))
        }
        Figures::Bound {
            metric,
            value,
            low,
            high,
            ..
        } => {
            let show = |value: f64| shown(metric, value).trim_end_matches(" %").to_owned();
            format!("{}{}", shown(metric, *value), bounds((*low, *high), show))
        }
        Figures::Limit {
            measure,
            value,
            counted,
            ..
        } => {
            let counted = counted.map_or_else(String::new, |(count, of)| {
                format!(" ({} of {})", count_of(count as u64), count_of(of as u64))
            });
            format!("{}{counted}", measure.show(*value))
        }
    }
}

/// What was asked, for a table: `> −2.0 points`.
pub(super) fn brief_asked(figures: &Figures) -> String {
    match figures {
        Figures::Comparison {
            metric,
            margin,
            test,
            lower_is_better,
            ..
        } => {
            let (more, worse, better) = if *lower_is_better {
                ("<", "+", "\u{2212}")
            } else {
                (">", "\u{2212}", "+")
            };
            let sign = |sign: &'static str| if *margin > 0.0 { sign } else { "" };
            let (size, points) = (threshold(metric, *margin), points(metric));
            match test {
                Test::NonInferiority => format!("{more} {}{size}{points}", sign(worse)),
                Test::Superiority => format!("{more} {}{size}{points}", sign(better)),
                Test::Equivalence => format!("within ±{size}{points}"),
                Test::None => {
                    let or_equal = if *lower_is_better { "≤" } else { "≥" };
                    format!("{or_equal} {}{size}{points}", sign(worse))
                }
            }
        }
        Figures::Bound { metric, min, .. } => {
            let side = if min.is_some() { "≥" } else { "≤" };
            let unit = if is_share(metric) { " %" } else { "" };
            format!("{side} {}{unit}", threshold(metric, bound(figures)))
        }
        Figures::Limit { measure, limit, .. } => {
            let side = if measure.is_minimum() { "≥" } else { "≤" };
            format!("{side} {}", measure.show(*limit))
        }
    }
}

/// What is judged: a metric, or what is measured.
pub(super) fn subject(figures: &Figures) -> &str {
    match figures {
        Figures::Comparison { metric, .. } | Figures::Bound { metric, .. } => metric,
        Figures::Limit { measure, .. } => measure.name(),
    }
}

/// What it is held against.
pub(super) fn reference(figures: &Figures) -> &str {
    match figures {
        Figures::Comparison { reference, .. } => reference,
        Figures::Bound { .. } | Figures::Limit { .. } => NONE,
    }
}

/// Why a case is undecided, and how many items would decide it.
pub(super) fn undecided(items_needed: Option<u64>) -> String {
    match items_needed {
        Some(items) => format!(
            "too few items to tell; about {} would, if the score stays as seen",
            count_of(items)
        ),
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
        (None, _) => NONE.to_owned(),
    }
}

/// The variant of a case.
pub(super) fn variant(case: &Case) -> &str {
    case.variant.as_deref().unwrap_or(NONE)
}

/// A case by its rule's name and its variant.
pub(super) fn called(case: &Case) -> String {
    match &case.variant {
        Some(variant) => format!("{} ({variant})", case.name),
        None => case.name.clone(),
    }
}

/// The verdict in one line: `failed: 4 checks, 1 failed, 1 inconclusive, 2 passed`.
pub(super) fn headline(report: &GateReport) -> String {
    let counts = report.counts;
    let mut parts = vec![counted(report.cases.len(), "check")];
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
    format!("{verdict}: {}", parts.join(", "))
}

/// A value with its unit.
fn shown(metric: &str, value: f64) -> String {
    score(name(metric), value, None)
}

/// A number of the policy, with all the decimals that it has: of a share in percent.
fn threshold(metric: &str, value: f64) -> String {
    if !is_share(metric) {
        return value.to_string();
    }
    let long = format!("{:.6}", value * 100.0);
    let short = long.trim_end_matches('0');
    match short.strip_suffix('.') {
        Some(whole) => format!("{whole}.0"),
        None => short.to_owned(),
    }
}

fn bound(figures: &Figures) -> f64 {
    match figures {
        Figures::Bound { min, max, .. } => min.or(*max).unwrap_or_default(),
        Figures::Comparison { margin, .. } => *margin,
        Figures::Limit { limit, .. } => *limit,
    }
}

/// ` points` behind a difference of shares.
fn points(metric: &str) -> &'static str {
    if is_share(metric) { " points" } else { "" }
}

/// A confidence, `95 %`.
fn confidence(confidence: f64) -> String {
    let shown = percent(confidence);
    format!("{} %", shown.strip_suffix(".0").unwrap_or(&shown))
}

fn bounds((low, high): (Option<f64>, Option<f64>), show: impl Fn(f64) -> String) -> String {
    match (low, high) {
        (Some(low), Some(high)) => format!(" [{}, {}]", show(low), show(high)),
        _ => String::new(),
    }
}

/// The metric's name without the way in which answers were read.
fn name(metric: &str) -> &str {
    metric.split(',').next().unwrap_or(metric)
}
