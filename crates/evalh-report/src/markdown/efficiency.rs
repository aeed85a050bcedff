//! What variants take: parameters, layers, time, memory.

use super::{
    escape::text,
    table::{Align, Table},
};
use crate::{
    compare::{Comparison, Costs, Ratio, Variant},
    number::{bytes, count_of, per_second, percent, seconds, spans},
};
use std::fmt::Write as _;

/// The adapters beside their speeds.
pub(super) fn section(out: &mut String, comparison: &Comparison) {
    let _ = writeln!(out, "## Efficiency\n");
    let mut table = Table::new(&[
        ("variant", Align::Left),
        ("trained", Align::Right),
        ("of the base", Align::Right),
        ("layers", Align::Left),
        ("orthogonality A / B", Align::Right),
        ("prefill tokens/s", Align::Right),
        ("decode tokens/s", Align::Right),
        ("CPU", Align::Right),
        ("peak memory", Align::Right),
    ]);
    for (variant, costs) in comparison.variants.iter().zip(&comparison.costs) {
        let mut cells = vec![text(&variant.name)];
        cells.extend(adapter(variant));
        cells.extend(measured(costs));
        table.row(cells);
    }
    let _ = writeln!(
        out,
        "{table}\nTrained: the parameters that the adapter adds. Orthogonality: the mean distance of its factors' rank directions from orthogonal, 0 where they are (`evalh adapter inspect`).{}\n",
        if comparison.costs.iter().any(|costs| costs.beside > 1) {
            " Variants that were answered side by side share their memory; speeds and CPU time are each one's part by the tokens it read."
        } else {
            ""
        }
    );
    bench(out, comparison);
}

fn adapter(variant: &Variant) -> [String; 4] {
    let Some(adapter) = &variant.adapter else {
        return ["\u{2013}", "", "", ""].map(str::to_owned);
    };
    let pair = match (adapter.orthogonality_a, adapter.orthogonality_b) {
        (None, None) => "\u{2013}".to_owned(),
        (a, b) => {
            let shown = |value: Option<f64>| {
                value.map_or_else(|| "\u{2013}".to_owned(), |value| format!("{value:.2}"))
            };
            format!("{} / {}", shown(a), shown(b))
        }
    };
    let share = adapter.parameters as f64 / adapter.base_parameters.max(1) as f64;
    [
        count_of(adapter.parameters),
        format!("{} %", percent(share)),
        format!(
            "{} of {}: {}",
            adapter.layers.len(),
            adapter.of_layers,
            spans(&adapter.layers)
        ),
        pair,
    ]
}

fn measured(costs: &Costs) -> [String; 4] {
    let dash = || "\u{2013}".to_owned();
    [
        costs
            .prefill_tokens_per_second
            .map_or_else(dash, per_second),
        costs.decode_tokens_per_second.map_or_else(dash, per_second),
        costs.cpu_seconds.map_or_else(dash, seconds),
        bytes(costs.peak_memory_bytes),
    ]
}

/// What `evalh bench` measured apart, where it did.
fn bench(out: &mut String, comparison: &Comparison) {
    let mut table = Table::new(&[
        ("variant", Align::Left),
        ("request p50", Align::Right),
        ("p95", Align::Right),
        ("merged over base", Align::Right),
        ("unmerged over base", Align::Right),
        ("energy a request", Align::Right),
    ]);
    let mut any = false;
    for (variant, costs) in comparison.variants.iter().zip(&comparison.costs) {
        let Some(bench) = &costs.bench else {
            continue;
        };
        any = true;
        let dash = || "\u{2013}".to_owned();
        table.row(vec![
            text(&variant.name),
            bench.latency_p50_seconds.map_or_else(dash, seconds),
            bench.latency_p95_seconds.map_or_else(dash, seconds),
            bench.merged_ratio.map_or_else(dash, ratio),
            bench.unmerged_ratio.map_or_else(dash, ratio),
            bench.joules_per_request.map_or_else(
                || "not available".to_owned(),
                |joules| format!("{joules:.1} J"),
            ),
        ]);
    }
    if any {
        let _ = writeln!(
            out,
            "{table}\nMeasured apart by `evalh bench`, interleaved with the base; ratios are of the time a token takes, with 95 % intervals of their medians.\n"
        );
    }
}

fn ratio(ratio: Ratio) -> String {
    match (ratio.low, ratio.high) {
        (Some(low), Some(high)) => format!("{:.2} [{low:.2}, {high:.2}]", ratio.value),
        _ => format!("{:.2}", ratio.value),
    }
}
