//! The table of scores and differences.

use super::{
    escape::text,
    table::{Align, Table},
};
use crate::{
    compare::{ComparedMetric, ComparedPart, ComparedSuite, Comparison, Contrast, Scored},
    number::{count_of, p_value, range, score},
    parts::prefix,
    verdict::{against_base, name, shown, word},
};
use std::fmt::Write as _;

/// The headline of each suite with all variants.
pub(super) fn summary(out: &mut String, comparison: &Comparison) {
    let rows = comparison.headlines().map(|(suite, metric)| {
        let label = format!("{} ({})", text(&suite.name), text(&suite.protocol));
        (label, text(&metric.metric), metric)
    });
    let _ = writeln!(out, "{}", table(comparison, "suite", rows));
    let confidence = comparison.analysis.confidence * 100.0;
    let _ = writeln!(
        out,
        "Score \u{b1} standard error over items, then its {confidence:.0} % interval (Wilson's for right and wrong answers, else the bootstrap's).{}\n",
        if differs(comparison) {
            format!(
                " Differences, of shares in percentage points, are paired by item, with their {confidence:.0} % interval (Tango's score interval, else the paired bootstrap, BCa); \
                 p is of the exact McNemar test for right and wrong answers, else of Student's t or the bootstrap, and corrected (Holm) for all headline differences here. \
                 Findings outside of this table rest on the uncorrected p. *No evidence* means that the difference may be chance, not that there is none."
            )
        } else {
            String::new()
        }
    );
}

/// All metrics of some of a suite's parts.
pub(super) fn parts<'c>(
    comparison: &Comparison,
    parts: impl Iterator<Item = &'c ComparedPart>,
) -> Table {
    let rows = parts.flat_map(|part| {
        part.metrics.iter().map(|metric| {
            let before = prefix(part.part, &part.name);
            (text(&before), text(&metric.metric), metric)
        })
    });
    table(comparison, "part", rows)
}

/// Whether there is anything to set against another.
pub(super) fn differs(comparison: &Comparison) -> bool {
    let metrics = comparison.suites.iter().flat_map(ComparedSuite::metrics);
    metrics
        .into_iter()
        .any(|metric| !metric.contrasts.is_empty())
}

fn table<'c>(
    comparison: &Comparison,
    of_what: &str,
    rows: impl Iterator<Item = (String, String, &'c ComparedMetric)>,
) -> Table {
    let differs = differs(comparison);
    let mut columns = vec![
        (of_what, Align::Left),
        ("metric", Align::Left),
        ("variant", Align::Left),
        ("score", Align::Right),
        ("interval", Align::Right),
    ];
    if differs {
        columns.extend(
            ["against base", "won", "lost", "p", "p (Holm)"].map(|title| (title, Align::Right)),
        );
        columns.push(("finding", Align::Left));
    }
    columns.push(("items", Align::Right));
    let mut table = Table::new(&columns);
    for (label, metric_name, metric) in rows {
        for (place, scored) in metric.scores.iter().enumerate() {
            // Names stand once, beside the first of their rows.
            let once = |text: &str| {
                if place == 0 {
                    text.to_owned()
                } else {
                    String::new()
                }
            };
            let mut cells = vec![once(&label), once(&metric_name)];
            cells.push(text(&comparison.variants[scored.variant].name));
            cells.extend(of_score(metric, scored));
            if differs {
                cells.extend(match against_base(metric, scored.variant) {
                    Some(contrast) => of_contrast(metric, contrast),
                    None => ["base", "", "", "", "", ""].map(str::to_owned),
                });
            }
            cells.push(count_of(scored.n as u64));
            table.row(cells);
        }
    }
    table
}

fn of_score(metric: &ComparedMetric, scored: &Scored) -> [String; 2] {
    let chance = if scored.is_chance { " (chance)" } else { "" };
    let interval = scored.interval.map(|of| range(name(metric), of, false));
    [
        score(name(metric), scored.value, scored.stderr),
        interval.unwrap_or_default() + chance,
    ]
}

fn of_contrast(metric: &ComparedMetric, contrast: &Contrast) -> [String; 6] {
    let p = |p: Option<f64>| p.map_or_else(|| "\u{2013}".to_owned(), p_value);
    let corrected = contrast.p_holm.map_or_else(String::new, p_value);
    [
        shown(metric, contrast),
        count_of(contrast.won as u64),
        count_of(contrast.lost as u64),
        p(contrast.p),
        corrected,
        word(contrast.finding).to_owned(),
    ]
}
