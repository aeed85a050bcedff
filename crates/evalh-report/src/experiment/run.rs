//! One training of an experiment.

use super::RunInput;
use crate::compare::Range;
use evalh_record::training::{Energy, LossSummary, Seconds, Status, Stop, TrainingRecord};
use evalh_stats::{median, median_interval_95};
use serde::Serialize;

/// One training.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunResult {
    /// The variant that it is in the comparison.
    pub variant: String,
    /// Its seed.
    pub seed: u64,
    /// How it stands; `None` where it did not begin.
    pub status: Option<Status>,
    /// What went wrong, with the step, the layer and the tensor where they are known.
    pub problem: Option<String>,
    /// Steps that are done.
    pub steps: u64,
    /// Time spent training.
    pub seconds: Option<Seconds>,
    /// Median seconds of a step.
    pub step_seconds: Option<f64>,
    /// An interval of that median for this run's steps, 95 %, from their order (inverted sign test).
    pub step_interval: Option<Range>,
    /// Training losses.
    pub loss: Option<LossSummary>,
    /// Tokens that went through the model.
    pub tokens: u64,
    /// Parameters that moved.
    pub trainable_parameters: Option<u64>,
    /// Highest resident memory.
    pub peak_rss_bytes: Option<u64>,
    /// Energy spent.
    pub energy: Option<Energy>,
    /// Sessions that it took.
    pub sessions: u32,
    /// Its losses for a drawing: wall seconds, and the mean loss of the 10 steps up to there; some of its steps.
    pub curve: Vec<(f64, f64)>,
}

impl RunResult {
    pub(super) fn of(run: &RunInput<'_>) -> RunResult {
        let empty = RunResult {
            variant: run.variant.to_owned(),
            seed: run.seed,
            status: None,
            problem: run.problem.map(str::to_owned),
            steps: 0,
            seconds: None,
            step_seconds: None,
            step_interval: None,
            loss: None,
            tokens: 0,
            trainable_parameters: None,
            peak_rss_bytes: None,
            energy: None,
            sessions: 0,
            curve: Vec::new(),
        };
        let Some(record) = run.record else {
            return RunResult {
                problem: empty
                    .problem
                    .or_else(|| Some("it has not begun".to_owned())),
                ..empty
            };
        };
        let training = &record.training;
        let times = step_times(record);
        RunResult {
            status: Some(training.status.clone()),
            problem: problem(&training.status).or(empty.problem.clone()),
            steps: training.steps,
            seconds: Some(training.seconds),
            step_seconds: median(&times),
            step_interval: median_interval_95(&times).map(|(low, high)| Range { low, high }),
            loss: training.loss,
            tokens: training.tokens,
            trainable_parameters: Some(training.trainable_parameters),
            peak_rss_bytes: training.peak_rss_bytes,
            energy: Some(training.energy.clone()),
            sessions: training.sessions,
            curve: curve(record),
            ..empty
        }
    }

    /// Whether it ended as it should: with its last step, its budget or its target.
    pub fn is_whole(&self) -> bool {
        matches!(
            self.status,
            Some(
                Status::Done
                    | Status::Stopped {
                        why: Stop::BudgetSpent | Stop::TargetReached
                    }
            )
        )
    }

    /// Whether it stopped at its target.
    pub fn reached(&self) -> bool {
        self.status
            == Some(Status::Stopped {
                why: Stop::TargetReached,
            })
    }

    /// Joules, where they were measured.
    pub fn joules(&self) -> Option<f64> {
        match self.energy {
            Some(Energy::Measured { joules, .. }) => Some(joules),
            Some(Energy::Unavailable { .. }) | None => None,
        }
    }

    /// How it stands, in a word or two.
    pub fn state(&self) -> &'static str {
        match &self.status {
            None => "not begun",
            Some(Status::Running) => "unfinished",
            Some(Status::Done) => "done",
            Some(Status::Stopped { why }) => match why {
                Stop::TargetReached => "target reached",
                Stop::BudgetSpent => "budget spent",
                Stop::Interrupted => "interrupted",
            },
            Some(Status::Failed(_)) => "failed",
        }
    }
}

/// Seconds of each step but the first, which also warms up and, where frozen activations are kept, computes them.
fn step_times(record: &TrainingRecord) -> Vec<f64> {
    let ends = record.steps.iter().map(|step| step.wall_s);
    let ends: Vec<f64> = ends.collect();
    ends.windows(2).map(|pair| pair[1] - pair[0]).collect()
}

/// Points of a drawn line: more could not be told apart.
const POINTS: usize = 80;

/// The smoothed losses at about [`POINTS`] steps, the last one among them.
fn curve(record: &TrainingRecord) -> Vec<(f64, f64)> {
    let losses: Vec<f64> = record.steps.iter().map(|step| step.loss).collect();
    let apart = losses.len().div_ceil(POINTS).max(1);
    let ends = (0..losses.len()).rev().step_by(apart);
    let mut points: Vec<(f64, f64)> = ends
        .filter_map(|at| {
            let smoothed = LossSummary::of(&losses[..=at])?.mean_last_10;
            Some((record.steps[at].wall_s, smoothed))
        })
        .collect();
    points.reverse();
    points
}

fn problem(status: &Status) -> Option<String> {
    match status {
        Status::Failed(failure) => {
            let layer = failure.layer.map(|layer| format!(", layer {layer}"));
            let tensor = failure.tensor.as_ref().map(|tensor| format!(", {tensor}"));
            Some(format!(
                "step {}{}{}: {}",
                failure.step,
                layer.unwrap_or_default(),
                tensor.unwrap_or_default(),
                failure.problem
            ))
        }
        Status::Running => Some("it has not ended".to_owned()),
        Status::Stopped {
            why: Stop::Interrupted,
        } => Some("it was interrupted and can be resumed".to_owned()),
        Status::Done | Status::Stopped { .. } => None,
    }
}
