//! One probe of an experiment.

use super::ProbeInput;
use evalh_record::training::{LayerSelection, Seconds};
use serde::Serialize;

/// One probe.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ProbeResult {
    /// Its name.
    pub name: String,
    /// What it found.
    pub selection: LayerSelection,
    /// Its wall time as a share of a training of the reference arm, where there is one.
    pub share: Option<f64>,
    /// The arms that train what it selects.
    pub arms: Vec<String>,
}

impl ProbeResult {
    pub(super) fn of(
        probe: &ProbeInput<'_>,
        standard: Option<f64>,
        arms: Vec<String>,
    ) -> ProbeResult {
        ProbeResult {
            name: probe.name.to_owned(),
            selection: probe.selection.clone(),
            share: standard
                .filter(|wall| *wall > 0.0)
                .map(|wall| probe.selection.seconds.wall / wall),
            arms,
        }
    }

    /// Time spent.
    pub fn seconds(&self) -> Seconds {
        self.selection.seconds
    }
}
