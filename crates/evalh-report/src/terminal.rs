//! The verdict as an aligned table for a terminal.

use crate::{
    aligned::{BOLD, Cell, DIM, PLAIN, Style, aligned, painted, printable},
    compare::{ComparedMetric, ComparedSuite, Comparison, Finding, Scored},
    number::{p_value, per_second, score, seconds},
    parts::prefix,
    verdict::{against_base, name, shown, verdicts, word},
};
use anstyle::{AnsiColor, Style as Ansi};
use std::fmt::Write as _;

/// The scores, differences, costs, verdicts and warnings of a comparison, for a terminal.
pub fn terminal(comparison: &Comparison, style: Style) -> String {
    let mut rows = vec![header()];
    let mut seen = Vec::new();
    for suite in &comparison.suites {
        for part in suite.parts.iter().filter(|part| !part.detail) {
            for metric in &part.metrics {
                let label = prefix(part.part, &part.name) + &metric.metric;
                for scored in &metric.scores {
                    let mut row = row(comparison, suite, &label, metric, scored);
                    // What a variant took on all suites stands beside its first score.
                    let first = !seen.contains(&scored.variant);
                    seen.push(scored.variant);
                    row.extend(costs(comparison, scored.variant, first));
                    rows.push(row);
                }
            }
        }
    }
    let mut out = aligned(&rows, style);
    for forced in &comparison.forced {
        let what = format!(
            "{} was answered with other settings: {} is {} there and {} in the first run",
            forced.run, forced.field, forced.here, forced.first
        );
        warn(&mut out, style, &what, "believe no difference between them");
    }
    for warning in &comparison.warnings {
        warn(&mut out, style, &warning.what, &warning.remedy);
    }
    for verdict in verdicts(comparison) {
        let name = &comparison.variants[verdict.variant].name;
        let _ = writeln!(
            out,
            "{}: {}",
            painted(&printable(name), BOLD, style),
            printable(&verdict.sentence(&str::to_owned))
        );
    }
    out
}

fn warn(out: &mut String, style: Style, what: &str, remedy: &str) {
    let yellow = PLAIN.fg_color(Some(AnsiColor::Yellow.into())).bold();
    let _ = writeln!(
        out,
        "{}: {}; {}",
        painted("warning", yellow, style),
        printable(what),
        printable(remedy)
    );
}

fn header() -> Vec<Cell> {
    let names = ["suite", "variant", "metric"].map(|title| Cell::name(title, BOLD));
    let numbers = [
        "score",
        "against base",
        "won",
        "lost",
        "p",
        "finding",
        "decode tok/s",
        "CPU",
    ];
    names
        .into_iter()
        .chain(numbers.map(|title| Cell::number(title, BOLD)))
        .collect()
}

fn row(
    comparison: &Comparison,
    suite: &ComparedSuite,
    label: &str,
    metric: &ComparedMetric,
    scored: &Scored,
) -> Vec<Cell> {
    let mut cells = vec![
        Cell::name(&format!("{} ({})", suite.name, suite.protocol), DIM),
        Cell::name(&comparison.variants[scored.variant].name, BOLD),
        Cell::name(label, PLAIN),
        Cell::number(score(name(metric), scored.value, scored.stderr), PLAIN),
    ];
    if let Some(contrast) = against_base(metric, scored.variant) {
        let colour = colour(contrast.finding);
        let p = contrast.p.map_or_else(|| "\u{2013}".to_owned(), p_value);
        cells.extend([
            Cell::number(shown(metric, contrast), colour),
            Cell::number(contrast.won.to_string(), PLAIN),
            Cell::number(contrast.lost.to_string(), PLAIN),
            Cell::number(p, PLAIN),
            Cell::number(word(contrast.finding), colour),
        ]);
    } else {
        cells.push(Cell::number("base", DIM));
        cells.extend([""; 4].map(|none| Cell::number(none, PLAIN)));
    }
    cells
}

fn colour(finding: Finding) -> Ansi {
    match finding {
        Finding::Better => PLAIN.fg_color(Some(AnsiColor::Green.into())),
        Finding::Worse => PLAIN.fg_color(Some(AnsiColor::Red.into())),
        Finding::Inconclusive | Finding::Identical | Finding::Untested => PLAIN,
    }
}

fn costs(comparison: &Comparison, variant: usize, shown: bool) -> [Cell; 2] {
    let costs = comparison.costs.get(variant).filter(|_| shown);
    let none = || "\u{2013}".to_owned();
    let [speed, cpu] = match costs {
        None => [String::new(), String::new()],
        Some(costs) => [
            costs.decode_tokens_per_second.map_or_else(none, per_second),
            costs.cpu_seconds.map_or_else(none, seconds),
        ],
    };
    [speed, cpu].map(|text| Cell::number(text, DIM))
}
