//! Values of metrics in the page's tables.

use crate::{
    compare::{ComparedMetric, Contrast, Finding, Range, Test},
    number::{self, score},
    verdict,
};
use maud::{Markup, html};

/// What stands where there is no value.
pub(super) const NONE: &str = "\u{2013}";

/// A metric's name without the way in which answers were read, which the number formats go by.
fn name(metric: &str) -> &str {
    metric.split(',').next().unwrap_or(metric)
}

/// A value, `14.6 %`.
pub(super) fn value(metric: &str, value: f64) -> String {
    score(name(metric), value, None)
}

/// An interval of values, `[9.9, 21.0]`.
pub(super) fn interval(metric: &str, range: Option<Range>) -> String {
    optional(range, |range| number::range(name(metric), range, false))
}

/// A signed difference; of shares in percentage points.
pub(super) fn difference(metric: &str, difference: f64) -> String {
    number::difference(name(metric), difference)
}

/// An interval of differences, `[−1.2, +4.0]`.
pub(super) fn differences(metric: &str, range: Option<Range>) -> String {
    optional(range, |range| number::range(name(metric), range, true))
}

/// A number with so many decimals and a true minus sign.
pub(super) fn plain(value: f64, decimals: usize) -> String {
    format!("{value:.decimals$}").replace('-', "\u{2212}")
}

/// A number, or a dash.
pub(super) fn optional<T>(value: Option<T>, show: impl Fn(T) -> String) -> String {
    value.map_or_else(|| NONE.to_owned(), show)
}

/// The unit of differences, after a number: ` points` for shares.
pub(super) fn unit(metric: &ComparedMetric) -> &'static str {
    if metric.is_share { " points" } else { "" }
}

/// A finding as a badge: a sign and a word, never colour alone.
pub(super) fn badge(finding: Finding) -> Markup {
    let (class, sign) = match finding {
        Finding::Better => ("good", "\u{25b2}"),
        Finding::Worse => ("bad", "\u{25bc}"),
        Finding::Inconclusive => ("open", "\u{2248}"),
        Finding::Identical => ("open", "="),
        Finding::Untested => ("open", "\u{2013}"),
    };
    let word = verdict::word(finding);
    html! { span.badge.(class) { span aria-hidden="true" { (sign) } " " (word) } }
}

/// The p-value that a contrast is judged by, and of which test.
pub(super) fn p_of(contrast: &Contrast) -> Option<f64> {
    contrast.p_holm.or(contrast.p)
}

/// The test's name.
pub(super) fn test_name(test: Test) -> &'static str {
    match test {
        Test::Mcnemar => "exact McNemar test",
        Test::StudentT => "Student's t of the paired differences",
        Test::Bootstrap => "paired bootstrap",
    }
}
