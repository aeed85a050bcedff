//! Low-rank updates in training.

use crate::ModelError;
use crate::decoder::Decoder;
use crate::part::{Trained, UpdateStart};
use evalh_kernel::TrainedUpdate;

impl Decoder {
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
