//! `report.md`: GitHub-flavoured Markdown, the verdict first, details folded.

mod costs;
mod efficiency;
mod escape;
mod forgetting;
mod provenance;
mod replicated;
mod scores;
mod suite;
mod table;

use crate::{
    compare::{Comparison, Run},
    verdict::verdicts,
};
use escape::text;
pub use escape::text as escaped;
use std::fmt::Write as _;
pub use table::{Align, Table};

/// A plot beside the report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// Its title.
    pub title: String,
    /// What it shows, in a sentence.
    pub caption: String,
    /// The file, relative to the report.
    pub file: String,
}

/// The report of a comparison, made of these runs. Text that a model, a data set or a user wrote is escaped.
pub fn markdown(comparison: &Comparison, runs: &[Run<'_>], images: &[Image]) -> String {
    let mut out = String::new();
    heading(&mut out, comparison);
    scores::summary(&mut out, comparison);
    warnings(&mut out, comparison);
    for image in images {
        let _ = writeln!(
            out,
            "![{}]({})\n\n{}\n",
            text(&image.title),
            image.file.replace(' ', "%20"),
            text(&image.caption)
        );
    }
    forgetting::section(&mut out, comparison);
    replicated::section(&mut out, comparison);
    efficiency::section(&mut out, comparison);
    for compared in &comparison.suites {
        suite::section(&mut out, comparison, compared);
    }
    for run in runs {
        costs::section(&mut out, run, runs.len() > 1);
    }
    for run in runs {
        provenance::section(&mut out, run, runs.len() > 1);
    }
    out
}

fn heading(out: &mut String, comparison: &Comparison) {
    let suites: Vec<_> = comparison
        .suites
        .iter()
        .map(|suite| text(&suite.name))
        .collect();
    let _ = writeln!(out, "# {}\n", suites.join(", "));
    let verdicts = verdicts(comparison);
    if verdicts.is_empty() {
        let alone = comparison.variants.iter().map(|variant| {
            let model = if variant.model == variant.name {
                String::new()
            } else {
                format!(" ({})", text(&variant.model))
            };
            format!("**{}**{model}", text(&variant.name))
        });
        let alone: Vec<_> = alone.collect();
        let _ = writeln!(out, "{} alone.\n", alone.join(" and "));
        return;
    }
    for verdict in verdicts {
        let variant = &comparison.variants[verdict.variant];
        let _ = writeln!(
            out,
            "- **{}** on {}: {}.",
            text(&variant.name),
            text(&variant.model),
            verdict.sentence(&text)
        );
    }
    let _ = writeln!(out);
    for forced in &comparison.forced {
        let _ = writeln!(
            out,
            "> [!CAUTION]\n> {} was answered with other settings (--force): {} is {} there and {} in the first run.\n",
            text(&forced.run),
            text(&forced.field),
            text(&forced.here),
            text(&forced.first)
        );
    }
}

fn warnings(out: &mut String, comparison: &Comparison) {
    for warning in &comparison.warnings {
        let _ = writeln!(
            out,
            "> [!WARNING]\n> {}.\n> {}.\n",
            capital(&text(&warning.what)),
            capital(&text(&warning.remedy))
        );
    }
}

fn capital(sentence: &str) -> String {
    let mut chars = sentence.chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(chars).collect()
    })
}
