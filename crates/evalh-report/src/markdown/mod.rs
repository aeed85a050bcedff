//! `report.md`: GitHub-flavoured Markdown, the verdict first, details folded.

mod costs;
mod escape;
mod provenance;
mod table;

use crate::{
    compare::{OldComparison as Comparison, comparison_of, comparisons},
    counts::{Finishes, error_classes, outcomes},
    number::{count_of, counted, p_value, percent, points, score},
    parts::{is_detail, is_headline, prefix, same_metric},
    warnings::warnings,
};
use escape::text;
pub use escape::text as escaped;
use evalh_record::{Outcome, Part, Record, ResultRow, Sample, SuiteSettings};
use std::fmt::Write as _;
pub use table::{Align, Table};

/// Items gained or lost that are shown by name; the rest are counted.
const FLIPS: usize = 100;

/// Errors of one class shown by name; the rest are summed.
const CLASSES: usize = 6;

/// The report of a record. Text that a model, a data set or a user wrote is escaped.
pub fn markdown(record: &Record) -> String {
    let compared = comparisons(record);
    let mut out = String::new();
    heading(&mut out, record);
    for warning in warnings(record) {
        let _ = writeln!(
            out,
            "> [!WARNING]\n> {}.\n> {}.\n",
            capital(&text(&warning.what)),
            capital(&text(&warning.remedy))
        );
    }
    for suite in &record.manifest.settings.suites {
        suite_section(&mut out, record, suite, &compared);
    }
    costs::section(&mut out, record);
    provenance::section(&mut out, record);
    out
}

fn heading(out: &mut String, record: &Record) {
    let settings = &record.manifest.settings;
    let suites: Vec<_> = settings
        .suites
        .iter()
        .map(|suite| text(&suite.name))
        .collect();
    let variants: Vec<_> = settings
        .variants
        .iter()
        .map(|variant| format!("**{}**", text(&variant.name)))
        .collect();
    let checkpoint = match settings.variants.first() {
        Some(base) if base.name != base.checkpoint => format!(" ({})", text(&base.checkpoint)),
        _ => String::new(),
    };
    let _ = writeln!(out, "# {}\n", suites.join(", "));
    let _ = match variants.split_first() {
        Some((base, [])) => writeln!(out, "{base}{checkpoint} alone.\n"),
        Some((base, others)) => writeln!(
            out,
            "{} against {base}{checkpoint}, on the same items.\n",
            others.join(" and ")
        ),
        None => writeln!(out, "No variants.\n"),
    };
}

fn suite_section(
    out: &mut String,
    record: &Record,
    suite: &SuiteSettings,
    compared: &[Comparison],
) {
    let _ = writeln!(
        out,
        "## {} ({})\n",
        text(&suite.name),
        text(&suite.protocol)
    );
    let _ = writeln!(out, "{}\n", describe(suite));
    scores(out, record, suite, compared);
    flips(out, suite, compared);
    outcome_counts(out, record, suite);
    endings(out, record, suite);
}

/// How the suite was asked, in one line.
fn describe(suite: &SuiteSettings) -> String {
    let mut parts = vec![counted(suite.items, "item")];
    if let Some(limit) = suite.limit {
        parts[0] = match suite.tasks.len() {
            1 => format!("the first {} items (--limit)", count_of(suite.items as u64)),
            _ => format!(
                "{} items (--limit {limit} a task)",
                count_of(suite.items as u64)
            ),
        };
    }
    if suite.shots > 0 {
        parts.push(counted(suite.shots, "shot"));
    }
    if suite.samples > 1 {
        parts.push(format!("{} samples an item", suite.samples));
    }
    match suite.sampling {
        Some(sampling) if sampling.temperature == 0.0 => parts.push("greedy".to_owned()),
        Some(sampling) => parts.push(format!(
            "temperature {}, top-p {}, seed {}",
            sampling.temperature, sampling.top_p, sampling.seed
        )),
        None => {}
    }
    if let Some(tokens) = suite.max_new_tokens {
        parts.push(format!("at most {} new tokens", count_of(tokens as u64)));
    }
    format!("{}.", capital(&parts.join(", ")))
}

