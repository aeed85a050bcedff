//! Low-rank updates in training.

use crate::ModelError;
use crate::decoder::Decoder;
use crate::part::{Linear, UpdateStart};
use evalh_kernel::TrainedUpdate;

impl Decoder {
    /// Begins to train a low-rank update of a module.
    ///
    /// # Errors
    /// When no layer has such a module, or the factors do not fit it.
    pub fn train_update(&mut self, start: UpdateStart<'_>) -> Result<(), ModelError> {
        let module = start.module.to_owned();
        let problem = |problem| ModelError::Update {
            module: module.clone(),
            problem,
        };
        let layers = self.layers.iter_mut();
        let mut linears = layers.flat_map(|layer| layer.linears_mut());
        let Some(linear) = linears.find(|linear| linear.modules().any(|m| m.name == module)) else {
            let why = "no layer has such a linear; only those of layers can be trained";
            return Err(problem(why.into()));
        };
        linear.train(start).unwrap_or(Ok(())).map_err(problem)
    }

    /// Hands every update in training with its module to `visit`, in the order of the layers.
    pub fn trained_updates(&mut self, mut visit: impl FnMut(&str, &mut TrainedUpdate)) {
        for layer in &mut self.layers {
            let linears = layer.linears_mut().into_iter();
            for (module, update) in linears.flat_map(Linear::trained_mut) {
                visit(module, update);
            }
        }
    }

    /// Trains no update any more.
    pub fn end_training(&mut self) {
        for layer in &mut self.layers {
            layer
                .linears_mut()
                .into_iter()
                .for_each(Linear::end_training);
        }
    }
}
