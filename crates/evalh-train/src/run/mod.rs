//! Drives a trainer and writes its record: steps, checkpoints, budgets and targets.

mod checkpoint;
mod goal;

pub use checkpoint::CheckpointState;
pub use goal::Goal;

use crate::data::{Batches, Position};
use crate::{MicroBatch, StepError, TrainError, TrainableModel, Trainer};
use evalh_model::Decoder;
use evalh_record::training::{
    Energy, Failure, LossSummary, ResumableTraining, Seconds, Status, StepRow, Stop, TrainingError,
    TrainingFolder, TrainingSettings,
};
use std::time::Instant;

/// What the process and the machine take, as far as they tell.
pub trait Gauge {
    /// CPU seconds of the process so far, all threads.
    fn cpu_seconds(&self) -> f64;
    /// Bytes that the process holds now.
    fn rss_bytes(&self) -> Option<u64>;
    /// The most bytes that the process ever held.
    fn peak_rss_bytes(&self) -> Option<u64>;
    /// Joules of the device since the gauge was made.
    fn joules(&mut self) -> Option<f64>;
    /// Where joules come from.
    ///
    /// # Errors
    /// Why there are none.
    fn energy_source(&self) -> Result<String, String>;
}

/// A training that is ready to run.
pub struct Session<'a, M: TrainableModel = Decoder> {
    /// The record.
    pub folder: TrainingFolder,
    /// The model in training.
    pub trainer: Trainer<M>,
    /// The examples.
    pub examples: &'a [M::Example],
    /// Their order.
    pub batches: Batches,
    /// Micro-batches of a step.
    pub accumulation: usize,
    /// Steps to take, unless something else ends the training before.
    pub steps: u64,
    /// A checkpoint is written after so many steps; never for 0.
    pub checkpoint_every: u64,
    /// Checkpoints that are kept, the newest ones.
    pub keep: usize,
    /// Wall seconds after which the training ends.
    pub budget: Option<f64>,
    /// What the training is to reach.
    pub goal: Option<Goal<M::Example>>,
    /// Seconds that earlier sessions took.
    pub before: Seconds,
    /// Joules that earlier sessions took.
    pub joules_before: Option<f64>,
}

/// Whoever watches a training.
pub trait Watcher {
    /// A step was taken.
    fn step(&mut self, row: &StepRow, of: u64);
    /// Whether the training is to end.
    fn asked_to_stop(&self) -> bool;
}

