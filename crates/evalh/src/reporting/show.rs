//! A comparison on standard output.

use super::Runs;
use crate::output::Console;
use evalh_report::{Comparison, terminal};
use serde_json::json;
use std::path::PathBuf;

/// The comparison as a table or as JSON, and where its reports are.
pub fn show(console: &Console, runs: &Runs, comparison: &Comparison, written: &[PathBuf]) {
    console.result(terminal(comparison, Console::style()));
    for path in written {
        console.result(format_args!("report: {}", path.display()));
    }
    if console.json() {
        let mut shown = json!({
            "runs": runs.dirs,
            "reports": written,
            "comparison": comparison,
        });
        if let [record] = runs.records.as_slice() {
            shown["results"] = json!(record.results);
            shown["timings"] = json!(record.timings);
        }
        console.machine(&shown);
    }
}
