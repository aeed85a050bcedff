//! A linear of a head, which the checkpoint may leave to the adapter.

use super::adapt::{Changes, Part, Size, adapted};
use super::slot::{Place, Slot};
use crate::linear::Linear;
use crate::{LoraId, ModelError};
use burn::tensor::Tensor;
use evalh_adapter::{ModuleKind, TargetModule};
use evalh_kernel::Compute;

/// A linear with a bias, in a head.
#[derive(Debug)]
pub(super) struct Dense {
    name: String,
    outputs: usize,
    inputs: usize,
    slot: Slot<Linear>,
    /// The bias as loaded.
    bias: Option<Vec<f32>>,
}

impl Dense {
    /// A linear of row-major `[outputs, inputs]` and a bias, where the checkpoint has them.
    pub(super) fn new(
        compute: &Compute,
        name: String,
        [outputs, inputs]: [usize; 2],
        values: Option<[Vec<f32>; 2]>,
    ) -> Self {
        let mut dense = Self {
            name,
            outputs,
            inputs,
            slot: Slot::new(None),
            bias: None,
        };
        if let Some([weight, bias]) = values {
            dense.bias = Some(bias.clone());
            dense.slot = Slot::new(Some(dense.linear(compute, weight, bias)));
        }
        dense
    }

    fn linear(&self, compute: &Compute, weight: Vec<f32>, bias: Vec<f32>) -> Linear {
        let modules = vec![(self.name.clone(), self.outputs)];
        Linear::new(compute, modules, self.inputs, weight, Some(bias))
    }

    /// `x W^T + b` with the adapter's update.
    ///
    /// # Errors
    /// When neither the checkpoint nor the adapter has the weights.
    pub(super) fn forward(
        &self,
        compute: &Compute,
        x: &Tensor<2>,
        adapter: Option<LoraId>,
    ) -> Result<Tensor<2>, ModelError> {
        let linear = self.slot.get(adapter).ok_or_else(|| ModelError::Headless {
            module: self.name.clone(),
        })?;
        Ok(linear.forward(compute, x, &adapted(x.dims()[0], adapter)))
    }
}

impl Part for Dense {
    fn modules(&self) -> Vec<TargetModule> {
        vec![TargetModule {
            name: self.name.clone(),
            out_features: self.outputs,
            in_features: self.inputs,
            kind: ModuleKind::Linear,
        }]
    }

    fn apply(
        &mut self,
        compute: &Compute,
        place: Place,
        changes: &Changes<'_>,
    ) -> Result<(), ModelError> {
        let [weight, bias] = ["weight", "bias"].map(|end| {
            let values = changes.saved(&format!("{}.{end}", self.name));
            values.map(<[f32]>::to_vec)
        });
        if weight.is_none() && bias.is_none() {
            return match self.slot.base_mut() {
                Some(linear) => linear.apply(compute, place, changes),
                None => Ok(()),
            };
        }
        let base = self.slot.base();
        let weight = weight.or_else(|| base.map(|linear| linear.base().to_rows()));
        let bias = bias.or_else(|| self.bias.clone());
        // Half a head is no head: its other half stays missing.
        if let (Some(weight), Some(bias)) = (weight, bias) {
            let mut linear = self.linear(compute, weight, bias);
            linear.apply(compute, place, changes)?;
            self.slot.put(place, linear);
        }
        Ok(())
    }

    fn restore(&mut self) {
        self.slot.restore();
        self.slot.base_mut().into_iter().for_each(Linear::restore);
    }

    fn detach(&mut self) {
        self.slot.detach();
        self.slot.base_mut().into_iter().for_each(Linear::detach);
    }

    fn size(&self) -> Size {
        let base = self.slot.base().map_or(Size::default(), Part::size);
        let extra = self.slot.extra().map(|linear| {
            let size = linear.size();
            size.bytes + size.adapter_bytes
        });
        Size {
            adapter_bytes: base.adapter_bytes + extra.sum::<usize>(),
            ..base
        }
    }
}
