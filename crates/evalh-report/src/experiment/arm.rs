//! One arm of an experiment, over its seeds.

use super::{ArmInput, Ending, Over, Paired, RunResult, endings::settings, input::RunInput};
use evalh_record::training::{Energy, LayerChoice, Method, TrainingSettings};
use serde::Serialize;

/// One arm, over its seeds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ArmResult {
    /// Its name.
    pub name: String,
    /// Which parameters move; `None` where no training of it has begun.
    pub method: Option<Method>,
    /// What frozen weights are rounded to.
    pub quantized: Option<String>,
    /// The trained layers of its first seed.
    pub layers: Vec<usize>,
    /// Whether another seed trains others.
    pub layers_vary: bool,
    /// Layers of the model.
    pub of_layers: usize,
    /// How the layers were chosen.
    pub chosen: Option<LayerChoice>,
    /// Parameters that move, of its first seed.
    pub trainable_parameters: Option<u64>,
    /// Parameters of the model with its adapter.
    pub total_parameters: Option<u64>,
    /// How its trainings end.
    pub ending: Ending,
    /// The place of the arm that it is held against.
    pub reference: Option<usize>,
    /// What else it differs in from that arm, beside the layers, the seed and the ending.
    pub differing: Vec<Differing>,
    /// Its trainings.
    pub runs: Vec<RunResult>,
    /// Wall seconds of whole trainings.
    pub wall: Option<Over>,
    /// CPU seconds of whole trainings.
    pub cpu: Option<Over>,
    /// Median seconds of a step.
    pub step: Option<Over>,
    /// Steps of whole trainings.
    pub steps: Option<Over>,
    /// Final loss: mean of the last 10 steps.
    pub loss: Option<Over>,
    /// Highest resident memory of all its trainings.
    pub peak_rss_bytes: Option<u64>,
    /// Joules of whole trainings, where all of them were measured.
    pub joules: Option<Over>,
    /// Why there are no joules.
    pub no_energy: Option<String>,
    /// How many times as fast as the reference it trains: its wall time into the reference's. For trainings of equally many
    /// steps, or to one target that both reached.
    pub speed: Option<Paired>,
    /// The same with the probe's wall time added to its own.
    pub speed_with_probe: Option<Paired>,
    /// The same of CPU time.
    pub speed_cpu: Option<Paired>,
    /// The same of the median step.
    pub speed_step: Option<Paired>,
    /// Its joules into the reference's.
    pub energy_ratio: Option<Paired>,
    /// Final loss minus the reference's.
    pub loss_difference: Option<Paired>,
    /// Steps over the reference's, of an arm that spends the same time.
    pub steps_ratio: Option<Paired>,
}

/// A setting in which an arm differs from the one that it is held against.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Differing {
    /// The setting, `lora.rank`.
    pub field: String,
    /// The reference's value.
    pub reference: String,
    /// This arm's.
    pub here: String,
}

/// A number of a training.
type Value<'v> = &'v dyn Fn(&RunResult) -> Option<f64>;

impl ArmResult {
    /// The arm's own numbers; what it differs by comes later.
    pub(super) fn of(arm: &ArmInput<'_>, ending: Ending, confidence: f64) -> ArmResult {
        let runs: Vec<RunResult> = arm.runs.iter().map(RunResult::of).collect();
        let settings = settings(arm);
        let first = arm
            .runs
            .iter()
            .find_map(layers)
            .cloned()
            .unwrap_or_default();
        let training = arm.runs.iter().find_map(|run| run.record);
        let over = |of: &dyn Fn(&RunResult) -> Option<f64>| {
            let whole = runs.iter().filter(|run| run.is_whole());
            Over::of(&whole.filter_map(of).collect::<Vec<_>>(), confidence)
        };
        let (joules, no_energy) = energy(&runs, confidence);
        ArmResult {
            name: arm.name.to_owned(),
            method: settings.map(|settings| settings.method),
            quantized: settings.and_then(|settings| settings.model.quantized.clone()),
            layers_vary: arm.runs.iter().filter_map(layers).any(|of| *of != first),
            layers: first,
            of_layers: settings.map_or(0, |settings| settings.layers.of_layers),
            chosen: settings.map(|settings| settings.layers.chosen.clone()),
            trainable_parameters: training.map(|record| record.training.trainable_parameters),
            total_parameters: training.map(|record| record.training.total_parameters),
            ending,
            reference: None,
            differing: Vec::new(),
            wall: over(&|run| Some(run.seconds?.wall)),
            cpu: over(&|run| Some(run.seconds?.cpu)),
            step: over(&|run| run.step_seconds),
            steps: over(&|run| Some(run.steps as f64)),
            loss: over(&|run| Some(run.loss?.mean_last_10)),
            peak_rss_bytes: runs.iter().filter_map(|run| run.peak_rss_bytes).max(),
            joules,
            no_energy,
            speed: None,
            speed_with_probe: None,
            speed_cpu: None,
            speed_step: None,
            energy_ratio: None,
            loss_difference: None,
            steps_ratio: None,
            runs,
        }
    }

