//! The tables of scores: values with intervals, differences from the base, items won and lost.

use super::{foreign::shown, links, values};
use crate::{
    compare::{Against, ComparedMetric, ComparedPart, ComparedSuite, Comparison, Contrast, Scored},
    number::{count_of, p_value},
};
use evalh_record::{Outcome, Part};
use maud::{Markup, html};

/// A section a suite.
pub(super) fn section(comparison: &Comparison, texts: bool) -> Markup {
    html! {
        section #scores aria-labelledby="scores-title" {
            h2 #scores-title { "Scores" }
            @for suite in &comparison.suites { (of_suite(comparison, suite, texts)) }
            p.note {
                "Intervals of "
                (format!("{:.0}", comparison.analysis.confidence * 100.0))
                " %. Differences of shares are in percentage points, on the items that both answered. "
                "p of a suite's first metric is corrected (Holm) for all comparisons of this page"
                (tests(comparison)) "; a number of items leads to them."
            }
        }
    }
}

/// The tests that were made, by name.
fn tests(comparison: &Comparison) -> String {
    let parts = comparison.suites.iter().flat_map(|suite| &suite.parts);
    let contrasts = parts
        .flat_map(|part| &part.metrics)
        .flat_map(|m| &m.contrasts);
    let mut names: Vec<_> = contrasts
        .filter_map(|contrast| contrast.test)
        .map(values::test_name)
        .collect();
    names.sort_unstable();
    names.dedup();
    if names.is_empty() {
        String::new()
    } else {
        format!(" (by {})", names.join(", "))
    }
}

fn of_suite(comparison: &Comparison, suite: &ComparedSuite, texts: bool) -> Markup {
    let (details, parts): (Vec<_>, Vec<_>) = suite.parts.iter().partition(|part| part.detail);
    html! {
        h3 { (shown(&suite.name)) " " small { (shown(&suite.protocol)) } }
        p.note { (shown(&suite.asked)) }
        (table(comparison, suite, &parts))
        @if !details.is_empty() {
            details {
                summary { (count_of(details.len() as u64)) " tasks" }
                (table(comparison, suite, &details))
            }
        }
        (outcomes(comparison, suite, texts))
    }
}

fn table(comparison: &Comparison, suite: &ComparedSuite, parts: &[&ComparedPart]) -> Markup {
    html! {
        div.wide role="region" aria-label={ "Scores of " (shown(&suite.name)) } tabindex="0" {
            table {
                thead { tr {
                    th scope="col" { "Metric" }
                    th scope="col" { "Variant" }
                    th.number scope="col" { "Score" }
                    th.number scope="col" { "Interval" }
                    th.number scope="col" { "Difference" }
                    th.number scope="col" { "Interval" }
                    th.number scope="col" { "p" }
                    th.number scope="col" { "Won" }
                    th.number scope="col" { "Lost" }
                    th scope="col" { "Finding" }
                } }
                @for part in parts {
                    @for metric in &part.metrics {
                        tbody { @for (row, score) in metric.scores.iter().enumerate() {
                            tr {
                                @if row == 0 {
                                    th scope="rowgroup" rowspan=(metric.scores.len()) { (title(part, metric)) }
                                }
                                (cells(comparison, suite, part, metric, score))
                            }
                        } }
                    }
                }
            }
        }
    }
}

fn title(part: &ComparedPart, metric: &ComparedMetric) -> Markup {
    html! {
        @if part.part != Part::Whole { (shown(&part.name)) br; }
        span.metric { (shown(&metric.metric)) }
        @if metric.lower_is_better { br; small { "lower is better" } }
        @if let Some(chance) = metric.chance {
            br; small { "guessing " (values::value(&metric.metric, chance)) }
        }
    }
}

