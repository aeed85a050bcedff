//! A baseline as a table for a terminal.

use super::Baseline;
use crate::{
    aligned::{BOLD, Cell, DIM, PLAIN, Style, aligned, printable},
    number::{count_of, counted, score},
    parts::{is_detail, prefix},
};
use std::fmt::Write as _;

/// What a baseline was run with, and its scores; a score that a run can be held against item by item is marked so.
pub fn show(baseline: &Baseline, style: Style) -> String {
    let settings = &baseline.settings;
    let mut out = String::new();
    let _ = writeln!(
        out,
        "evalh {} on {} ({}, {})",
        printable(&settings.evalh),
        printable(&settings.device),
        printable(&settings.kernel),
        printable(&settings.dtype)
    );
    for checkpoint in &settings.checkpoints {
        let _ = writeln!(
            out,
            "checkpoint {}: {} parameters, {}",
            printable(&checkpoint.name),
            count_of(checkpoint.parameters),
            counted(checkpoint.files.len(), "file")
        );
    }
    let mut rows = vec![
        ["suite", "variant", "metric"]
            .map(|title| Cell::name(title, BOLD))
            .into_iter()
            .chain(["score", "items"].map(|title| Cell::number(title, BOLD)))
            .chain([Cell::name("by item", BOLD)])
            .collect::<Vec<_>>(),
    ];
    for row in &baseline.results {
        let suite = settings.suites.iter().find(|s| s.name == row.suite);
        if suite.is_some_and(|suite| is_detail(suite, row.part)) {
            continue;
        }
        let metric = prefix(row.part, &row.task) + &row.metric;
        rows.push(vec![
            Cell::name(&format!("{} ({})", row.suite, row.protocol), DIM),
            Cell::name(&row.variant, BOLD),
            Cell::name(&metric, PLAIN),
            Cell::number(score(row.metric_name(), row.value, row.stderr), PLAIN),
            Cell::number(count_of(row.n as u64), PLAIN),
            Cell::name(
                if baseline.row_series(row).is_some() {
                    "yes"
                } else {
                    "no"
                },
                DIM,
            ),
        ]);
    }
    out.push_str(&aligned(&rows, style));
    out
}
