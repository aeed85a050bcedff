//! The base's own parameters, to be watched, read and replaced.

use crate::decoder::{Decoder, Layer};
use crate::part::{Held, Linear, Parameter, ParameterSlot, Trained};
use evalh_kernel::{Compute, Sink};

impl Decoder {
    /// Sends the gradient of each parameter of the base where `sink` says from now on, or nowhere.
    pub fn watch(&mut self, sink: impl FnMut(&Parameter) -> Option<Sink>) {
        Trained::watch(self, sink);
    }

    /// Every parameter of the base.
    pub fn parameters(&mut self) -> Vec<Parameter> {
        Trained::parameters(self)
    }

    /// The values of every parameter of the base that `wanted` names, as the checkpoint has them, row-major.
    pub fn parameter_values(
        &mut self,
        wanted: impl Fn(&Parameter) -> bool,
    ) -> Vec<(Parameter, Vec<f32>)> {
        Trained::parameter_values(self, wanted)
    }

    /// Replaces the values of every parameter of the base for which `values` has some.
    ///
    /// # Panics
    /// When they are not as many as the parameter has.
    pub fn set_parameters<'v>(&mut self, values: impl Fn(&Parameter) -> Option<&'v [f32]>) {
        Trained::set_parameters(self, values);
    }

    /// The lowest layer in which something is trained: the first where the embedding is.
    pub fn lowest_trained(&mut self) -> Option<usize> {
        let trained = self.layers.iter().position(|layer| {
            let mut linears = layer.linears().into_iter();
            linears.any(Linear::is_trained)
        });
        let mut lowest = trained;
        let layers = self.layers.len();
        self.each_parameter(&mut |slot| {
            if slot.is_watched() {
                // What is outside of the layers stands before or behind all of them, and the embedding may be the head.
                let of_embedding = !slot.parameter.is_vector;
                let outside = if of_embedding { 0 } else { layers - 1 };
                let layer = slot.parameter.layer.unwrap_or(outside);
                lowest = Some(lowest.map_or(layer, |lowest| lowest.min(layer)));
            }
        });
        lowest
    }
}

impl Trained for Decoder {
    fn compute(&self) -> &Compute {
        &self.compute
    }

    fn each_parameter(&mut self, visit: &mut dyn FnMut(ParameterSlot<'_>)) {
        let tables = std::iter::once(&mut self.embedding).chain(&mut self.positions);
        tables.flat_map(Held::parameters_mut).for_each(&mut *visit);
        for (index, layer) in self.layers.iter_mut().enumerate() {
            let held = Layer::held_mut(layer).into_iter();
            for mut slot in held.flat_map(Held::parameters_mut) {
                slot.parameter.layer = Some(index);
                visit(slot);
            }
        }
        let last: [&mut dyn Held; 2] = [&mut self.final_norm, &mut self.head];
        let last = last.into_iter();
        last.flat_map(Held::parameters_mut).for_each(visit);
    }

    fn layer_linears(&mut self) -> Vec<&mut Linear> {
        let layers = self.layers.iter_mut();
        layers.flat_map(Layer::linears_mut).collect()
    }

    fn share_again(&mut self) {
        self.head.share(self.embedding.base());
    }
}
