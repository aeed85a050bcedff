//! `report.md`: GitHub-flavoured Markdown, the verdict first, details folded.

mod costs;
mod escape;
mod provenance;
mod table;

use crate::{
    compare::{Comparison, comparisons},
    counts::{Finishes, error_classes, outcomes},
    number::{count_of, counted, p_value, percent, points, score},
    warnings::warnings,
};
use escape::text;
use evalh_record::{Outcome, Record, Sample, SuiteSettings};
use std::fmt::Write as _;
use table::{Align, Table};

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
    if suite.limit.is_some() {
        parts[0] = format!("the first {} items (--limit)", count_of(suite.items as u64));
    }
    if suite.shots > 0 {
        parts.push(counted(suite.shots, "shot"));
    }
    if suite.samples > 1 {
        parts.push(format!("{} samples an item", suite.samples));
    }
    let sampling = suite.sampling;
    if sampling.temperature == 0.0 {
        parts.push("greedy".to_owned());
    } else {
        parts.push(format!(
            "temperature {}, top-p {}, seed {}",
            sampling.temperature, sampling.top_p, sampling.seed
        ));
    }
    parts.push(format!(
        "at most {} new tokens",
        count_of(suite.max_new_tokens as u64)
    ));
    format!("{}.", capital(&parts.join(", ")))
}

fn scores(out: &mut String, record: &Record, suite: &SuiteSettings, compared: &[Comparison]) {
    let rows: Vec<_> = record
        .results
        .iter()
        .filter(|row| row.suite == suite.name)
        .collect();
    let base = record
        .manifest
        .settings
        .variants
        .first()
        .map(|variant| variant.name.as_str());
    let mut metrics: Vec<(&str, &str)> = Vec::new();
    for row in &rows {
        if !metrics.contains(&(row.task.as_str(), row.metric.as_str())) {
            metrics.push((&row.task, &row.metric));
        }
    }
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
    for (task, metric) in metrics {
        let of = |variant: Option<&str>| {
            rows.iter().find(|row| {
                row.task == task && row.metric == metric && Some(row.variant.as_str()) == variant
            })
        };
        for variant in &record.manifest.settings.variants {
            let Some(row) = of(Some(&variant.name)) else {
                continue;
            };
            let name = if task == suite.name {
                text(metric)
            } else {
                format!("{} {}", text(task), text(metric))
            };
            let mut cells = vec![text(&variant.name), name, score(row.value, row.stderr)];
            let comparison = compared
                .iter()
                .find(|c| c.suite == suite.name && c.variant == variant.name);
            match (comparison, of(base)) {
                (Some(comparison), Some(base)) => cells.extend([
                    points(
                        row.value - base.value,
                        comparison.stderr_of(row.value - base.value),
                    ),
                    comparison.gained.len().to_string(),
                    comparison.lost.len().to_string(),
                    comparison.p.map_or_else(|| "\u{2013}".to_owned(), p_value),
                ]),
                _ if compared.is_empty() => {}
                _ => cells.extend(["base", "", "", ""].map(str::to_owned)),
            }
            cells.push(count_of(row.n as u64));
            table.row(cells);
        }
    }
    let _ = writeln!(out, "{table}");
    let _ = match compared {
        [] => writeln!(out, "Score \u{b1} standard error over items.\n"),
        _ => writeln!(
            out,
            "Score \u{b1} standard error over items; differences in percentage points \u{b1} the standard error of the paired differences; p is the exact two-sided McNemar test of gained against lost items.\n"
        ),
    };
}

fn flips(out: &mut String, suite: &SuiteSettings, compared: &[Comparison]) {
    let of: Vec<_> = compared.iter().filter(|c| c.suite == suite.name).collect();
    if of.iter().all(|c| c.gained.is_empty() && c.lost.is_empty()) {
        return;
    }
    let _ = writeln!(out, "<details><summary>Items gained and lost</summary>\n");
    for comparison in of {
        for (what, items) in [("gained", &comparison.gained), ("lost", &comparison.lost)] {
            if !items.is_empty() {
                let items: Vec<_> = items.iter().map(|item| text(item)).collect();
                let _ = writeln!(
                    out,
                    "- **{}** {what}: {}",
                    text(&comparison.variant),
                    items.join(", ")
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
