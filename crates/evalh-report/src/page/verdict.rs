//! The verdict: what follows from the headline metric of each suite, in sentences.

use super::{foreign::shown, links, values};
use crate::{
    compare::{Against, ComparedMetric, ComparedSuite, Comparison, Contrast, Finding},
    number::{counted, p_value},
    verdict::{power, verdicts},
};
use maud::{Markup, html};

/// The section that comes first.
pub(super) fn section(comparison: &Comparison) -> Markup {
    html! {
        section #verdict aria-labelledby="verdict-title" {
            h2 #verdict-title { "Verdict" }
            (overall(comparison))
            @if !comparison.warnings.is_empty() {
                p { a href="#warnings" {
                    (counted(comparison.warnings.len(), "warning")) " to read before believing a score"
                } }
            }
            ul.verdicts {
                @for (suite, metric) in comparison.headlines() {
                    li.card { (of_suite(comparison, suite, metric)) }
                }
            }
        }
    }
}

/// What follows for each variant, in a sentence.
fn overall(comparison: &Comparison) -> Markup {
    let verdicts = verdicts(comparison);
    html! {
        @if verdicts.is_empty() {
            p.lead { "One variant alone: there is nothing to compare it with." }
        }
        @for verdict in &verdicts {
            p.lead {
                strong { (shown(&comparison.variants[verdict.variant].name)) } ": "
                (verdict.sentence(&shown)) "."
            }
        }
    }
}

fn of_suite(comparison: &Comparison, suite: &ComparedSuite, metric: &ComparedMetric) -> Markup {
    html! {
        h3 {
            a href=(links::samples(&[("suite", &suite.name)])) { (shown(&suite.name)) }
            " " small { (shown(&metric.metric)) ", " (counted(suite.items, "item")) }
        }
        @if metric.contrasts.is_empty() {
            @for score in &metric.scores {
                p {
                    strong { (shown(&comparison.variants[score.variant].name)) } " scores "
                    (values::value(&metric.metric, score.value))
                    @if score.interval.is_some() {
                        " " (values::interval(&metric.metric, score.interval))
                    }
                    @if score.is_chance { ", no better than guessing" }
                    "."
                }
            }
        }
        @for contrast in metric.contrasts.iter().filter(|c| c.against == Against::Base) {
            p { (values::badge(contrast.finding)) " " (sentence(comparison, suite, metric, contrast)) }
        }
    }
}

/// What follows from one contrast.
fn sentence(
    comparison: &Comparison,
    suite: &ComparedSuite,
    metric: &ComparedMetric,
    contrast: &Contrast,
) -> Markup {
    let name = |place: usize| shown(&comparison.variants[place].name);
    let score = |place: usize| {
        let scored = metric.scores.iter().find(|s| s.variant == place);
        values::optional(scored.map(|s| s.value), |v| {
            values::value(&metric.metric, v)
        })
    };
    html! {
        strong { (name(contrast.variant)) }
        @if contrast.finding == Finding::Identical {
            " scores every item like " (name(contrast.other)) ": "
            span.number { (score(contrast.variant)) } "."
        } @else {
            " scores " span.number { (score(contrast.variant)) }
            ", " (name(contrast.other)) " " span.number { (score(contrast.other)) } ": "
            span.number {
                (values::difference(&metric.metric, contrast.value)) (values::unit(metric))
                @if contrast.interval.is_some() {
                    " " (values::differences(&metric.metric, contrast.interval))
                }
            }
            @if let Some(p) = values::p_of(contrast) { ", p " (relation(p)) }
            "."
            @if contrast.finding == Finding::Inconclusive
                && let Some(power) = power(suite, metric, contrast)
            {
                br; small { (shown(&power)) "." }
            }
        }
    }
}

/// A p-value after `p`: `= 0.041`, `< 0.001`.
fn relation(p: f64) -> String {
    let shown = p_value(p);
    if shown.starts_with('<') {
        shown
    } else {
        format!("= {shown}")
    }
}
