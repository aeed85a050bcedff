//! What the arms cost, and every training.

use super::{dash, text};
use crate::{
    experiment::{ArmResult, Experiment, Over, RunResult, words::seconds_over},
    markdown::{Align, Table},
    number::{bytes, count_of, seconds, spans},
};
use evalh_record::training::{LayerChoice, Method};
use std::fmt::Write as _;

/// The arms: layers, parameters, time, memory, energy.
pub(super) fn section(out: &mut String, experiment: &Experiment) {
    let _ = writeln!(out, "## Training\n");
    let mut table = Table::new(&[
        ("arm", Align::Left),
        ("layers", Align::Left),
        ("trained", Align::Right),
        ("steps", Align::Right),
        ("wall", Align::Right),
        ("CPU", Align::Right),
        ("step", Align::Right),
        ("peak memory", Align::Right),
        ("energy", Align::Right),
    ]);
    for arm in &experiment.arms {
        table.row(vec![
            text(&arm.name),
            layers(arm),
            arm.trainable_parameters.map_or_else(dash, count_of),
            arm.steps
                .map_or_else(dash, |steps| format!("{:.0}", steps.mean)),
            arm.wall.as_ref().map_or_else(dash, seconds_over),
            arm.cpu.as_ref().map_or_else(dash, seconds_over),
            arm.step.as_ref().map_or_else(dash, seconds_over),
            bytes(arm.peak_rss_bytes),
            energy(arm),
        ]);
    }
    let _ = writeln!(
        out,
        "{table}\nMean \u{b1} standard deviation over the seeds whose training ended as planned; step: the mean of the runs' median steps, the first of each left out.\n"
    );
    for reason in reasons(experiment) {
        let _ = writeln!(out, "Energy was not measured: {}.\n", text(reason));
    }
}

fn layers(arm: &ArmResult) -> String {
    let Some(chosen) = &arm.chosen else {
        return dash();
    };
    let how = match (chosen, arm.method) {
        (_, Some(Method::Full)) => ", all weights".to_owned(),
        (LayerChoice::Probe { method, .. }, _) => format!(", by {method}"),
        (LayerChoice::All | LayerChoice::List, _) => String::new(),
    };
    let quantized = arm
        .quantized
        .as_ref()
        .map_or_else(String::new, |kind| format!(", over {}", text(kind)));
    let varies = if arm.layers_vary { " (first seed)" } else { "" };
    format!(
        "{} of {}: {}{varies}{how}{quantized}",
        arm.layers.len(),
        arm.of_layers,
        spans(&arm.layers)
    )
}

fn energy(arm: &ArmResult) -> String {
    match (&arm.joules, &arm.no_energy) {
        (Some(joules), _) => joules_over(joules),
        (None, Some(_)) => "not measured".to_owned(),
        (None, None) => dash(),
    }
}

fn joules_over(joules: &Over) -> String {
    let sd = joules
        .sd
        .map_or_else(String::new, |sd| format!(" \u{b1} {sd:.0}"));
    format!("{:.0}{sd} J", joules.mean)
}

fn reasons(experiment: &Experiment) -> Vec<&str> {
    let mut reasons: Vec<&str> = experiment
        .arms
        .iter()
        .filter_map(|arm| arm.no_energy.as_deref())
        .collect();
    reasons.sort_unstable();
    reasons.dedup();
    reasons
}

/// Every training, also those that failed.
pub(super) fn runs(out: &mut String, experiment: &Experiment) {
    let mut table = Table::new(&[
        ("training", Align::Left),
        ("state", Align::Left),
        ("steps", Align::Right),
        ("wall", Align::Right),
        ("CPU", Align::Right),
        ("median step", Align::Right),
        ("tokens", Align::Right),
        ("loss, last 10", Align::Right),
        ("problem", Align::Left),
    ]);
    for run in experiment.arms.iter().flat_map(|arm| &arm.runs) {
        table.row(row(run));
    }
    let _ = writeln!(
        out,
        "## Runs\n\n{table}\nThe interval of a median step is of that run's steps alone (95 %, from their order).\n"
    );
}

fn row(run: &RunResult) -> Vec<String> {
    let step = run.step_seconds.map_or_else(dash, |median| {
        let interval = run.step_interval.map_or_else(String::new, |range| {
            format!(" [{}, {}]", seconds(range.low), seconds(range.high))
        });
        format!("{}{interval}", seconds(median))
    });
    vec![
        text(&run.variant),
        run.state().to_owned(),
        run.steps.to_string(),
        run.seconds.map_or_else(dash, |spent| seconds(spent.wall)),
        run.seconds.map_or_else(dash, |spent| seconds(spent.cpu)),
        step,
        count_of(run.tokens),
        run.loss
            .map_or_else(dash, |loss| format!("{:.4}", loss.mean_last_10)),
        run.problem.as_deref().map_or_else(String::new, text),
    ]
}
