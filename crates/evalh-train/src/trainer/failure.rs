//! Finds where numbers stopped being finite.

use super::{MicroBatch, TrainableModel, Trainer};
use evalh_record::training::Failure;

impl<M: TrainableModel> Trainer<M> {
    /// A loss that is no finite number.
    pub(super) fn lost(&self, step: u64, batch: &MicroBatch<'_, M::Example>) -> Failure {
        let broken = self.trained.iter().find(|part| {
            let mut values = part.values.iter();
            values.any(|value| !value.is_finite())
        });
        let examples: Vec<String> = batch.iter().map(|(index, _)| index.to_string()).collect();
        Failure {
            step,
            layer: broken.and_then(|part| part.layer),
            tensor: broken.map(|part| part.name.clone()),
            problem: format!(
                "the loss of examples {} is no finite number; lower --learning-rate, or clip gradients",
                examples.join(", ")
            ),
        }
    }

    /// Gradients that are no finite numbers: those nearest to the loss, which are computed first, name the layer.
    pub(super) fn blown_up(&self, step: u64, gradients: &[Vec<f32>]) -> Failure {
        let parts = self.trained.iter().zip(gradients);
        let broken = parts.filter(|(_, g)| g.iter().any(|value| !value.is_finite()));
        let broken = broken.max_by_key(|(part, _)| part.layer);
        Failure {
            step,
            layer: broken.and_then(|(part, _)| part.layer),
            tensor: broken.map(|(part, _)| part.name.clone()),
            problem: "a gradient is no finite number; lower --learning-rate, or clip gradients"
                .into(),
        }
    }
}
