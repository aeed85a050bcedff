//! From records to an experiment.

use super::{
    ArmResult, Claimed, Ending, ExperimentInput, ProbeResult, SuiteScores,
    arm::differing,
    cautions::cautions,
    endings::{ending, references, settings},
    findings::findings,
    over::judge,
    scores::scores,
};
use evalh_record::training::{DataSettings, LayerChoice, ModelSettings, Objective};
use serde::Serialize;

/// The version of `experiment.json`.
pub const EXPERIMENT_SCHEMA: u32 = 1;

/// Ways of training over seeds, with every number that a report shows; it is also `experiment.json`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Experiment {
    /// The format's version, [`EXPERIMENT_SCHEMA`].
    pub schema: u32,
    /// Its name.
    pub name: String,
    /// Confidence of intervals.
    pub confidence: f64,
    /// The checkpoint that was trained, of the first training.
    pub model: Option<ModelSettings>,
    /// What was minimised, of the first training.
    pub objective: Option<Objective>,
    /// What was trained on, of the first training.
    pub data: Option<DataSettings>,
    /// The seeds, ascending.
    pub seeds: Vec<u64>,
    /// The machines that trained.
    pub machines: Vec<String>,
    /// The place of the standard arm: the first adapter on all layers that ends after its steps.
    pub standard: Option<usize>,
    /// The arms, in the plan's order.
    pub arms: Vec<ArmResult>,
    /// The probes.
    pub probes: Vec<ProbeResult>,
    /// What was answered.
    pub scores: Vec<SuiteScores>,
    /// What follows, in sentences.
    pub findings: Vec<Claimed>,
    /// What a reader must know before believing a number.
    pub cautions: Vec<String>,
}

/// Analyses an experiment. Trainings that failed or have not ended are rows without numbers; nothing is left out unsaid.
pub fn analyse(input: &ExperimentInput<'_>) -> Experiment {
    let confidence = input.confidence;
    let endings: Vec<Ending> = input
        .arms
        .iter()
        .map(|arm| ending(arm, &input.arms))
        .collect();
    let references = references(&input.arms, &endings);
    let mut arms: Vec<ArmResult> = input
        .arms
        .iter()
        .zip(&endings)
        .map(|(arm, ending)| ArmResult::of(arm, ending.clone(), confidence))
        .collect();
    for (at, reference) in references.iter().enumerate() {
        let Some(reference) = *reference else {
            continue;
        };
        let other = arms[reference].clone();
        let probe = |seed: u64| probe_seconds(input, at, seed);
        arms[at].hold_against((reference, &other), &probe, confidence);
        let of = settings(&input.arms[at]).zip(settings(&input.arms[reference]));
        arms[at].differing = of.map_or_else(Vec::new, |(ours, theirs)| {
            differing(ours, theirs, &endings[at])
        });
    }
    judge(
        arms.iter_mut().filter_map(|arm| arm.speed.as_mut()),
        confidence,
    );
    judge(
        arms.iter_mut()
            .filter_map(|arm| arm.speed_with_probe.as_mut()),
        confidence,
    );
    judge(
        arms.iter_mut().filter_map(|arm| arm.speed_cpu.as_mut()),
        confidence,
    );
    judge(
        arms.iter_mut().filter_map(|arm| arm.speed_step.as_mut()),
        confidence,
    );
    judge(
        arms.iter_mut().filter_map(|arm| arm.energy_ratio.as_mut()),
        confidence,
    );
    judge(
        arms.iter_mut()
            .filter_map(|arm| arm.loss_difference.as_mut()),
        confidence,
    );
    judge(
        arms.iter_mut().filter_map(|arm| arm.steps_ratio.as_mut()),
        confidence,
    );
    let standard = (0..arms.len()).find(|&at| {
        endings[at] == Ending::Length && arms.iter().any(|arm| arm.reference == Some(at))
    });
    let standard = standard.or_else(|| {
        let is_standard = |arm: &ArmResult| {
            arm.chosen.is_some()
                && arm.layers.len() == arm.of_layers
                && arm.ending == Ending::Length
        };
        arms.iter().position(is_standard)
    });
    let mut seeds: Vec<u64> = input
        .arms
        .iter()
        .flat_map(|arm| &arm.runs)
        .map(|run| run.seed)
        .collect();
    seeds.sort_unstable();
    seeds.dedup();
    let first = input.arms.iter().find_map(settings);
    let wall = standard.and_then(|at| arms[at].wall).map(|wall| wall.mean);
    let mut experiment = Experiment {
        schema: EXPERIMENT_SCHEMA,
        name: input.name.to_owned(),
        confidence,
        model: first.map(|settings| settings.model.clone()),
        objective: first.map(|settings| settings.objective),
        data: first.map(|settings| settings.data.clone()),
        seeds,
        machines: machines(input),
        standard,
        probes: input
            .probes
            .iter()
            .map(|probe| ProbeResult::of(probe, wall, users(input, probe.sha256)))
            .collect(),
        scores: scores(input, &arms),
        arms,
        findings: Vec::new(),
        cautions: Vec::new(),
    };
    experiment.cautions = cautions(input, &experiment);
    experiment.findings = findings(&experiment);
    experiment
}

/// The hash of the probe's file that a training names.
fn probe_of<'e>(
    input: &ExperimentInput<'e>,
    arm: usize,
    seed: u64,
) -> Option<&'e evalh_record::Sha256> {
    let run = input.arms[arm].runs.iter().find(|run| run.seed == seed)?;
    match &run.record?.training.settings.layers.chosen {
        LayerChoice::Probe { sha256, .. } => Some(sha256),
        LayerChoice::All | LayerChoice::List => None,
    }
}

/// Wall seconds of the probe that chose an arm's layers, for a seed; `None` where the experiment has no such probe.
fn probe_seconds(input: &ExperimentInput<'_>, arm: usize, seed: u64) -> Option<f64> {
    let named = probe_of(input, arm, seed)?;
    let probe = input.probes.iter().find(|probe| probe.sha256 == named)?;
    Some(probe.selection.seconds.wall)
}

/// The arms that train what a probe selects.
fn users(input: &ExperimentInput<'_>, sha256: &evalh_record::Sha256) -> Vec<String> {
    let uses = |at: &usize| {
        let runs = input.arms[*at].runs.iter();
        runs.clone()
            .any(|run| probe_of(input, *at, run.seed) == Some(sha256))
    };
    let arms = (0..input.arms.len()).filter(uses);
    arms.map(|at| input.arms[at].name.to_owned()).collect()
}

fn machines(input: &ExperimentInput<'_>) -> Vec<String> {
    let mut machines: Vec<String> = Vec::new();
    for record in input
        .arms
        .iter()
        .flat_map(|arm| &arm.runs)
        .filter_map(|run| run.record)
    {
        let threads = record.training.threads;
        let machine = format!(
            "{}, {}",
            record.training.machine,
            crate::number::counted(threads, "thread")
        );
        if !machines.contains(&machine) {
            machines.push(machine);
        }
    }
    machines
}
