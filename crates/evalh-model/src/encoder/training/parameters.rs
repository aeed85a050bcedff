//! The base's own parameters, to be watched, read and replaced.

use crate::encoder::Encoder;
use crate::encoder::head::Head;
use crate::encoder::layer::Layer;
use crate::encoder::part::Part;
use crate::part::{Held, Linear, Parameter, ParameterSlot, Trained};
use evalh_kernel::{Compute, Sink};

impl Encoder {
    /// Sends the gradient of each parameter of the base where `sink` says from now on, or nowhere.
    pub fn watch(&mut self, sink: impl FnMut(&Parameter) -> Option<Sink>) {
        Trained::watch(self, sink);
    }

    /// Every parameter of the base.
    pub fn parameters(&mut self) -> Vec<Parameter> {
        Trained::parameters(self)
    }

    /// The values of every parameter of the base that `wanted` names, row-major.
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

    /// The lowest layer in which something is trained: the first where an embedding is, and as many as there are layers
    /// where it is the head alone.
    pub fn lowest_trained(&mut self) -> Option<usize> {
        let mut lowest = self.layers.iter_mut().position(|layer| {
            let mut linears = layer.linears_mut().into_iter();
            linears.any(|linear| linear.is_trained())
        });
        self.each_placed(&mut |layer, slot| {
            if slot.is_watched() {
                lowest = Some(lowest.map_or(layer, |lowest| lowest.min(layer)));
            }
        });
        lowest
    }

    /// Hands every parameter to `visit` with the first layer that it acts on.
    fn each_placed(&mut self, visit: &mut dyn FnMut(usize, ParameterSlot<'_>)) {
        let mut first = self.embeddings.parts_mut();
        if let Some(relative) = &mut self.relative {
            first.push(&mut relative.table);
            first.extend(relative.norm.iter_mut().map(|norm| norm as &mut dyn Part));
        }
        if let Some(convolution) = &mut self.convolution {
            first.extend(convolution.parts_mut());
        }
        first
            .into_iter()
            .flat_map(Held::parameters_mut)
            .for_each(|slot| visit(0, slot));
        let layers = self.layers.len();
        let content_uses = self
            .config
            .relative
            .map_or(1, |relative| relative.content_uses());
        for (index, layer) in self.layers.iter_mut().enumerate() {
            let content = layer.qkv.parameters_mut().len();
            let parts = layer.parts_mut().into_iter();
            for (number, mut slot) in parts.flat_map(Held::parameters_mut).enumerate() {
                slot.parameter.layer = Some(index);
                // The projections of the content stand first.
                if number < content {
                    slot.parameter.uses = content_uses;
                }
                visit(index, slot);
            }
        }
        let head = self.head.parts_mut().into_iter();
        head.flat_map(Held::parameters_mut)
            .for_each(|slot| visit(layers, slot));
    }
}

impl Trained for Encoder {
    fn compute(&self) -> &Compute {
        &self.compute
    }

    fn each_parameter(&mut self, visit: &mut dyn FnMut(ParameterSlot<'_>)) {
        self.each_placed(&mut |_, slot| visit(slot));
    }

    fn layer_linears(&mut self) -> Vec<&mut Linear> {
        let layers = self.layers.iter_mut();
        layers.flat_map(Layer::linears_mut).collect()
    }

    fn share_again(&mut self) {
        if let Head::Masked { decoder, .. } = &mut self.head {
            decoder.linear.share(self.embeddings.word.base());
        }
    }
}
