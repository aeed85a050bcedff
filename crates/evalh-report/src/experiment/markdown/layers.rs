//! What the probes found.

use super::{dash, text};
use crate::{
    experiment::{Experiment, bars},
    markdown::{Align, Table},
    number::{percent, seconds, spans},
};
use std::fmt::Write as _;

/// The probes: what they cost and which layers they select, with a picture of the scores.
pub(super) fn section(out: &mut String, experiment: &Experiment) {
    if experiment.probes.is_empty() {
        return;
    }
    let mut table = Table::new(&[
        ("probe", Align::Left),
        ("for", Align::Left),
        ("looks at", Align::Left),
        ("seed", Align::Right),
        ("wall", Align::Right),
        ("CPU", Align::Right),
        ("of a standard training", Align::Right),
        ("selected", Align::Left),
    ]);
    for probe in &experiment.probes {
        let found = &probe.selection;
        let looks = match (found.batches, found.samples) {
            (Some(batches), _) => batches_of(batches),
            (None, Some(samples)) => crate::number::counted(samples, "example"),
            (None, None) => "nothing".to_owned(),
        };
        table.row(vec![
            text(&probe.name),
            text(&probe.arms.join(", ")),
            looks,
            found.seed.to_string(),
            seconds(found.seconds.wall),
            seconds(found.seconds.cpu),
            probe
                .share
                .map_or_else(dash, |share| format!("{} %", percent(share))),
            format!(
                "{} of {}: {}",
                found.layers_to_transform.len(),
                found.scores.len(),
                spans(&found.layers_to_transform)
            ),
        ]);
    }
    let _ = writeln!(
        out,
        "## Layers\n\n{table}\nOf a standard training: the probe's wall time over the mean of the standard arm's.\n"
    );
    for probe in &experiment.probes {
        let found = &probe.selection;
        let _ = writeln!(
            out,
            "{}, by {}: the score of each layer, selected ones with `#` and a star.\n\n```text\n{}```\n",
            text(&probe.name),
            found.method,
            bars(&found.scores, &found.layers_to_transform)
        );
    }
}

fn batches_of(batches: usize) -> String {
    if batches == 1 {
        "1 batch".to_owned()
    } else {
        format!("{batches} batches")
    }
}