fn scores(out: &mut String, record: &Record, suite: &SuiteSettings, compared: &[Comparison]) {
    let of_suite = record.results.iter().filter(|row| row.suite == suite.name);
    let (details, shown): (Vec<_>, Vec<_>) = of_suite.partition(|row| is_detail(suite, row.part));
    let _ = writeln!(out, "{}", score_table(record, &shown, compared));
    let _ = match compared {
        [] => writeln!(out, "Score \u{b1} standard error over items.\n"),
        _ => writeln!(
            out,
            "Score \u{b1} standard error over items; differences (of shares in percentage points) \u{b1} the standard error of the paired differences; p is the exact two-sided McNemar test of gained against lost items.\n"
        ),
    };
    if !details.is_empty() {
        let table = score_table(record, &details, compared);
        let tasks = counted(suite.tasks.len(), "task");
        let _ = writeln!(
            out,
            "<details><summary>{tasks}</summary>\n\n{table}\n</details>\n"
        );
    }
}

/// Rows of results, a metric of a part with all its variants after one another.
fn score_table(record: &Record, rows: &[&ResultRow], compared: &[Comparison]) -> Table {
    let mut columns = vec![
        ("variant", Align::Left),
        ("metric", Align::Left),
        ("score", Align::Right),
    ];
    if !compared.is_empty() {
        columns.extend(
            ["against base", "items gained", "items lost", "p (McNemar)"]
                .map(|title| (title, Align::Right)),
        );
    }
    columns.push(("items", Align::Right));
    let mut table = Table::new(&columns);
    let variants = &record.manifest.settings.variants;
    let base = variants.first().map(|variant| variant.name.as_str());
    let mut metrics: Vec<&ResultRow> = Vec::new();
    for &row in rows {
        if !metrics.iter().any(|known| same_metric(known, row)) {
            metrics.push(row);
        }
    }
    for metric in metrics {
        let of = |variant: Option<&str>| {
            rows.iter()
                .copied()
                .find(|row| same_metric(row, metric) && Some(row.variant.as_str()) == variant)
        };
        for row in variants
            .iter()
            .filter_map(|variant| of(Some(&variant.name)))
        {
            let mut cells = vec![
                text(&row.variant),
                text(&prefix(row.part, &row.task)) + &text(&row.metric),
                score(row.metric_name(), row.value, row.stderr),
            ];
            match (comparison_of(compared, row), of(base)) {
                (Some(comparison), Some(base)) => {
                    let difference = row.value - base.value;
                    let headline = is_headline(record, row);
                    let error = comparison
                        .stderr_of(base.value, row.value)
                        .filter(|_| headline);
                    cells.push(points(row.metric_name(), difference, error));
                    if headline {
                        cells.extend([
                            comparison.gained.len().to_string(),
                            comparison.lost.len().to_string(),
                            comparison.p.map_or_else(|| "\u{2013}".to_owned(), p_value),
                        ]);
                    } else {
                        cells.extend(["", "", ""].map(str::to_owned));
                    }
                }
                _ if compared.is_empty() => {}
                _ => cells.extend(["base", "", "", ""].map(str::to_owned)),
            }
            cells.push(count_of(row.n as u64));
            table.row(cells);
        }
    }
    table
}

