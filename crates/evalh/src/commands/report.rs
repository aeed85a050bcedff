//! `evalh report`.

use crate::{
    failure::{Exit, OrFail as _, Outcome, of_record},
    flags::{OutputFlags, ReportFlags},
    output::Console,
};
use evalh_record::Record;
use serde_json::json;
use std::path::Path;

/// Makes the report of a finished run again.
///
/// # Errors
/// When the folder holds no finished run or cannot be written.
pub fn report(flags: &ReportFlags) -> Outcome<Exit> {
    let console = Console::new(OutputFlags {
        quiet: true,
        json: flags.json,
    });
    let record = Record::read(&flags.dir).map_err(|error| of_record("read the run", &error))?;
    let path = flags.dir.join("report.md");
    std::fs::write(&path, evalh_report::markdown(&record))
        .or_fail_to(|| format!("write {}", path.display()))?;
    show(&console, &record, &flags.dir);
    Ok(Exit::Done)
}

/// The verdict on standard output, as a table or as JSON.
pub fn show(console: &Console, record: &Record, dir: &Path) {
    console.result(evalh_report::terminal(record, Console::style()));
    console.result(format_args!("report: {}", dir.join("report.md").display()));
    if console.json() {
        let comparisons: Vec<_> = evalh_report::comparisons(record)
            .iter()
            .map(|c| {
                json!({
                    "suite": c.suite,
                    "variant": c.variant,
                    "difference": c.difference.map(|d| d.value),
                    "stderr": c.difference.and_then(|d| d.stderr),
                    "gained": c.gained,
                    "lost": c.lost,
                    "p_mcnemar": c.p,
                })
            })
            .collect();
        let warnings: Vec<_> = evalh_report::warnings(record)
            .iter()
            .map(|warning| json!({ "what": warning.what, "remedy": warning.remedy }))
            .collect();
        console.machine(&json!({
            "run": dir,
            "report": dir.join("report.md"),
            "results": record.results,
            "comparisons": comparisons,
            "timings": record.timings,
            "warnings": warnings,
        }));
    }
}
