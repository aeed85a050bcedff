//! An experiment for a terminal: the arms, what follows, what to beware of.

use super::{Claim, Ending, Experiment, words::seconds_over};
use crate::{
    aligned::{BOLD, Cell, DIM, PLAIN, Style, aligned, painted, printable},
    number::{bytes, count_of},
};
use anstyle::AnsiColor;
use std::fmt::Write as _;

/// The arms as a table, the findings and the cautions.
pub fn terminal(experiment: &Experiment, style: Style) -> String {
    let dash = || "\u{2013}".to_owned();
    let names = [Cell::name("arm", BOLD), Cell::name("ends", BOLD)];
    let numbers = [
        "layers",
        "trained",
        "runs",
        "steps",
        "wall",
        "step",
        "loss",
        "times as fast",
        "memory",
    ];
    let mut rows: Vec<Vec<Cell>> = vec![
        names
            .into_iter()
            .chain(numbers.map(|title| Cell::number(title, BOLD)))
            .collect(),
    ];
    for arm in &experiment.arms {
        let whole = arm.runs.iter().filter(|run| run.is_whole()).count();
        let ends = match &arm.ending {
            Ending::Length => "by steps".to_owned(),
            Ending::Compute { of } => format!("by time of {of}"),
            Ending::Target(target) => format!("at loss {}", target.value),
        };
        let speed = arm
            .speed
            .as_ref()
            .map_or_else(dash, |speed| match speed.interval {
                Some(range) => format!("{:.2} [{:.2}, {:.2}]", speed.value, range.low, range.high),
                None => format!("{:.2}", speed.value),
            });
        rows.push(vec![
            Cell::name(&arm.name, BOLD),
            Cell::name(&ends, DIM),
            Cell::number(format!("{}/{}", arm.layers.len(), arm.of_layers), PLAIN),
            Cell::number(arm.trainable_parameters.map_or_else(dash, count_of), PLAIN),
            Cell::number(format!("{whole}/{}", arm.runs.len()), PLAIN),
            Cell::number(
                arm.steps
                    .map_or_else(dash, |steps| format!("{:.0}", steps.mean)),
                PLAIN,
            ),
            Cell::number(arm.wall.as_ref().map_or_else(dash, seconds_over), PLAIN),
            Cell::number(arm.step.as_ref().map_or_else(dash, seconds_over), PLAIN),
            Cell::number(
                arm.loss
                    .map_or_else(dash, |loss| format!("{:.4}", loss.mean)),
                PLAIN,
            ),
            Cell::number(speed, PLAIN),
            Cell::number(bytes(arm.peak_rss_bytes), DIM),
        ]);
    }
    let mut out = aligned(&rows, style);
    for run in experiment.arms.iter().flat_map(|arm| &arm.runs) {
        if let Some(problem) = &run.problem {
            let red = PLAIN.fg_color(Some(AnsiColor::Red.into()));
            let _ = writeln!(
                out,
                "{}: {}: {}",
                painted(&printable(&run.variant), BOLD, style),
                painted(run.state(), red, style),
                printable(problem)
            );
        }
    }
    for caution in &experiment.cautions {
        let yellow = PLAIN.fg_color(Some(AnsiColor::Yellow.into())).bold();
        let _ = writeln!(
            out,
            "{}: {}",
            painted("warning", yellow, style),
            printable(caution)
        );
    }
    for finding in &experiment.findings {
        let ansi = match finding.claim {
            Claim::Higher | Claim::Lower => PLAIN,
            Claim::Inconclusive | Claim::TooFewSeeds | Claim::Untested => DIM,
        };
        let _ = writeln!(
            out,
            "{}",
            painted(&printable(&finding.sentence), ansi, style)
        );
    }
    out
}
