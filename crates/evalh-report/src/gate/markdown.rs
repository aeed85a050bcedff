//! What came of a policy, as Markdown for a job's summary.

use super::{GateReport, Verdict, words};
use crate::markdown::{Align, Table, escaped};
use std::fmt::Write as _;

/// The text that is appended to the file of `GITHUB_STEP_SUMMARY`: the verdict first, then a row a case.
pub fn step_summary(report: &GateReport) -> String {
    let mut out = String::new();
    let against = match &report.baseline {
        Some(baseline) => format!(", baseline {}", escaped(baseline)),
        None => String::new(),
    };
    let _ = writeln!(out, "## evalh gate {}\n", escaped(&words::headline(report)));
    let _ = writeln!(
        out,
        "Run {}, policy {}{against}.\n",
        escaped(&report.run),
        escaped(&report.policy)
    );
    let names = [
        "", "rule", "suite", "variant", "metric", "against", "asked", "found",
    ];
    let mut table = Table::new(&names.map(|name| (name, Align::Left)));
    for case in &report.cases {
        table.row(vec![
            mark(case.verdict).to_owned(),
            escaped(&case.name),
            escaped(&words::suite(case)),
            escaped(words::variant(case)),
            escaped(words::subject(&case.figures)),
            escaped(words::reference(&case.figures)),
            escaped(&words::brief_asked(&case.figures)),
            escaped(&words::brief_found(&case.figures)),
        ]);
    }
    let _ = writeln!(out, "{table}");
    let mut notes = String::new();
    for case in &report.cases {
        let called = escaped(&words::called(case));
        if case.verdict != Verdict::Pass {
            let _ = writeln!(
                notes,
                "- {} **{called}**: asked {}; found {}",
                mark(case.verdict),
                escaped(&case.asked),
                escaped(&case.found)
            );
        }
        for note in &case.notes {
            let _ = writeln!(notes, "- {called}: {}", escaped(note));
        }
    }
    for forced in &report.forced {
        let _ = writeln!(
            notes,
            "- **compared by force:** {} was {} in the baseline and is {} in the run",
            escaped(&forced.field),
            escaped(&forced.baseline),
            escaped(&forced.run)
        );
    }
    if !notes.is_empty() {
        let _ = writeln!(out, "{notes}");
    }
    let _ = writeln!(
        out,
        "Numbers in brackets are one-sided confidence bounds: a rule passes where the bound shows what was asked, fails \
         where the other bound shows the contrary, and is inconclusive between."
    );
    out
}

fn mark(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "\u{2705} pass",
        Verdict::Fail => "\u{274c} fail",
        Verdict::Inconclusive => "\u{2754} inconclusive",
    }
}
