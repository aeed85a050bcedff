//! How an arm's trainings end, and which arm it is held against.

use super::{ArmInput, RunInput, arm::differing};
use evalh_record::training::{Method, Target, TrainingSettings};
use serde::Serialize;

/// How an arm's trainings end.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum Ending {
    /// After its steps.
    Length,
    /// When the wall time of another arm's training of the same seed is spent.
    Compute {
        /// The other arm.
        of: String,
    },
    /// When a metric reaches a target, or after its steps.
    Target(Target),
}

/// The settings of an arm's first training that has any.
pub(super) fn settings<'e>(arm: &ArmInput<'e>) -> Option<&'e TrainingSettings> {
    let mut records = arm.runs.iter().filter_map(|run| run.record);
    records.next().map(|record| &record.training.settings)
}

/// How an arm ends.
pub(super) fn ending(arm: &ArmInput<'_>, all: &[ArmInput<'_>]) -> Ending {
    let settings = settings(arm);
    let budget = settings.and_then(|settings| settings.budget.as_ref());
    if let Some(budget) = budget {
        let is_named = |run: &RunInput<'_>| run.variant == budget.of;
        let of = all.iter().find(|arm| arm.runs.iter().any(is_named));
        return Ending::Compute {
            of: of.map_or_else(|| budget.of.clone(), |arm| arm.name.to_owned()),
        };
    }
    settings
        .and_then(|settings| settings.target.clone())
        .map_or(Ending::Length, Ending::Target)
}

/// The arm that each is held against. Of an arm that spends another's time it is that other one; else an adapter on all
/// layers that ends in the same way: for one of these the first, for the others the one that differs from them in the
/// fewest settings.
pub(super) fn references(arms: &[ArmInput<'_>], endings: &[Ending]) -> Vec<Option<usize>> {
    let is_standard = |at: usize| {
        settings(&arms[at]).is_some_and(|settings| {
            settings.method == Method::Lora
                && settings.layers.trained.len() == settings.layers.of_layers
        })
    };
    let of = |at: usize| {
        if let Ending::Compute { of } = &endings[at] {
            return arms.iter().position(|arm| arm.name == of);
        }
        let alike = |other: &usize| is_standard(*other) && endings[*other] == endings[at];
        let mut standards = (0..arms.len()).filter(alike);
        if is_standard(at) {
            return standards.next();
        }
        let ours = settings(&arms[at])?;
        standards.min_by_key(|other| {
            settings(&arms[*other]).map(|theirs| differing(ours, theirs, &endings[at]).len())
        })
    };
    let found = (0..arms.len()).map(|at| of(at).filter(|&other| other != at));
    found.collect()
}
