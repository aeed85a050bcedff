//! The training of a decoder or an encoder: low-rank updates of some modules, whole tensors beside them, or every weight.
//!
//! A [`Trainer`] takes steps and knows neither files nor clocks; [`run`](crate::run) drives it and writes the record.

mod error;
mod failure;
mod frozen;
mod model;
mod parameter;
mod state;

pub use error::TrainError;
pub use model::TrainableModel;
pub use parameter::{LoraModule, LoraStart};
pub use state::TrainerState;

use crate::data::Example;
use crate::optimizer::{AdamW, Dropout, LearningRate, clip};
use evalh_adapter::{SavedTensor, TrainedModule};
use evalh_kernel::cpu::{Isa, backward};
use evalh_model::{Decoder, Parameter, Start};
use evalh_record::training::Failure;
use frozen::FrozenStreams;
use parameter::Trained;
use std::sync::Arc;

/// How a trainer steps.
#[derive(Debug, Clone, Copy)]
pub struct Recipe {
    /// The optimizer.
    pub optimizer: AdamW,
    /// The learning rate of every step.
    pub rate: LearningRate,
    /// The largest norm of all gradients together; larger ones are scaled down to it.
    pub clip: Option<f32>,
    /// Dropout of the inputs of low-rank updates.
    pub dropout: Option<Dropout>,
    /// Bytes that may be taken to keep what the layers below all trained ones compute.
    pub frozen_bytes: usize,
}

/// A model in training.
#[derive(Debug)]
pub struct Trainer<M = Decoder> {
    model: M,
    trained: Vec<Trained>,
    recipe: Recipe,
    /// The lowest layer in which something is trained.
    lowest: usize,
    frozen: FrozenStreams,
    steps: u64,
    micro_batches: u64,
}

/// Examples that are computed together, each with its number in the data.
pub type MicroBatch<'e, E = Example> = Vec<(usize, &'e E)>;

/// What a step saw.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepResult {
    /// Mean loss of the counted tokens, or of the labels: in nats, or the squared error of numbers.
    pub loss: f64,
    /// Norm of all gradients together before clipping.
    pub gradient_norm: f64,
    /// The learning rate.
    pub learning_rate: f64,
    /// Tokens read.
    pub tokens: u64,
    /// Tokens that counted, or labels.
    pub loss_tokens: u64,
}

impl<M: TrainableModel> Trainer<M> {
    /// Trains low-rank updates of some modules; the base stays as it is.
    ///
    /// # Errors
    /// When there are no modules, or one is no linear of a layer or does not fit its factors.
    pub fn lora(model: M, modules: Vec<LoraStart>, recipe: Recipe) -> Result<Self, TrainError> {
        Self::lora_beside(model, modules, &|_| false, recipe)
    }

    /// Trains low-rank updates of some modules and, as they are, the parameters of the base that `whole` names: the head of
    /// a classifier. The rest stays as it is.
    ///
    /// # Errors
    /// As [`lora`](Self::lora).
    pub fn lora_beside(
        mut model: M,
        modules: Vec<LoraStart>,
        whole: &dyn Fn(&Parameter) -> bool,
        recipe: Recipe,
    ) -> Result<Self, TrainError> {
        if modules.is_empty() {
            return Err(TrainError::NothingToTrain);
        }
        let mut trained = Vec::with_capacity(2 * modules.len());
        for module in modules {
            trained.extend(Trained::update(&mut model, module)?);
        }
        trained.extend(Trained::base(&mut model, whole));
        Self::of(model, trained, recipe)
    }

    /// Trains every weight of the model.
    ///
    /// # Errors
    /// When there is a dropout, which only low-rank updates have.
    pub fn full(mut model: M, recipe: Recipe) -> Result<Self, TrainError> {
        if recipe.dropout.is_some_and(|dropout| dropout.is_active()) {
            return Err(TrainError::DropoutOfAll);
        }
        let trained = Trained::base(&mut model, &|_| true);
        Self::of(model, trained, recipe)
    }

    fn of(mut model: M, trained: Vec<Trained>, recipe: Recipe) -> Result<Self, TrainError> {
        let Some(lowest) = model.lowest_trained() else {
            return Err(TrainError::NothingToTrain);
        };
        Ok(Self {
            frozen: FrozenStreams::new(lowest, recipe.frozen_bytes),
            model,
            trained,
            recipe,
            lowest,
            steps: 0,
            micro_batches: 0,
        })
    }

    /// Values that are trained.
    pub fn parameters(&self) -> usize {
        self.trained.iter().map(|part| part.values.len()).sum()
    }

    /// The lowest layer in which something is trained. What lies below it is computed without a tape, and once an
    /// example where there is room to keep it.
    pub fn lowest_layer(&self) -> usize {
        self.lowest
    }

    /// Steps taken.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// The model, as far as it is trained.
    pub fn model(&self) -> &M {
        &self.model
    }