/// Why a training could not be run to its end.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The model or the data.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// The record.
    #[error(transparent)]
    Record(#[from] TrainingError),
    /// The order of the data.
    #[error(transparent)]
    Data(#[from] crate::data::DataError),
}

impl<'a, M: TrainableModel> Session<'a, M> {
    /// Goes on where the last session of a training left off: from its last checkpoint, or anew where there is none.
    ///
    /// # Errors
    /// When a setting differs from that of the training, or its checkpoint is damaged.
    pub fn resume(
        resumable: ResumableTraining,
        current: &TrainingSettings,
        new: impl FnOnce(TrainingFolder) -> Session<'a, M>,
    ) -> Result<Session<'a, M>, RunError> {
        let last = resumable.last_checkpoint()?;
        let from = last.as_ref().map_or(0, |(step, _)| *step);
        let mut session = new(resumable.resume(current, from)?);
        if let Some((_, dir)) = last {
            let state = CheckpointState::read(&dir)?;
            let weights = dir.join(checkpoint::WEIGHTS);
            session.trainer.restore(&weights, state.trainer)?;
            session.batches.go_to(state.position)?;
            session.before = state.seconds;
            session.joules_before = state.joules;
        }
        Ok(session)
    }

    /// Trains until the steps are taken, the budget is spent, the goal is reached or someone asks to stop.
    ///
    /// A loss or gradient that is no finite number ends it with a record of the step and the layer, and is no error here:
    /// the status says so.
    ///
    /// # Errors
    /// When the model refuses an example or the record cannot be written.
    pub fn run(
        &mut self,
        gauge: &mut dyn Gauge,
        watcher: &mut dyn Watcher,
    ) -> Result<Status, RunError> {
        let began = Instant::now();
        let cpu = gauge.cpu_seconds();
        let joules = gauge.joules();
        let mut losses: Vec<f64> = Vec::new();
        let mut last_joules = (0.0, joules);
        let status = loop {
            let elapsed = Seconds {
                wall: self.before.wall + began.elapsed().as_secs_f64(),
                cpu: self.before.cpu + gauge.cpu_seconds() - cpu,
            };
            if let Some(status) = self.ended(elapsed, &losses) {
                break status;
            }
            if watcher.asked_to_stop() {
                self.checkpoint(elapsed, self.spent(gauge, joules))?;
                break Status::Stopped {
                    why: Stop::Interrupted,
                };
            }
            let batches: Vec<Vec<usize>> = (0..self.accumulation)
                .map(|_| self.batches.take_next().examples)
                .collect();
            let batches: Vec<MicroBatch<'_, M::Example>> = batches
                .iter()
                .map(|indices| indices.iter().map(|i| (*i, &self.examples[*i])).collect())
                .collect();
            let taken = match self.trainer.step(&batches) {
                Ok(taken) => taken,
                Err(StepError::Failed(failure)) => break Status::Failed(failure),
                Err(StepError::Refused(error)) => return Err(error.into()),
            };
            let metric = self.measure_goal()?;
            let elapsed = Seconds {
                wall: self.before.wall + began.elapsed().as_secs_f64(),
                cpu: self.before.cpu + gauge.cpu_seconds() - cpu,
            };
            let now = gauge.joules();
            let power_w = now.zip(last_joules.1).map(|(now, before)| {
                (now - before) / (began.elapsed().as_secs_f64() - last_joules.0).max(1e-9)
            });
            last_joules = (began.elapsed().as_secs_f64(), now);
            let row = StepRow {
                step: self.trainer.steps(),
                loss: taken.loss,
                learning_rate: taken.learning_rate,
                gradient_norm: taken.gradient_norm,
                tokens: taken.tokens,
                loss_tokens: taken.loss_tokens,
                wall_s: elapsed.wall,
                cpu_s: elapsed.cpu,
                rss_bytes: gauge.rss_bytes(),
                power_w,
                metric,
            };
            self.folder.append(&row)?;
            losses.push(taken.loss);
            watcher.step(&row, self.steps);
            let steps = self.trainer.steps();
            if self.checkpoint_every > 0 && steps.is_multiple_of(self.checkpoint_every) {
                self.checkpoint(elapsed, self.spent(gauge, joules))?;
            }
        };
        let elapsed = Seconds {
            wall: self.before.wall + began.elapsed().as_secs_f64(),
            cpu: self.before.cpu + gauge.cpu_seconds() - cpu,
        };
        let spent = self.spent(gauge, joules);
        self.finish(&status, elapsed, spent, gauge)?;
        Ok(status)
    }

    fn spent(&self, gauge: &mut dyn Gauge, began: Option<f64>) -> Option<f64> {
        let now = gauge.joules().zip(began).map(|(now, began)| now - began);
        now.map(|joules| joules + self.joules_before.unwrap_or(0.0))
    }

    fn ended(&self, elapsed: Seconds, losses: &[f64]) -> Option<Status> {
        if self
            .goal
            .as_ref()
            .is_some_and(|goal| goal.is_reached(losses))
        {
            let why = Stop::TargetReached;
            return Some(Status::Stopped { why });
        }
        if self.budget.is_some_and(|budget| elapsed.wall >= budget) {
            let why = Stop::BudgetSpent;
            return Some(Status::Stopped { why });
        }
        (self.trainer.steps() >= self.steps).then_some(Status::Done)
    }

    fn measure_goal(&mut self) -> Result<Option<f64>, RunError> {
        let Some(goal) = &mut self.goal else {
            return Ok(None);
        };
        Ok(goal.measure(&mut self.trainer)?)
    }

    fn checkpoint(&self, seconds: Seconds, joules: Option<f64>) -> Result<(), RunError> {
        // No checkpoint may be ahead of the steps.
        self.folder.sync()?;
        let dir = self.folder.checkpoint_dir(self.trainer.steps());
        checkpoint::write(&self.trainer, &dir, |trainer| CheckpointState {
            trainer,
            position: self.batches.position(),
            seconds,
            joules,
        })?;
        checkpoint::prune(&dir, self.keep)?;
        Ok(())
    }

    fn finish(
        &mut self,
        status: &Status,
        seconds: Seconds,
        joules: Option<f64>,
        gauge: &dyn Gauge,
    ) -> Result<(), RunError> {
        let dir = self.folder.dir().to_owned();
        self.folder.sync()?;
        let rows = evalh_record::training::TrainingRecord::read(&dir)?.steps;
        let losses: Vec<f64> = rows.iter().map(|row| row.loss).collect();
        let energy = match (joules, gauge.energy_source()) {
            (Some(joules), Ok(source)) => Energy::Measured { joules, source },
            (None, Ok(source)) => Energy::Unavailable {
                reason: format!("{source} stopped answering"),
            },
            (_, Err(reason)) => Energy::Unavailable { reason },
        };
        self.folder.update(|training| {
            training.ended = (!matches!(status, Status::Running)).then(now);
            training.seconds = seconds;
            training.steps = rows.len() as u64;
            training.tokens = rows.iter().map(|row| row.tokens).sum();
            training.loss_tokens = rows.iter().map(|row| row.loss_tokens).sum();
            training.loss = LossSummary::of(&losses);
            training.peak_rss_bytes = gauge.peak_rss_bytes().max(training.peak_rss_bytes);
            training.energy = energy;
            training.status = status.clone();
        })?;
        Ok(())
    }

    /// Notes that what was trained could not be written, after all steps were taken.
    ///
    /// # Errors
    /// When the record cannot be written either.
    pub fn fail(&mut self, problem: String) -> Result<(), RunError> {
        let step = self.trainer.steps();
        self.folder.update(|training| {
            training.status = Status::Failed(Failure {
                step,
                layer: None,
                tensor: None,
                problem,
            });
        })?;
        Ok(())
    }
}

/// Now, as RFC 3339 in UTC.
pub fn now() -> String {
    chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}

/// Where the next micro-batch begins, for a record.
pub type Place = Position;
