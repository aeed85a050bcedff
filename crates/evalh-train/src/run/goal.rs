//! What a training is to reach.

use crate::data::Example;
use crate::{TrainError, TrainableModel, Trainer};

/// Held-out examples of a batch of a measurement.
const AT_ONCE: usize = 8;
/// Steps over which the loss of the training itself is averaged.
const AVERAGED: usize = 10;

/// A loss at or below which the training ends.
#[derive(Debug, Clone)]
pub struct Goal<E = Example> {
    /// The loss: in nats a token or label, or the squared error of numbers.
    pub value: f64,
    /// Steps between two measurements.
    pub every: u64,
    /// The examples whose loss is measured; none for the mean training loss of the last ten steps.
    pub held_out: Vec<E>,
    /// The last measurement.
    pub last: Option<f64>,
}

impl<E> Goal<E> {
    pub(super) fn measure<M: TrainableModel<Example = E>>(
        &mut self,
        trainer: &mut Trainer<M>,
    ) -> Result<Option<f64>, TrainError> {
        if self.held_out.is_empty() || !trainer.steps().is_multiple_of(self.every.max(1)) {
            return Ok(None);
        }
        let loss = trainer.held_out_loss(&self.held_out, AT_ONCE)?;
        self.last = Some(loss);
        Ok(self.last)
    }

    pub(super) fn is_reached(&self, losses: &[f64]) -> bool {
        if !self.held_out.is_empty() {
            return self.last.is_some_and(|loss| loss <= self.value);
        }
        let Some(tail) = losses.len().checked_sub(AVERAGED).map(|at| &losses[at..]) else {
            return false;
        };
        (losses.len() as u64).is_multiple_of(self.every.max(1))
            && tail.iter().sum::<f64>() / AVERAGED as f64 <= self.value
    }
}