fn cells(
    comparison: &Comparison,
    suite: &ComparedSuite,
    part: &ComparedPart,
    metric: &ComparedMetric,
    score: &Scored,
) -> Markup {
    let name = &metric.metric;
    let variant = &comparison.variants[score.variant];
    let contrast = metric
        .contrasts
        .iter()
        .find(|c| c.variant == score.variant && c.against == Against::Base);
    let of_part = |contrast: &Contrast, flip: &str, count: usize| {
        let mut filters = vec![
            ("suite", suite.name.as_str()),
            (
                "variant",
                comparison.variants[contrast.variant].name.as_str(),
            ),
            ("flip", flip),
        ];
        // The browser knows tasks, not groups of them.
        if part.part == Part::Task {
            filters.push(("task", &part.name));
        }
        let first = part
            .metrics
            .first()
            .is_some_and(|first| first.metric == *name);
        html! {
            @if first && count > 0 && part.part != Part::Group {
                a href=(links::samples(&filters)) { (count_of(count as u64)) }
            } @else { (count_of(count as u64)) }
        }
    };
    html! {
        th scope="row" {
            (shown(&variant.name))
            @if variant.base.is_none() && variant.name != "base" { " " small { "base" } }
        }
        td.number.strong { (values::value(name, score.value)) }
        td.number { (values::interval(name, score.interval)) }
        @if let Some(contrast) = contrast {
            td.number.strong { (values::difference(name, contrast.value)) }
            td.number {
                (values::differences(name, contrast.interval))
                @if contrast.clustered.is_some() {
                    br; small { "by task " (values::differences(name, contrast.clustered)) }
                }
            }
            td.number { (values::optional(values::p_of(contrast), p_value)) }
            td.number { (of_part(contrast, "won", contrast.won)) }
            td.number { (of_part(contrast, "lost", contrast.lost)) }
            td { (values::badge(contrast.finding)) }
        } @else {
            td colspan="5" {}
            td { @if score.is_chance { span.badge.open { "chance level" } } }
        }
    }
}

/// How answers ended. Without texts, exceptions are counted together: a program may define their classes.
fn outcomes(comparison: &Comparison, suite: &ComparedSuite, texts: bool) -> Markup {
    let name = |outcome: &str| {
        let known = Outcome::KINDS.contains(&outcome) || outcome.starts_with("ended by ");
        if texts || known { outcome } else { "error" }.to_owned()
    };
    let mut names: Vec<String> = Vec::new();
    for count in &suite.outcomes {
        let name = name(&count.outcome);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let mut variants: Vec<usize> = suite.outcomes.iter().map(|count| count.variant).collect();
    variants.sort_unstable();
    variants.dedup();
    let count = |outcome: &str, variant: usize| -> usize {
        let of = suite.outcomes.iter();
        of.filter(|count| count.variant == variant && name(&count.outcome) == outcome)
            .map(|count| count.count)
            .sum()
    };
    html! {
        @if !names.is_empty() {
            details open {
                summary { "How answers ended" }
                div.wide role="region" aria-label={ "Outcomes of " (shown(&suite.name)) } tabindex="0" {
                    table {
                        thead { tr {
                            th scope="col" { "Outcome" }
                            @for variant in &variants {
                                th.number scope="col" { (shown(&comparison.variants[*variant].name)) }
                            }
                        } }
                        tbody { @for outcome in &names { tr {
                            th scope="row" { (shown(outcome)) }
                            @for variant in &variants {
                                td.number { (counted_outcome(comparison, suite, outcome, *variant, count(outcome, *variant))) }
                            }
                        } } }
                    }
                }
            }
        }
    }
}

fn counted_outcome(
    comparison: &Comparison,
    suite: &ComparedSuite,
    outcome: &str,
    variant: usize,
    count: usize,
) -> Markup {
    let filters = [
        ("suite", suite.name.as_str()),
        ("variant", comparison.variants[variant].name.as_str()),
        ("outcome", outcome),
    ];
    html! {
        @if count > 0 { a href=(links::samples(&filters)) { (count_of(count as u64)) } }
        @else { (values::NONE) }
    }
}
