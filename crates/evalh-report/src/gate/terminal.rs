//! What came of a policy, for a terminal.

use super::{GateReport, Overall, Verdict, words};
use crate::aligned::{BOLD, Cell, DIM, PLAIN, Style, aligned, painted, printable};
use anstyle::{AnsiColor, Style as Ansi};
use std::fmt::Write as _;

/// A line a case, at length what did not pass and what a reader should know, and the verdict last.
pub fn terminal(report: &GateReport, style: Style) -> String {
    let titles = [
        "verdict", "rule", "suite", "variant", "metric", "against", "asked", "found",
    ];
    let mut rows = vec![titles.map(|title| Cell::name(title, BOLD)).to_vec()];
    for case in &report.cases {
        rows.push(vec![
            Cell::name(words::verdict(case.verdict), colour(case.verdict)),
            Cell::name(&case.name, BOLD),
            Cell::name(&words::suite(case), DIM),
            Cell::name(words::variant(case), PLAIN),
            Cell::name(words::subject(&case.figures), DIM),
            Cell::name(words::reference(&case.figures), DIM),
            Cell::name(&words::brief_asked(&case.figures), PLAIN),
            Cell::name(&words::brief_found(&case.figures), PLAIN),
        ]);
    }
    let mut out = aligned(&rows, style);
    for case in &report.cases {
        let called = printable(&words::called(case));
        if case.verdict != Verdict::Pass {
            let _ = writeln!(
                out,
                "{}: {called}: asked {}; found {}",
                painted(words::verdict(case.verdict), colour(case.verdict), style),
                printable(&case.asked),
                printable(&case.found)
            );
        }
        for note in &case.notes {
            let _ = writeln!(
                out,
                "{}: {called}: {}",
                painted("note", DIM, style),
                printable(note)
            );
        }
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

fn colour(verdict: Verdict) -> Ansi {
    let colour = match verdict {
        Verdict::Pass => AnsiColor::Green,
        Verdict::Fail => AnsiColor::Red,
        Verdict::Inconclusive => AnsiColor::Yellow,
    };
    BOLD.fg_color(Some(colour.into()))
}
