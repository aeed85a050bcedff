//! What adapters cost in abilities: their differences from the base, and from each other.

use super::{
    escape::text,
    table::{Align, Table},
};
use crate::{
    compare::{Against, ComparedMetric, Comparison, Contrast, Finding, Role},
    verdict::shown,
};
use std::fmt::Write as _;

/// For each suite, model and pair of adapters: the standard's difference from the base, the selective's, and the extra.
pub(super) fn section(out: &mut String, comparison: &Comparison) {
    let extras: Vec<_> = comparison
        .headlines()
        .flat_map(|(suite, metric)| {
            let contrasts = metric.contrasts.iter();
            contrasts
                .filter(|contrast| contrast.against == Against::Standard)
                .map(move |contrast| (suite, metric, contrast))
        })
        .collect();
    if extras.is_empty() {
        return;
    }
    let _ = writeln!(out, "## Forgetting\n");
    let mut table = Table::new(&[
        ("suite", Align::Left),
        ("metric", Align::Left),
        ("adapters", Align::Left),
        ("\u{394} standard", Align::Right),
        ("\u{394} selective", Align::Right),
        ("extra", Align::Right),
    ]);
    for (suite, metric, extra) in extras {
        let name = |variant: usize| text(&comparison.variants[variant].name);
        let names = format!("{}, {}", name(extra.other), name(extra.variant));
        table.row(vec![
            text(&suite.name),
            text(&metric.metric),
            names,
            delta(metric, extra.other),
            delta(metric, extra.variant),
            flagged(metric, extra),
        ]);
    }
    let roles = comparison
        .variants
        .iter()
        .filter(|variant| variant.role != Role::Other && variant.name != variant.role.name())
        .map(|variant| format!(" {} is {}.", text(&variant.name), variant.role));
    let _ = writeln!(
        out,
        "{table}\n\u{394} is an adapter's score minus the base's, extra the selective's \u{394} minus the standard's; all paired by item. \
         \u{2191} and \u{2193}: better and worse beyond chance; the others may be chance.{}\n",
        roles.collect::<String>()
    );
}

fn delta(metric: &ComparedMetric, variant: usize) -> String {
    crate::verdict::against_base(metric, variant).map_or_else(
        || "\u{2013}".to_owned(),
        |contrast| flagged(metric, contrast),
    )
}

fn flagged(metric: &ComparedMetric, contrast: &Contrast) -> String {
    let flag = match contrast.finding {
        Finding::Better => " \u{2191}",
        Finding::Worse => " \u{2193}",
        Finding::Inconclusive | Finding::Identical | Finding::Untested => "",
    };
    shown(metric, contrast) + flag
}
