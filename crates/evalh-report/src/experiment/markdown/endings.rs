//! Arms that end with another arm's time, or at a target.

use super::{
    dash,
    differences::{plain, ratio, word},
    text,
};
use crate::{
    experiment::{Ending, Experiment, words::seconds_over},
    markdown::{Align, Table},
    number::seconds,
};
use std::fmt::Write as _;

/// Arms that spend another arm's time.
pub(super) fn matched(out: &mut String, experiment: &Experiment) {
    let mut table = Table::new(&[
        ("arm", Align::Left),
        ("spends the time of", Align::Left),
        ("wall", Align::Right),
        ("steps", Align::Right),
        ("times its steps", Align::Right),
        ("loss difference", Align::Right),
        ("finding", Align::Left),
    ]);
    let mut any = false;
    for arm in &experiment.arms {
        let Ending::Compute { of } = &arm.ending else {
            continue;
        };
        any = true;
        table.row(vec![
            text(&arm.name),
            text(of),
            arm.wall.as_ref().map_or_else(dash, seconds_over),
            arm.steps
                .map_or_else(dash, |steps| format!("{:.0}", steps.mean)),
            arm.steps_ratio.as_ref().map_or_else(dash, ratio),
            arm.loss_difference
                .as_ref()
                .map_or_else(dash, |of| plain(of, 4)),
            arm.loss_difference.as_ref().map_or_else(dash, |of| {
                word(of.claim, "higher loss", "lower loss").to_owned()
            }),
        ]);
    }
    if any {
        let _ = writeln!(
            out,
            "### The same compute\n\n{table}\nEach training goes on until the other arm's wall time of the same seed is spent; a probe's time is not counted in.\n"
        );
    }
}

/// Arms that train to a target: every seed a row.
pub(super) fn targets(out: &mut String, experiment: &Experiment) {
    let mut table = Table::new(&[
        ("arm", Align::Left),
        ("seed", Align::Right),
        ("target", Align::Right),
        ("time to it", Align::Right),
        ("steps", Align::Right),
        ("energy", Align::Right),
    ]);
    let mut any = false;
    for arm in &experiment.arms {
        let Ending::Target(target) = &arm.ending else {
            continue;
        };
        any = true;
        for run in &arm.runs {
            let time = match (run.is_whole(), run.reached(), run.seconds) {
                (_, true, Some(spent)) => seconds(spent.wall),
                (true, false, Some(spent)) => format!("not reached in {}", seconds(spent.wall)),
                _ => run.state().to_owned(),
            };
            table.row(vec![
                text(&arm.name),
                run.seed.to_string(),
                target.value.to_string(),
                time,
                run.steps.to_string(),
                run.joules()
                    .map_or_else(dash, |joules| format!("{joules:.0} J")),
            ]);
        }
    }
    if any {
        let _ = writeln!(out, "### To a target\n\n{table}");
    }
}
