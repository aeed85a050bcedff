//! The verdict as an aligned table for a terminal.

use crate::{
    aligned::{BOLD, Cell, DIM, PLAIN, Style, aligned, painted, printable},
    compare::{Comparison, comparisons},
    number::{p_value, points, rate, score, seconds},
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
    rows.extend(
        record
            .results
            .iter()
            .map(|row| score_row(record, row, &compared)),
    );
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
    let metric = if row.task == row.suite {
        row.metric.clone()
    } else {
        format!("{} {}", row.task, row.metric)
    };
    let mut cells = vec![
        Cell::name(&suite, DIM),
        Cell::name(&row.variant, BOLD),
        Cell::name(&metric, PLAIN),
        Cell::number(score(row.value, row.stderr), PLAIN),
    ];
    let base_name = record
        .manifest
        .settings
        .variants
        .first()
        .map(|variant| variant.name.as_str());
    let comparison = compared
        .iter()
        .find(|c| c.suite == row.suite && c.variant == row.variant);
    let base = record.results.iter().find(|other| {
        (&other.suite, &other.task, &other.metric) == (&row.suite, &row.task, &row.metric)
            && Some(other.variant.as_str()) == base_name
    });
    if let (Some(comparison), Some(base)) = (comparison, base) {
        let difference = row.value - base.value;
        let colour = match comparison.p {
            Some(p) if p < NOTABLE && difference > 0.0 => {
                PLAIN.fg_color(Some(AnsiColor::Green.into()))
            }
            Some(p) if p < NOTABLE && difference < 0.0 => {
                PLAIN.fg_color(Some(AnsiColor::Red.into()))
            }
            _ => PLAIN,
        };
        cells.extend([
            Cell::number(points(difference, comparison.stderr_of(difference)), colour),
            Cell::number(comparison.gained.len().to_string(), PLAIN),
            Cell::number(comparison.lost.len().to_string(), PLAIN),
            Cell::number(
                comparison.p.map_or_else(|| "\u{2013}".to_owned(), p_value),
                colour,
            ),
        ]);
    } else {
        cells.push(Cell::number("base", DIM));
        cells.extend(["", "", ""].map(|none| Cell::number(none, PLAIN)));
    }
    let timing = record
        .timings
        .variants
        .iter()
        .find(|variant| variant.variant == row.variant);
    let speed = timing.map_or_else(String::new, |t| rate(t.decode_tokens, t.decode_seconds));
    let wall = timing.map_or_else(String::new, |t| seconds(t.wall_seconds));
    cells.extend([Cell::number(speed, DIM), Cell::number(wall, DIM)]);
    cells
}
