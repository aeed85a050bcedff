//! The report of an experiment in GitHub-flavoured Markdown: what follows first, then every number, failed trainings too.

mod answers;
mod differences;
mod endings;
mod layers;
mod notes;
mod training;

use super::{Claim, Experiment, words::whole_percent};
use crate::markdown::{Image, escaped as text};
use std::fmt::Write as _;

/// The report. Text that a user wrote is escaped.
pub fn markdown(experiment: &Experiment, images: &[Image]) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "# {}\n", text(&experiment.name));
    conditions(&mut out, experiment);
    findings(&mut out, experiment);
    cautions(&mut out, experiment);
    for image in images {
        let _ = writeln!(
            out,
            "![{}]({})\n\n{}\n",
            text(&image.title),
            image.file.replace(' ', "%20"),
            text(&image.caption)
        );
    }
    training::section(&mut out, experiment);
    differences::speeds(&mut out, experiment);
    differences::losses(&mut out, experiment);
    endings::matched(&mut out, experiment);
    endings::targets(&mut out, experiment);
    answers::section(&mut out, experiment);
    layers::section(&mut out, experiment);
    training::runs(&mut out, experiment);
    notes::section(&mut out, experiment);
    out
}

fn conditions(out: &mut String, experiment: &Experiment) {
    let mut parts = Vec::new();
    if let Some(model) = &experiment.model {
        parts.push(text(&model.name));
    }
    if let Some(data) = &experiment.data {
        let examples = crate::number::count_of(data.examples);
        parts.push(format!(
            "trained on {} ({examples} examples)",
            text(&data.name)
        ));
    }
    let seeds: Vec<String> = experiment.seeds.iter().map(ToString::to_string).collect();
    parts.push(format!("seeds {}", seeds.join(", ")));
    parts.extend(experiment.machines.iter().map(|machine| text(machine)));
    let _ = writeln!(out, "{}.\n", parts.join("; "));
}

fn findings(out: &mut String, experiment: &Experiment) {
    let _ = writeln!(out, "## What follows\n");
    let (claimed, open): (Vec<_>, Vec<_>) = experiment
        .findings
        .iter()
        .partition(|of| matches!(of.claim, Claim::Higher | Claim::Lower));
    if claimed.is_empty() {
        let _ = writeln!(out, "No difference is shown beyond chance.\n");
    }
    for of in &claimed {
        let _ = writeln!(out, "- {}", text(&of.sentence));
    }
    if !claimed.is_empty() {
        let _ = writeln!(out);
    }
    if !open.is_empty() {
        let _ = writeln!(out, "Not shown:\n");
        for of in &open {
            let _ = writeln!(out, "- {}", text(&of.sentence));
        }
        let _ = writeln!(out);
    }
}

fn cautions(out: &mut String, experiment: &Experiment) {
    for caution in &experiment.cautions {
        let _ = writeln!(out, "> [!WARNING]\n> {}.\n", text(caution));
    }
}

/// `95 %`.
fn confidence(experiment: &Experiment) -> String {
    format!("{} %", whole_percent(experiment.confidence))
}

/// An en dash, for what is not there.
fn dash() -> String {
    "\u{2013}".to_owned()
}
