//! What a training does to a model, whatever it is made of.

use super::{Linear, Parameter, ParameterSlot, UpdateStart};
use crate::ModelError;
use evalh_kernel::{Compute, Sink, TrainedUpdate};

/// A model that is trained, as training sees it.
pub(crate) trait Trained {
    /// The primitives that its parameters are made for.
    fn compute(&self) -> &Compute;

    /// Hands every parameter of the base to `visit`.
    fn each_parameter(&mut self, visit: &mut dyn FnMut(ParameterSlot<'_>));

    /// The linears of all layers, in the order of the layers.
    fn layer_linears(&mut self) -> Vec<&mut Linear>;

    /// Lets parts that use the weight of another have it as it is now.
    fn share_again(&mut self);

    /// Sends the gradient of each parameter where `sink` says, or nowhere.
    fn watch(&mut self, mut sink: impl FnMut(&Parameter) -> Option<Sink>) {
        self.each_parameter(&mut |mut slot| {
            let sink = sink(&slot.parameter);
            slot.watch(sink);
        });
        self.share_again();
    }

    /// Every parameter.
    fn parameters(&mut self) -> Vec<Parameter> {
        let mut all = Vec::new();
        self.each_parameter(&mut |slot| all.push(slot.parameter));
        all
    }

    /// The values of the parameters that `wanted` names.
    fn parameter_values(
        &mut self,
        wanted: impl Fn(&Parameter) -> bool,
    ) -> Vec<(Parameter, Vec<f32>)> {
        let mut all = Vec::new();
        self.each_parameter(&mut |slot| {
            if wanted(&slot.parameter) {
                let values = slot.values();
                all.push((slot.parameter, values));
            }
        });
        all
    }

    /// Replaces values where there are some.
    ///
    /// # Panics
    /// When they are not as many as the parameter has.
    fn set_parameters<'v>(&mut self, values: impl Fn(&Parameter) -> Option<&'v [f32]>) {
        let compute = self.compute().clone();
        self.each_parameter(&mut |mut slot| {
            if let Some(values) = values(&slot.parameter) {
                assert_eq!(
                    values.len(),
                    slot.parameter.len(),
                    "values of the parameter"
                );
                slot.set(&compute, values);
            }
        });
        self.share_again();
    }

    /// Begins to train an update of a linear of a layer.
    ///
    /// # Errors
    /// When no layer has such a module, or the factors do not fit it.
    fn train_update(&mut self, start: UpdateStart<'_>) -> Result<(), ModelError> {
        let module = start.module.to_owned();
        let problem = |problem| ModelError::Update {
            module: module.clone(),
            problem,
        };
        let mut linears = self.layer_linears().into_iter();
        let Some(linear) = linears.find(|linear| linear.modules().any(|m| m.name == module)) else {
            let why = "no layer has such a linear; only those of layers can be trained";
            return Err(problem(why.into()));
        };
        linear.train(start).unwrap_or(Ok(())).map_err(problem)
    }

    /// Hands every update in training to `visit`.
    fn trained_updates(&mut self, mut visit: impl FnMut(&str, &mut TrainedUpdate)) {
        for linear in self.layer_linears() {
            for (module, update) in linear.trained_mut() {
                visit(module, update);
            }
        }
    }

    /// Trains no update any more.
    fn end_training(&mut self) {
        self.layer_linears()
            .into_iter()
            .for_each(Linear::end_training);
    }
}
