//! Low-rank updates in training, and a head to train beside them.

use crate::ModelError;
use crate::encoder::Encoder;
use crate::part::{Trained, UpdateStart};
use evalh_kernel::TrainedUpdate;

impl Encoder {
    /// Gives the linears of a classifier whose weights the checkpoint lacks their first ones: `first` makes the matrix,
    /// `[outputs, inputs]`, of a module; biases begin at zero. Gives the names of these modules.
    pub fn begin_head(
        &mut self,
        mut first: impl FnMut(&str, [usize; 2]) -> Vec<f32>,
    ) -> Vec<String> {
        let compute = self.compute.clone();
        let mut begun = Vec::new();
        for dense in self.head.dense_mut() {
            if dense.begin(&compute, &mut first) {
                begun.push(dense.name().to_owned());
            }
        }
        begun
    }

    /// Begins to train a low-rank update of a module.
    ///
    /// # Errors
    /// When no layer has such a module, or the factors do not fit it.
    pub fn train_update(&mut self, start: UpdateStart<'_>) -> Result<(), ModelError> {
        Trained::train_update(self, start)
    }

    /// Hands every update in training with its module to `visit`, in the order of the layers.
    pub fn trained_updates(&mut self, visit: impl FnMut(&str, &mut TrainedUpdate)) {
        Trained::trained_updates(self, visit);
    }

    /// Trains no update any more.
    pub fn end_training(&mut self) {
        Trained::end_training(self);
    }
}
