//! What was found, for people: on a terminal and as Markdown, from the same tables.

mod figure;
mod sheet;

use super::found::Found;
use crate::energy::EnergySource;
use crate::output::number;
use evalh_report::{
    Align, Style, Table,
    aligned::{BOLD, Cell, PLAIN, aligned},
    escaped,
};
use figure::seconds;
use sheet::sheets;
use std::fmt::Write as _;

/// What the terminal shows.
pub fn terminal(found: &Found, style: Style) -> String {
    let mut out = format!("{}\n", subject(found));
    for sheet in sheets(found) {
        let _ = writeln!(out, "\n{}", sheet.title);
        let cell = |text: &str, align: Align, ansi| match align {
            Align::Left => Cell::name(text, ansi),
            Align::Right => Cell::number(text, ansi),
        };
        let header = sheet
            .columns
            .iter()
            .map(|&(name, align)| cell(name, align, BOLD));
        let mut rows: Vec<Vec<Cell>> = vec![header.collect()];
        rows.extend(sheet.rows.iter().map(|row| {
            let cells = row.iter().zip(&sheet.columns);
            cells
                .map(|(text, &(_, align))| cell(text, align, PLAIN))
                .collect()
        }));
        out.push_str(&aligned(&rows, style));
    }
    let _ = writeln!(out, "\n{}", costs(found));
    out
}

/// `bench.md`.
pub fn markdown(found: &Found) -> String {
    let mut out = format!("# {}\n", escaped(&subject(found)));
    for sheet in sheets(found) {
        let _ = writeln!(out, "\n## {}\n", sheet.title);
        let mut table = Table::new(&sheet.columns);
        for row in &sheet.rows {
            table.row(row.iter().map(|text| escaped(text)).collect());
        }
        let _ = write!(out, "{table}");
    }
    let _ = writeln!(out, "\n## Costs\n\n{}", costs(found));
    let _ = writeln!(
        out,
        "\nMedians, with the 95 % interval of the median, by the order of the repetitions. CPU seconds are those of all threads."
    );
    if !found.warnings.is_empty() {
        out.push_str("\n## Warnings\n\n");
        for warning in &found.warnings {
            let _ = writeln!(out, "- {}; {}", escaped(&warning.what), warning.remedy);
        }
    }
    if !found.plan.left_out.is_empty() {
        out.push_str("\n## Left out\n\n");
        for what in &found.plan.left_out {
            let _ = writeln!(out, "- {what}");
        }
    }
    out
}

fn subject(found: &Found) -> String {
    let subject = &found.subject;
    let quantize = subject.quantize.as_ref();
    let quantize = quantize.map_or_else(String::new, |to| format!(", {to}"));
    format!(
        "{} on {} ({} {} of {}, kernel {}, precision {}{quantize})",
        subject.model,
        subject.device,
        subject.threads,
        if subject.threads == 1 {
            "thread"
        } else {
            "threads"
        },
        subject.machine,
        subject.kernel,
        subject.precision
    )
}

fn costs(found: &Found) -> String {
    let load = &found.load;
    let peak = |bytes: Option<u64>| bytes.map_or_else(|| "not available".to_owned(), number::bytes);
    let energy = match &found.energy {
        EnergySource::From(source) => source.clone(),
        EnergySource::Unavailable(why) => format!("not available ({why})"),
    };
    format!(
        "load {} (CPU {}); weights {} ({}); peak memory {} while loading, {} while measuring; energy {energy}",
        seconds(load.seconds),
        seconds(load.cpu_seconds),
        number::bytes(load.bytes as u64),
        load.dtype,
        peak(load.peak_memory_bytes),
        peak(found.peak_memory_bytes),
    )
}
