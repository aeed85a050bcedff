//! What each variant costs: what its adapter adds, speed, memory, energy.

use super::{
    foreign::shown,
    values::{NONE, optional, plain},
};
use crate::{
    compare::{AdapterFacts, Comparison, Costs, Ratio},
    number::{bytes, count_of, per_second, percent, seconds, spans},
};
use maud::{Markup, html};

/// Whether there is anything to tell.
pub(super) fn is_told(comparison: &Comparison) -> bool {
    let has_adapter = comparison.variants.iter().any(|v| v.adapter.is_some());
    has_adapter || !comparison.costs.is_empty()
}

/// The section.
pub(super) fn section(comparison: &Comparison) -> Markup {
    let adapters: Vec<_> = comparison
        .variants
        .iter()
        .filter_map(|variant| Some((variant, variant.adapter.as_ref()?)))
        .collect();
    html! {
        @if is_told(comparison) {
            section #efficiency aria-labelledby="efficiency-title" {
                h2 #efficiency-title { "Efficiency" }
                @if !adapters.is_empty() {
                    h3 { "Adapters" }
                    div.wide role="region" aria-label="Adapters" tabindex="0" { table {
                        thead { tr {
                            th scope="col" { "Variant" } th scope="col" { "Role" }
                            th.number scope="col" { "Trainable" } th.number scope="col" { "of base" }
                            th.number scope="col" { "Modules" } th scope="col" { "Layers" }
                            th.number scope="col" { "Non-orth. A" } th.number scope="col" { "Non-orth. B" }
                            th scope="col" { "Applied" }
                        } }
                        tbody { @for (variant, adapter) in adapters { tr {
                            th scope="row" { (shown(&variant.name)) }
                            td { (variant.role.name()) }
                            (facts(adapter))
                        } } }
                    } }
                    p.note { "Non-orth.: how far the rank directions of the factors are from orthogonal; 0 are orthogonal rows of one length." }
                }
                @if !comparison.costs.is_empty() {
                    h3 { "Speed and memory" }
                    (costs(comparison))
                }
            }
        }
    }
}

fn facts(adapter: &AdapterFacts) -> Markup {
    let share = adapter.parameters as f64 / adapter.base_parameters.max(1) as f64;
    html! {
        td.number.strong { (count_of(adapter.parameters)) }
        td.number { @if adapter.base_parameters > 0 { (percent2(share)) " %" } @else { (NONE) } }
        td.number { (count_of(adapter.modules as u64)) }
        td { (layers(adapter)) }
        td.number { (optional(adapter.orthogonality_a, |v| plain(v, 3))) }
        td.number { (optional(adapter.orthogonality_b, |v| plain(v, 3))) }
        td { (shown(&adapter.apply)) }
    }
}

/// A share in percent with two decimals below one percent.
fn percent2(share: f64) -> String {
    if share < 0.01 {
        format!("{:.2}", share * 100.0)
    } else {
        percent(share)
    }
}

/// The layers as a strip: a cell a layer, filled where the adapter changes it.
fn layers(adapter: &AdapterFacts) -> Markup {
    let words = format!("{} of {}", adapter.layers.len(), adapter.of_layers);
    html! {
        @if adapter.of_layers == 0 { (NONE) } @else {
            span.layers role="img" aria-label={ "layers " (spans(&adapter.layers)) " of " (adapter.of_layers) }
                title={ "layers " (spans(&adapter.layers)) } {
                @for layer in 0..adapter.of_layers {
                    @if adapter.layers.contains(&layer) { i.on {} } @else { i {} }
                }
            }
            " " small.number { (words) }
        }
    }
}

fn costs(comparison: &Comparison) -> Markup {
    let benched = comparison.costs.iter().any(|costs| costs.bench.is_some());
    let together = comparison.costs.iter().any(|costs| costs.beside > 1);
    html! {
        div.wide role="region" aria-label="Speed and memory" tabindex="0" { table {
            thead { tr {
                th scope="col" { "Variant" }
                th.number scope="col" { "Prefill tok/s" } th.number scope="col" { "Decode tok/s" }
                th.number scope="col" { "Kept tok/CPU s" } th.number scope="col" { "CPU" }
                th.number scope="col" { "Peak memory" } th.number scope="col" { "Weights" }
                @if benched {
                    th.number scope="col" { "Latency p50" } th.number scope="col" { "p95" }
                    th.number scope="col" { "Merged/base" } th.number scope="col" { "Unmerged/base" }
                    th.number scope="col" { "J/request" }
                }
            } }
            tbody { @for of in &comparison.costs { tr {
                th scope="row" { (shown(&comparison.variants[of.variant].name)) }
                (cost_cells(of))
                @if benched { (bench_cells(of)) }
            } } }
        } }
        @if together {
            p.note { "Variants were answered side by side: those share time and memory, and each is told its part of the time." }
        }
    }
}

fn cost_cells(of: &Costs) -> Markup {
    html! {
        td.number { (optional(of.prefill_tokens_per_second, per_second)) }
        td.number.strong { (optional(of.decode_tokens_per_second, per_second)) }
        td.number { (optional(of.kept_tokens_per_cpu_second, per_second)) }
        td.number { (optional(of.cpu_seconds, seconds)) }
        td.number { (bytes(of.peak_memory_bytes)) }
        td.number { (bytes(of.weight_bytes)) }
    }
}

fn bench_cells(of: &Costs) -> Markup {
    let bench = of.bench.clone().unwrap_or_default();
    html! {
        td.number { (optional(bench.latency_p50_seconds, seconds)) }
        td.number { (optional(bench.latency_p95_seconds, seconds)) }
        td.number { (ratio(bench.merged_ratio)) }
        td.number { (ratio(bench.unmerged_ratio)) }
        td.number { (optional(bench.joules_per_request, |v| plain(v, 2))) }
    }
}

fn ratio(ratio: Option<Ratio>) -> Markup {
    html! {
        @if let Some(ratio) = ratio {
            (plain(ratio.value, 3))
            @if let (Some(low), Some(high)) = (ratio.low, ratio.high) {
                br; small { "[" (plain(low, 3)) ", " (plain(high, 3)) "]" }
            }
        } @else { (NONE) }
    }
}
