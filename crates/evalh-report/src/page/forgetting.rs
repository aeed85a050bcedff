//! Forgetting: what training cost on each suite, by the standard and by the selective adapter, and what is left between
//! them.

use super::{foreign::shown, values};
use crate::{
    compare::{Against, ComparedMetric, ComparedSuite, Comparison, Contrast},
    number::p_value,
    verdict::against_base,
};
use maud::{Markup, html};

/// Whether there is anything to tell.
pub(super) fn is_told(comparison: &Comparison) -> bool {
    !extras(comparison).is_empty()
}

/// The differences of selective from standard adapters, by headline metric.
fn extras(comparison: &Comparison) -> Vec<(&ComparedSuite, &ComparedMetric, &Contrast)> {
    let of_suite = comparison.headlines().flat_map(|(suite, metric)| {
        let contrasts = metric.contrasts.iter();
        let extras = contrasts.filter(|contrast| contrast.against == Against::Standard);
        extras.map(move |contrast| (suite, metric, contrast))
    });
    of_suite.collect()
}

/// The section; nothing where no model has both a standard and a selective adapter.
pub(super) fn section(comparison: &Comparison) -> Markup {
    let extras = extras(comparison);
    html! {
        @if !extras.is_empty() {
            section #forgetting aria-labelledby="forgetting-title" {
                h2 #forgetting-title { "Forgetting" }
                p.note {
                    "What training changed on each suite: the standard adapter minus the base, the selective adapter minus the "
                    "base, and the selective minus the standard one, on the same items. Below zero is forgotten, where higher "
                    "scores are better."
                }
                div.wide role="region" aria-label="Forgetting" tabindex="0" {
                    table {
                        thead { tr {
                            th scope="col" { "Suite" }
                            th scope="col" { "Model" }
                            th.number scope="col" { "\u{394} standard" }
                            th.number scope="col" { "\u{394} selective" }
                            th.number scope="col" { "Extra" }
                            th.number scope="col" { "p of extra" }
                            th scope="col" { "Selective against standard" }
                        } }
                        tbody { @for (suite, metric, extra) in extras { tr {
                            th scope="row" { (shown(&suite.name)) br; small { (shown(&metric.metric)) } }
                            td { (shown(&comparison.variants[extra.variant].model)) br;
                                small { (shown(&comparison.variants[extra.variant].name)) } }
                            (delta(metric, against_base(metric, extra.other)))
                            (delta(metric, against_base(metric, extra.variant)))
                            (delta(metric, Some(extra)))
                            td.number { (values::optional(values::p_of(extra), p_value)) }
                            td { (values::badge(extra.finding)) }
                        } } }
                    }
                }
            }
        }
    }
}

fn delta(metric: &ComparedMetric, contrast: Option<&Contrast>) -> Markup {
    html! {
        td.number {
            @if let Some(contrast) = contrast {
                span.strong { (values::difference(&metric.metric, contrast.value)) }
                br; small { (values::differences(&metric.metric, contrast.interval)) }
            } @else { (values::NONE) }
        }
    }
}
