//! The verdict as an aligned table for a terminal.

use crate::{
    aligned::{BOLD, Cell, DIM, PLAIN, Style, aligned, painted, printable},
    compare::{OldComparison as Comparison, comparison_of, comparisons},
    number::{p_value, points, rate, score, seconds},
    parts::{is_detail, is_headline, prefix, same_metric},
    warnings::warnings,
};
use anstyle::AnsiColor;
use evalh_record::{Record, ResultRow};
use std::fmt::Write as _;

/// Differences with a smaller p are coloured.
const NOTABLE: f64 = 0.05;

/// The scores, differences, speeds and warnings of a record, for a terminal.
pub fn terminal(record: &Record, style: Style) -> String {
    let compared = comparisons(record);
    let mut rows = vec![header()];
    let suites = &record.manifest.settings.suites;
    let shown = record.results.iter().filter(|row| {
        let suite = suites.iter().find(|suite| suite.name == row.suite);
        suite.is_none_or(|suite| !is_detail(suite, row.part))
    });
    let shown: Vec<&ResultRow> = shown.collect();
    // The variants of a metric stand below each other.
    let mut done = vec![false; shown.len()];
    for first in 0..shown.len() {
        for at in first..shown.len() {
            if !done[at] && same_metric(shown[first], shown[at]) {
                done[at] = true;
                rows.push(score_row(record, shown[at], &compared));
            }
        }
    }
    let mut out = aligned(&rows, style);
    for warning in warnings(record) {
        let yellow = PLAIN.fg_color(Some(AnsiColor::Yellow.into())).bold();
        let _ = writeln!(
            out,
            "{}: {}; {}",
            painted("warning", yellow, style),
            printable(&warning.what),
            printable(&warning.remedy)
        );
    }
    out
}

fn header() -> Vec<Cell> {
    let names = ["suite", "variant", "metric"].map(|title| Cell::name(title, BOLD));
    let numbers = [
        "score",
        "against base",
        "gained",
        "lost",
        "p",
        "decode tok/s",
        "wall",
    ];
    names
        .into_iter()
        .chain(numbers.map(|title| Cell::number(title, BOLD)))
        .collect()
}

fn score_row(record: &Record, row: &ResultRow, compared: &[Comparison]) -> Vec<Cell> {
    let suite = format!("{} ({})", row.suite, row.protocol);
    let metric = prefix(row.part, &row.task) + &row.metric;
    let mut cells = vec![
        Cell::name(&suite, DIM),
        Cell::name(&row.variant, BOLD),
        Cell::name(&metric, PLAIN),
        Cell::number(score(row.metric_name(), row.value, row.stderr), PLAIN),
    ];
    let base_name = record
        .manifest
        .settings
        .variants
        .first()
        .map(|variant| variant.name.as_str());
    let comparison = comparison_of(compared, row);
    let base = record.results.iter().find(|other| {
        (&other.suite, &other.task, other.part, &other.metric)
            == (&row.suite, &row.task, row.part, &row.metric)
            && Some(other.variant.as_str()) == base_name
    });
    let headline = is_headline(record, row);
    if let (Some(comparison), Some(base)) = (comparison, base) {
        let difference = row.value - base.value;
        // The test is one of the items' scores by the headline metric.
        let p = comparison.p.filter(|_| headline);
        let better = comparison.gained.len() > comparison.lost.len();
        let colour = match p {
            Some(p) if p < NOTABLE && better => PLAIN.fg_color(Some(AnsiColor::Green.into())),
            Some(p) if p < NOTABLE => PLAIN.fg_color(Some(AnsiColor::Red.into())),
            _ => PLAIN,
        };
        let error = comparison
            .stderr_of(base.value, row.value)
            .filter(|_| headline);
        let difference = points(row.metric_name(), difference, error);
        cells.push(Cell::number(difference, colour));
        let [gained, lost] = [&comparison.gained, &comparison.lost].map(|items| {
            if headline {
                items.len().to_string()
            } else {
                String::new()
            }
        });
        let p = match p {
            Some(p) => p_value(p),
            None if headline => "\u{2013}".to_owned(),
            None => String::new(),
        };
        cells.extend([
            Cell::number(gained, PLAIN),
            Cell::number(lost, PLAIN),
            Cell::number(p, colour),
        ]);
    } else {
        cells.push(Cell::number("base", DIM));
        cells.extend(["", "", ""].map(|none| Cell::number(none, PLAIN)));
    }
    // What a variant took on all suites stands beside its first score.
    let first = record.results.iter().find(|r| r.variant == row.variant);
    let (speed, wall) = match first {
        Some(first) if std::ptr::eq(first, row) => costs(&row.variant, record),
        _ => (String::new(), String::new()),
    };
    cells.extend([Cell::number(speed, DIM), Cell::number(wall, DIM)]);
    cells
}

/// A variant's decode speed, and the wall time of the sittings that it was the first in: several variants' rows share it.
fn costs(variant: &str, record: &Record) -> (String, String) {
    let (mut tokens, mut decode, mut wall) = (0, 0.0, None);
    let mut any = false;
    for sitting in &record.timings.sittings {
        for (place, of) in sitting.variants.iter().enumerate() {
            if of.variant == variant {
                any = true;
                tokens += of.decode_tokens;
                decode += of.decode_seconds;
                if place == 0 {
                    wall = Some(wall.unwrap_or(0.0) + sitting.wall_seconds);
                }
            }
        }
    }
    if !any {
        return (String::new(), String::new());
    }
    let wall = wall.map_or_else(|| "together".to_owned(), seconds);
    (rate(tokens, decode), wall)
}
