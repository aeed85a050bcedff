//! What a reader must know before believing a number.

use super::{Experiment, ExperimentInput, FEWEST_SEEDS, endings::settings};
use crate::number::counted;

/// The cautions, in sentences without their last stop.
pub(super) fn cautions(input: &ExperimentInput<'_>, experiment: &Experiment) -> Vec<String> {
    let mut found = Vec::new();
    if experiment.seeds.len() < FEWEST_SEEDS {
        found.push(format!(
            "{} tell nothing of other seeds: no difference between arms is claimed with fewer than {}",
            counted(experiment.seeds.len(), "seed"),
            FEWEST_SEEDS
        ));
    }
    if experiment.machines.len() > 1 {
        found.push(format!(
            "the trainings ran on different machines or threads, so their times cannot be compared: {}",
            experiment.machines.join("; ")
        ));
    }
    if experiment.standard.is_none() {
        found.push(
            "no arm trains an adapter on all layers for a number of steps, so there is nothing to hold times against".to_owned(),
        );
    }
    let runs = || experiment.arms.iter().flat_map(|arm| &arm.runs);
    let missing = runs().filter(|run| !run.is_whole()).count();
    if missing > 0 {
        found.push(format!(
            "{missing} of {} did not end as planned and are in no mean; the runs below say why",
            counted(runs().count(), "training")
        ));
    }
    let resumed: Vec<&str> = runs()
        .filter(|run| run.sessions > 1)
        .map(|run| run.variant.as_str())
        .collect();
    if !resumed.is_empty() {
        found.push(format!(
            "{} took several sessions: times are sums, without the work that an interruption undid",
            resumed.join(", ")
        ));
    }
    for arm in experiment
        .arms
        .iter()
        .filter(|arm| !arm.differing.is_empty())
    {
        let reference = arm
            .reference
            .map_or("", |at| experiment.arms[at].name.as_str());
        let differing = arm
            .differing
            .iter()
            .map(|of| format!("{} is {} and not {}", of.field, of.here, of.reference));
        found.push(format!(
            "{} differs from {reference} in more than its layers: {}",
            arm.name,
            differing.collect::<Vec<_>>().join(", ")
        ));
    }
    let models: Vec<_> = input
        .arms
        .iter()
        .filter_map(settings)
        .map(|of| &of.model.files)
        .collect();
    if models.windows(2).any(|pair| pair[0] != pair[1]) {
        found.push("the arms train different checkpoints".to_owned());
    }
    if input
        .comparison
        .is_some_and(|comparison| !comparison.forced.is_empty())
    {
        found.push(
            "the variants were not asked alike (--force): believe no difference between them"
                .to_owned(),
        );
    }
    found
}
