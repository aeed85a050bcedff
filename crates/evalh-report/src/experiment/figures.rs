//! Drawings of an experiment.

use super::Experiment;
use crate::{Figure, plot};

/// The scores of layers, a drawing a probe.
pub fn figures(experiment: &Experiment) -> Vec<Figure> {
    let probes = experiment.probes.iter().enumerate();
    probes
        .map(|(at, probe)| plot::layers(at, &probe.name, &probe.selection))
        .collect()
}
