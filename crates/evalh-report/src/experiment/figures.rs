//! Drawings of an experiment.

use super::{Experiment, loss::measure};
use crate::{
    Figure,
    plot::{self, Curve},
};

/// Losses over time, and the scores of layers, a drawing a probe.
pub fn figures(experiment: &Experiment) -> Vec<Figure> {
    let arms = experiment.arms.iter().map(|arm| Curve {
        name: &arm.name,
        lines: arm.runs.iter().map(|run| run.curve.as_slice()).collect(),
    });
    let drawn = arms.filter(|arm| arm.lines.iter().any(|line| line.len() > 1));
    let mut found = plot::curves(&drawn.collect::<Vec<_>>(), measure(experiment.objective));
    let probes = experiment.probes.iter().enumerate();
    found.extend(probes.map(|(at, probe)| plot::layers(at, &probe.name, &probe.selection)));
    found
}
