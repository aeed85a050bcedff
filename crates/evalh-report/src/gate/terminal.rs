//! What came of a policy, for a terminal.

use super::{Case, GateReport, Overall, Verdict, words};
use crate::aligned::{BOLD, Cell, DIM, PLAIN, Style, aligned, painted, printable};
use anstyle::{AnsiColor, Style as Ansi};
use std::fmt::Write as _;

/// A line a case, what a reader should know below them, and the verdict last.
pub fn terminal(report: &GateReport, style: Style) -> String {
    let mut rows = vec![
        ["verdict", "rule", "suite", "variant", "asked", "found"]
            .map(|title| Cell::name(title, BOLD))
            .to_vec(),
    ];
    for case in &report.cases {
        let colour = colour(case.verdict);
        rows.push(vec![
            Cell::name(words::verdict(case.verdict), colour),
            Cell::name(&case.name, BOLD),
            Cell::name(&words::suite(case), DIM),
            Cell::name(case.variant.as_deref().unwrap_or("\u{2013}"), PLAIN),
            Cell::name(&case.asked, PLAIN),
            Cell::name(&case.found, PLAIN),
        ]);
    }
    let mut out = aligned(&rows, style);
    for (case, note) in notes(report) {
        let about = case
            .variant
            .as_ref()
            .map_or(String::new(), |v| format!(" ({v})"));
        let _ = writeln!(
            out,
            "{}: {}{}: {}",
            painted("note", DIM, style),
            printable(&case.name),
            printable(&about),
            printable(note)
        );
    }
    for forced in &report.forced {
        let _ = writeln!(
            out,
            "{}: {} was {} in the baseline and is {} in the run (--force)",
            painted("warning", colour(Verdict::Inconclusive), style),
            printable(&forced.field),
            printable(&forced.baseline),
            printable(&forced.run)
        );
    }
    let colour = colour(match report.verdict {
        Overall::Passed => Verdict::Pass,
        Overall::Failed => Verdict::Fail,
        Overall::Inconclusive => Verdict::Inconclusive,
    });
    let _ = writeln!(out, "{}", painted(&words::headline(report), colour, style));
    out
}

fn notes(report: &GateReport) -> impl Iterator<Item = (&Case, &String)> {
    (report.cases.iter()).flat_map(|case| case.notes.iter().map(move |note| (case, note)))
}

fn colour(verdict: Verdict) -> Ansi {
    let colour = match verdict {
        Verdict::Pass => AnsiColor::Green,
        Verdict::Fail => AnsiColor::Red,
        Verdict::Inconclusive => AnsiColor::Yellow,
    };
    BOLD.fg_color(Some(colour.into()))
}
