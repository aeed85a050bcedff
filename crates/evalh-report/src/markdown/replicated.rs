//! Differences over models and seeds.

use super::{
    escape::text,
    table::{Align, Table},
};
use crate::{
    compare::{Against, Comparison, Replicated},
    number::{difference, p_value, range},
};
use std::fmt::Write as _;

/// One row a suite and role.
pub(super) fn section(out: &mut String, comparison: &Comparison) {
    if comparison.replicated.is_empty() {
        return;
    }
    let _ = writeln!(out, "## Over models and seeds\n");
    let mut table = Table::new(&[
        ("suite", Align::Left),
        ("difference", Align::Left),
        ("mean \u{b1} SD", Align::Right),
        ("interval", Align::Right),
        ("t (df)", Align::Right),
        ("p", Align::Right),
        ("Cohen's d", Align::Right),
        ("won, even, lost", Align::Right),
        ("models", Align::Right),
        ("adapters", Align::Right),
    ]);
    for of in &comparison.replicated {
        table.row(row(of));
    }
    let _ = writeln!(
        out,
        "{table}\nAdapters of one name but for a number are replicates. Seeds of one model are averaged before anything is computed over models; where there is one model only, the seeds are the sample and nothing is said about other models. The interval, t and d are of the paired differences.\n"
    );
}

fn row(of: &Replicated) -> Vec<String> {
    let dash = || "\u{2013}".to_owned();
    let metric = of.metric.split(',').next().unwrap_or(&of.metric);
    let mean = difference(metric, of.mean);
    let sd = of.sd.map_or_else(String::new, |sd| {
        format!(" \u{b1} {}", difference(metric, sd).trim_start_matches('+'))
    });
    vec![
        format!("{} {}", text(&of.suite), text(&of.metric)),
        match of.against {
            Against::Base => format!("{} \u{2212} base", text(&of.name)),
            Against::Standard => format!("{} \u{2212} standard (extra)", text(&of.name)),
        },
        mean + &sd,
        of.interval
            .map_or_else(dash, |interval| range(metric, interval, true)),
        of.t.zip(of.df)
            .map_or_else(dash, |(t, df)| format!("{t:.2} ({df:.0})")),
        of.p.map_or_else(dash, p_value),
        of.d.map_or_else(dash, |d| format!("{d:.2}")),
        format!("{}, {}, {}", of.wins, of.ties, of.losses),
        of.models.to_string(),
        of.each.len().to_string(),
    ]
}
