//! What an experiment is made of.

use crate::Comparison;
use evalh_record::{
    Sha256,
    training::{LayerSelection, TrainingRecord},
};

/// What an experiment is made of.
#[derive(Debug, Clone)]
pub struct ExperimentInput<'e> {
    /// Its name.
    pub name: &'e str,
    /// The ways of training, in the plan's order.
    pub arms: Vec<ArmInput<'e>>,
    /// The probes of layers.
    pub probes: Vec<ProbeInput<'e>>,
    /// What the trained variants answered, where something was asked.
    pub comparison: Option<&'e Comparison>,
    /// Suites of what was trained for.
    pub target: &'e [String],
    /// Suites that measure forgetting.
    pub guard: &'e [String],
    /// Confidence of intervals, 0.95.
    pub confidence: f64,
}

/// One way of training.
#[derive(Debug, Clone)]
pub struct ArmInput<'e> {
    /// Its name.
    pub name: &'e str,
    /// A training a seed.
    pub runs: Vec<RunInput<'e>>,
}

/// One training.
#[derive(Debug, Clone, Copy)]
pub struct RunInput<'e> {
    /// The variant that it is in the comparison: its name there.
    pub variant: &'e str,
    /// Its seed.
    pub seed: u64,
    /// What it recorded; `None` where it did not get as far.
    pub record: Option<&'e TrainingRecord>,
    /// What went wrong outside of its record: it could not begin.
    pub problem: Option<&'e str>,
}

/// One probe.
#[derive(Debug, Clone, Copy)]
pub struct ProbeInput<'e> {
    /// Its name.
    pub name: &'e str,
    /// Hash of its `layers.json`, by which trainings name it.
    pub sha256: &'e Sha256,
    /// What it found.
    pub selection: &'e LayerSelection,
}
