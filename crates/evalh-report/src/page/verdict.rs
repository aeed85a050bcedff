//! The verdict: what follows from the headline metric of each suite, in sentences.

use super::{foreign::shown, links, values};
use crate::{
    compare::{Against, ComparedMetric, ComparedSuite, Comparison, Contrast, Finding},
    number::{count_of, counted, p_value},
};
use maud::{Markup, html};

/// The section that comes first.
pub(super) fn section(comparison: &Comparison) -> Markup {
    html! {
        section #verdict aria-labelledby="verdict-title" {
            h2 #verdict-title { "Verdict" }
            p.lead { (overall(comparison)) }
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

/// All findings in one sentence.
fn overall(comparison: &Comparison) -> String {
    let findings: Vec<_> = comparison
        .headlines()
        .flat_map(|(_, metric)| &metric.contrasts)
        .filter(|contrast| contrast.against == Against::Base)
        .map(|contrast| contrast.finding)
        .collect();
    if findings.is_empty() {
        return "One variant alone: there is nothing to compare it with.".to_owned();
    }
    let parts: Vec<_> = [
        (Finding::Better, "better beyond chance"),
        (Finding::Worse, "worse beyond chance"),
        (Finding::Inconclusive, "without evidence either way"),
        (Finding::Identical, "identical to it"),
    ]
    .into_iter()
    .filter_map(|(finding, words)| {
        let count = findings.iter().filter(|f| **f == finding).count();
        (count > 0).then(|| format!("{count} {words}"))
    })
    .collect();
    format!(
        "{} with the base: {}.",
        counted(findings.len(), "comparison"),
        parts.join(", ")
    )
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
                        " (" (values::interval(&metric.metric, score.interval)) ")"
                    }
                    @if score.is_chance { ", no better than guessing" }
                    "."
                }
            }
        }
        @for contrast in metric.contrasts.iter().filter(|c| c.against == Against::Base) {
            p { (values::badge(contrast.finding)) " " (sentence(comparison, metric, contrast)) }
        }
    }
}

/// What follows from one contrast.
fn sentence(comparison: &Comparison, metric: &ComparedMetric, contrast: &Contrast) -> Markup {
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
                    " (" (values::differences(&metric.metric, contrast.interval)) ")"
                }
            }
            @if let Some(p) = values::p_of(contrast) { ", p " (relation(p)) }
            "."
            @if contrast.finding == Finding::Inconclusive { (power(comparison, metric, contrast)) }
        }
    }
}

/// What the number of items could have shown.
fn power(comparison: &Comparison, metric: &ComparedMetric, contrast: &Contrast) -> Markup {
    html! {
        @if let Some(least) = contrast.detectable {
            " These " (counted(contrast.items, "item")) " show a difference of "
            (values::difference(&metric.metric, least).trim_start_matches('+')) (values::unit(metric))
            " with " (format!("{:.0}", comparison.analysis.power * 100.0)) " % power"
            @if let Some(needed) = contrast.items_needed {
                "; to show one like this takes about " (count_of(needed)) " items"
            }
            "."
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