    /// Takes one step over micro-batches, whose gradients are summed before: the mean over all counted tokens (or labels)
    /// of all of them is what goes down.
    ///
    /// # Errors
    /// When a loss or gradient is no finite number: the parameters are then those of the step before.
    pub fn step(
        &mut self,
        batches: &[MicroBatch<'_, M::Example>],
    ) -> Result<StepResult, StepError> {
        let step = self.steps + 1;
        self.trained.iter().for_each(|part| part.gradient.clear());
        let (mut sum, mut tokens, mut counted) = (0.0f64, 0u64, 0u64);
        for batch in batches {
            let start = self.start(batch)?;
            self.drop_out();
            let loss = self.model.train(&examples(batch), &start)?;
            let total: f64 = loss.each.iter().map(|loss| f64::from(*loss)).sum();
            if !total.is_finite() {
                return Err(self.lost(step, batch).into());
            }
            sum += total;
            counted += loss.each.len() as u64;
            tokens += batch.iter().map(|(_, e)| M::tokens(e) as u64).sum::<u64>();
            self.micro_batches += 1;
        }
        let learning_rate = self.recipe.rate.at(step);
        let mut gradients = self.mean_gradients(counted);
        let gradient_norm = self.clipped(&mut gradients);
        if !gradient_norm.is_finite() {
            return Err(self.blown_up(step, &gradients).into());
        }
        self.update(step, learning_rate, &gradients);
        self.steps = step;
        Ok(StepResult {
            loss: sum / counted as f64,
            gradient_norm: f64::from(gradient_norm),
            learning_rate,
            tokens,
            loss_tokens: counted,
        })
    }

    /// The mean loss of all counted tokens (or labels) of some examples, `at_once` examples at a time, without dropout.
    ///
    /// # Errors
    /// When an example does not fit the model.
    pub fn held_out_loss(
        &mut self,
        given: &[M::Example],
        at_once: usize,
    ) -> Result<f64, TrainError> {
        self.model
            .trained_updates(&mut |_, update| update.set_mask(None));
        let (mut sum, mut count) = (0.0f64, 0usize);
        for part in given.chunks(at_once.max(1)) {
            let part: Vec<&M::Example> = part.iter().collect();
            let loss = self.model.loss(&part)?;
            sum += loss.each.iter().map(|loss| f64::from(*loss)).sum::<f64>();
            count += loss.each.len();
        }
        Ok(sum / count.max(1) as f64)
    }

    /// The trained factors of every module; none where every weight is trained.
    pub fn modules(&self) -> Vec<TrainedModule> {
        parameter::modules(&self.trained)
    }

    /// The whole tensors that are trained, by their names in the model.
    pub fn tensors(&self) -> Vec<SavedTensor> {
        self.trained.iter().flat_map(Trained::tensors).collect()
    }

    /// Where the pass of a micro-batch begins.
    fn start(&mut self, batch: &MicroBatch<'_, M::Example>) -> Result<Start, TrainError> {
        if self.lowest == 0 {
            return Ok(Start::Tokens);
        }
        let values = self.frozen.of(&self.model, batch)?;
        Ok(Start::Stream {
            layer: self.lowest,
            values,
        })
    }

    /// Gives every update its dropout mask of the next micro-batch.
    fn drop_out(&mut self) {
        let Some(dropout) = self.recipe.dropout.filter(Dropout::is_active) else {
            return;
        };
        let number = self.micro_batches;
        self.model.trained_updates(&mut |module, update| {
            let module = module.to_owned();
            update.set_mask(Some(Arc::new(move |values: &mut [f32]| {
                let mut mask = vec![0f32; values.len()];
                dropout.mask(number, &module, 0, &mut mask);
                values.iter_mut().zip(&mask).for_each(|(v, m)| *v *= m);
            })));
        });
    }

    fn mean_gradients(&self, counted: u64) -> Vec<Vec<f32>> {
        let share = 1.0 / counted as f32;
        let parts = self.trained.iter();
        parts
            .map(|part| {
                part.gradient
                    .with(|sum| sum.iter().map(|value| value * share).collect())
            })
            .collect()
    }

    /// Clips, and gives the norm before.
    fn clipped(&self, gradients: &mut [Vec<f32>]) -> f32 {
        let mut parts: Vec<&mut [f32]> = gradients.iter_mut().map(Vec::as_mut_slice).collect();
        clip(&mut parts, self.recipe.clip.unwrap_or(f32::INFINITY))
    }

    fn update(&mut self, step: u64, learning_rate: f64, gradients: &[Vec<f32>]) {
        let factors = self.recipe.optimizer.factors(learning_rate, step);
        let isa = Isa::detect();
        for (part, gradient) in self.trained.iter_mut().zip(gradients) {
            let (m, v) = (&mut part.first, &mut part.second);
            backward::adamw_step(isa, &mut part.values, gradient, m, v, factors);
        }
        parameter::publish(&self.trained, &mut self.model);
    }
}

/// Why a step was not taken.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    /// A loss or gradient that is no finite number.
    #[error("{}", .0.problem)]
    Failed(Failure),
    /// An example that does not fit the model.
    #[error(transparent)]
    Refused(#[from] TrainError),
}

impl From<Failure> for StepError {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<evalh_model::ModelError> for StepError {
    fn from(error: evalh_model::ModelError) -> Self {
        Self::Refused(error.into())
    }
}

fn examples<'e, E>(batch: &MicroBatch<'e, E>) -> Vec<&'e E> {
    batch.iter().map(|(_, example)| *example).collect()
}
