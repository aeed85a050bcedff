//! Differences over several models and seeds.

use super::{foreign::shown, values};
use crate::{
    compare::{Against, Comparison, Replicated},
    number::{count_of, p_value},
};
use maud::{Markup, html};

/// The section; nothing where there is one of each.
pub(super) fn section(comparison: &Comparison) -> Markup {
    html! {
        @if !comparison.replicated.is_empty() {
            section #replicated aria-labelledby="replicated-title" {
                h2 #replicated-title { "Over models and seeds" }
                div.wide role="region" aria-label="Over models and seeds" tabindex="0" {
                    table {
                        thead { tr {
                            th scope="col" { "Suite" }
                            th scope="col" { "Difference" }
                            th.number scope="col" { "Mean \u{b1} SD" }
                            th.number scope="col" { "Interval" }
                            th.number scope="col" { "t (df)" }
                            th.number scope="col" { "p" }
                            th.number scope="col" { "d" }
                            th.number scope="col" { "Won, tied, lost" }
                            th.number scope="col" { "Models" }
                        } }
                        tbody { @for of in &comparison.replicated { (row(of)) } }
                    }
                }
                @for of in &comparison.replicated { (each(comparison, of)) }
            }
        }
    }
}

fn against(against: Against) -> &'static str {
    match against {
        Against::Base => "the base",
        Against::Standard => "standard",
    }
}

fn row(of: &Replicated) -> Markup {
    let metric = &of.metric;
    html! { tr {
        th scope="row" { (shown(&of.suite)) br; small { (shown(metric)) } }
        td { (of.role.name()) " minus " (against(of.against)) }
        td.number.strong {
            (values::difference(metric, of.mean))
            @if let Some(sd) = of.sd { " \u{b1} " (values::difference(metric, sd).trim_start_matches('+')) }
        }
        td.number { (values::differences(metric, of.interval)) }
        td.number {
            (values::optional(of.t, |t| values::plain(t, 2)))
            @if let Some(df) = of.df { " (" (values::plain(df, 0)) ")" }
        }
        td.number { (values::optional(of.p, p_value)) }
        td.number { (values::optional(of.d, |d| values::plain(d, 2))) }
        td.number { (of.wins) ", " (of.ties) ", " (of.losses) }
        td.number { (count_of(of.models as u64)) }
    } }
}

fn each(comparison: &Comparison, of: &Replicated) -> Markup {
    html! {
        details {
            summary { (shown(&of.suite)) ": each " (of.role.name()) " minus " (against(of.against)) }
            div.wide role="region" aria-label="Replicates" tabindex="0" {
                table {
                    thead { tr {
                        th scope="col" { "Variant" } th scope="col" { "Against" } th scope="col" { "Model" }
                        th.number scope="col" { "Difference" }
                    } }
                    tbody { @for one in &of.each { tr {
                        th scope="row" { (shown(&comparison.variants[one.variant].name)) }
                        td { (shown(&comparison.variants[one.other].name)) }
                        td { (shown(&one.model)) }
                        td.number { (values::difference(&of.metric, one.value)) }
                    } } }
                }
            }
        }
    }
}