fn flips(out: &mut String, suite: &SuiteSettings, compared: &[Comparison]) {
    let is_whole = |c: &&Comparison| c.suite == suite.name && c.part == Part::Whole;
    let of: Vec<_> = compared.iter().filter(is_whole).collect();
    if of.iter().all(|c| c.gained.is_empty() && c.lost.is_empty()) {
        return;
    }
    let _ = writeln!(out, "<details><summary>Items gained and lost</summary>\n");
    for comparison in of {
        for (what, items) in [("gained", &comparison.gained), ("lost", &comparison.lost)] {
            if !items.is_empty() {
                let shown: Vec<_> = items.iter().take(FLIPS).map(|item| text(item)).collect();
                let rest = match items.len().saturating_sub(FLIPS) {
                    0 => String::new(),
                    more => format!(" and {} more", count_of(more as u64)),
                };
                let _ = writeln!(
                    out,
                    "- **{}** {what}: {}{rest}",
                    text(&comparison.variant),
                    shown.join(", ")
                );
            }
        }
    }
    let _ = writeln!(out, "\n</details>\n");
}

fn outcome_counts(out: &mut String, record: &Record, suite: &SuiteSettings) {
    let variants = &record.manifest.settings.variants;
    let counts: Vec<_> = variants
        .iter()
        .map(|v| outcomes(samples(record, suite, &v.name)))
        .collect();
    let shown: Vec<usize> = (0..Outcome::KINDS.len())
        .filter(|&kind| counts.iter().any(|c| c[kind] > 0))
        .collect();
    if shown.is_empty() {
        return;
    }
    let mut columns = vec![("programs", Align::Left)];
    columns.extend(
        shown
            .iter()
            .map(|&kind| (Outcome::KINDS[kind], Align::Right)),
    );
    columns.push(("errors by class", Align::Left));
    let mut table = Table::new(&columns);
    for (variant, counts) in variants.iter().zip(&counts) {
        let mut cells = vec![text(&variant.name)];
        cells.extend(shown.iter().map(|&kind| count_of(counts[kind] as u64)));
        let classes = error_classes(samples(record, suite, &variant.name));
        let mut names: Vec<_> = classes
            .iter()
            .take(CLASSES)
            .map(|(class, n)| format!("{} {n}", text(class)))
            .collect();
        let rest: usize = classes.iter().skip(CLASSES).map(|(_, n)| n).sum();
        if rest > 0 {
            names.push(format!("others {rest}"));
        }
        cells.push(names.join(", "));
        table.row(cells);
    }
    let _ = writeln!(out, "{table}");
}

fn endings(out: &mut String, record: &Record, suite: &SuiteSettings) {
    let mut table = Table::new(&[
        ("answers ended by", Align::Left),
        ("stop string", Align::Right),
        ("end of sequence", Align::Right),
        ("token limit", Align::Right),
        ("mean tokens", Align::Right),
    ]);
    let mut any = false;
    for variant in &record.manifest.settings.variants {
        let ends = Finishes::of(samples(record, suite, &variant.name));
        let total = ends.total();
        any |= total > 0;
        let cell = |count: usize| {
            format!(
                "{} ({} %)",
                count_of(count as u64),
                percent(count as f64 / total.max(1) as f64)
            )
        };
        let tokens: usize = samples(record, suite, &variant.name)
            .map(generated_tokens)
            .sum();
        table.row(vec![
            text(&variant.name),
            cell(ends.stop),
            cell(ends.eos),
            cell(ends.length),
            format!("{:.1}", tokens as f64 / total.max(1) as f64),
        ]);
    }
    if any {
        let _ = writeln!(out, "{table}");
    }
}

fn samples<'r>(
    record: &'r Record,
    suite: &'r SuiteSettings,
    variant: &'r str,
) -> impl Iterator<Item = &'r Sample> {
    record
        .samples
        .iter()
        .filter(move |s| s.suite == suite.name && s.variant == variant)
}

fn generated_tokens(sample: &Sample) -> usize {
    match &sample.answer {
        evalh_record::Answer::Generated(generation) => generation.tokens,
        evalh_record::Answer::Scored(_)
        | evalh_record::Answer::Loss(_)
        | evalh_record::Answer::Classified(_) => 0,
    }
}

fn capital(sentence: &str) -> String {
    let mut chars = sentence.chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(chars).collect()
    })
}