    /// Holds it against another arm; `probe` are the wall seconds of its probe for a seed.
    pub(super) fn hold_against(
        &mut self,
        other: (usize, &ArmResult),
        probe: &dyn Fn(u64) -> Option<f64>,
        confidence: f64,
    ) {
        let (place, other) = other;
        self.reference = Some(place);
        let pairs: Vec<(&RunResult, &RunResult)> = self
            .runs
            .iter()
            .filter_map(|run| Some((run, other.runs.iter().find(|of| of.seed == run.seed)?)))
            .filter(|(run, of)| run.is_whole() && of.is_whole())
            .collect();
        let comparable = |run: &RunResult, of: &RunResult| match self.ending {
            Ending::Length => run.steps == of.steps,
            Ending::Target(_) => run.reached() && of.reached(),
            Ending::Compute { .. } => false,
        };
        // How often the arm's value goes into the reference's.
        let ratios = |of: Value<'_>, all: bool| {
            let each = pairs
                .iter()
                .filter(|(run, other)| all || comparable(run, other));
            let each = each.filter_map(|(run, other)| Some((run.seed, of(other)? / of(run)?)));
            Paired::ratios(each.collect(), confidence)
        };
        let speed = ratios(&|run| Some(run.seconds?.wall), false);
        let with_probe = pairs
            .iter()
            .filter(|(run, other)| comparable(run, other))
            .filter_map(|(run, other)| {
                Some((
                    run.seed,
                    other.seconds?.wall / (run.seconds?.wall + probe(run.seed)?),
                ))
            });
        let with_probe = Paired::ratios(with_probe.collect(), confidence);
        let speed_cpu = ratios(&|run| Some(run.seconds?.cpu), false);
        let speed_step = ratios(&|run| run.step_seconds, true);
        let energy_ratio = ratios(&RunResult::joules, false);
        let steps = pairs
            .iter()
            .map(|(run, other)| (run.seed, run.steps as f64 / other.steps as f64));
        let steps_ratio = matches!(self.ending, Ending::Compute { .. })
            .then(|| Paired::ratios(steps.collect(), confidence))
            .flatten();
        let losses = pairs.iter().filter_map(|(run, other)| {
            Some((run.seed, run.loss?.mean_last_10 - other.loss?.mean_last_10))
        });
        let loss_difference = match self.ending {
            Ending::Target(_) => None,
            Ending::Length | Ending::Compute { .. } => {
                Paired::differences(losses.collect(), confidence)
            }
        };
        self.speed = speed;
        self.speed_with_probe = with_probe;
        self.speed_cpu = speed_cpu;
        self.speed_step = speed_step;
        self.energy_ratio = energy_ratio;
        self.steps_ratio = steps_ratio;
        self.loss_difference = loss_difference;
    }

    /// The training of a seed.
    pub fn run(&self, seed: u64) -> Option<&RunResult> {
        self.runs.iter().find(|run| run.seed == seed)
    }
}

/// What else two arms differ in, by the settings of one seed.
pub(super) fn differing(
    ours: &TrainingSettings,
    reference: &TrainingSettings,
    ending: &Ending,
) -> Vec<Differing> {
    let is_meant = |field: &str| {
        let meant = ["layers", "seed", "budget", "target"];
        let by_compute = matches!(ending, Ending::Compute { .. })
            && ["length", "planned_steps"].contains(&field);
        by_compute || meant.contains(&field)
    };
    let all = reference.differences(ours).into_iter();
    let all = all.filter(|of| !is_meant(of.field.split(['.', '[']).next().unwrap_or_default()));
    all.map(|of| Differing {
        field: of.field,
        reference: of.recorded,
        here: of.current,
    })
    .collect()
}

/// The layers that a training trains.
fn layers<'e>(run: &RunInput<'e>) -> Option<&'e Vec<usize>> {
    Some(&run.record?.training.settings.layers.trained)
}

/// Joules over seeds, or why there are none.
fn energy(runs: &[RunResult], confidence: f64) -> (Option<Over>, Option<String>) {
    let whole: Vec<&RunResult> = runs.iter().filter(|run| run.is_whole()).collect();
    let missing = whole.iter().find_map(|run| match &run.energy {
        Some(Energy::Unavailable { reason }) => Some(reason.clone()),
        Some(Energy::Measured { .. }) | None => None,
    });
    if missing.is_some() {
        return (None, missing);
    }
    let joules: Vec<f64> = whole.iter().filter_map(|run| run.joules()).collect();
    (Over::of(&joules, confidence), None)
}
