//! The base's own parameters, to be watched, read and replaced.

use crate::decoder::{Decoder, Layer};
use crate::part::{Held, Parameter, ParameterSlot};
use evalh_kernel::Sink;

impl Decoder {
    /// Sends the gradient of each parameter of the base where `sink` says from now on, or nowhere.
    pub fn watch(&mut self, mut sink: impl FnMut(&Parameter) -> Option<Sink>) {
        self.each_parameter(|mut slot| {
            let sink = sink(&slot.parameter);
            slot.watch(sink);
        });
        self.share_again();
    }

    /// Every parameter of the base.
    pub fn parameters(&mut self) -> Vec<Parameter> {
        let mut all = Vec::new();
        self.each_parameter(|slot| all.push(slot.parameter));
        all
    }

    /// The values of every parameter of the base that `wanted` names, as the checkpoint has them, row-major.
    pub fn parameter_values(
        &mut self,
        wanted: impl Fn(&Parameter) -> bool,
    ) -> Vec<(Parameter, Vec<f32>)> {
        let mut all = Vec::new();
        self.each_parameter(|slot| {
            if wanted(&slot.parameter) {
                let values = slot.values();
                all.push((slot.parameter, values));
            }
        });
        all
    }

    /// Replaces the values of every parameter of the base for which `values` has some.
    ///
    /// # Panics
    /// When they are not as many as the parameter has.
    pub fn set_parameters<'v>(&mut self, values: impl Fn(&Parameter) -> Option<&'v [f32]>) {
        let compute = self.compute.clone();
        self.each_parameter(|mut slot| {
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

    /// The lowest layer in which something is trained: the first where the embedding is.
    pub fn lowest_trained(&mut self) -> Option<usize> {
        let trained = self.layers.iter().position(|layer| {
            let mut linears = layer.linears().into_iter();
            linears.any(crate::part::Linear::is_trained)
        });
        let mut lowest = trained;
        let layers = self.layers.len();
        self.each_parameter(|slot| {
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

    fn each_parameter(&mut self, mut visit: impl FnMut(ParameterSlot<'_>)) {
        let tables = std::iter::once(&mut self.embedding).chain(&mut self.positions);
        tables.flat_map(Held::parameters_mut).for_each(&mut visit);
        for (index, layer) in self.layers.iter_mut().enumerate() {
            let held = Layer::held_mut(layer).into_iter();
            for mut slot in held.flat_map(Held::parameters_mut) {
                slot.parameter.layer = Some(index);
                visit(slot);
            }
        }
        let last: [&mut dyn Held; 2] = [&mut self.final_norm, &mut self.head];
        let last = last.into_iter();
        last.flat_map(Held::parameters_mut).for_each(&mut visit);
    }

    fn share_again(&mut self) {
        self.head.share(self.embedding.base());
    }
}
