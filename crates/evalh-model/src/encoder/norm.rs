//! Layer norms.

use super::adapt::{Changes, Part, Size};
use super::slot::{Place, Slot};
use crate::{LoraId, ModelError};
use burn::tensor::Tensor;
use evalh_kernel::{Compute, Vector};

/// A layer norm with its weight and bias.
#[derive(Debug)]
pub(super) struct Norm {
    name: String,
    width: usize,
    slot: Slot<[Vector; 2]>,
    eps: f32,
}

impl Norm {
    /// A norm of the given module name; `values` are its weight and bias.
    pub(super) fn new(compute: &Compute, name: String, values: [Vec<f32>; 2], eps: f32) -> Self {
        let width = values[0].len();
        let base = values.map(|values| compute.vector(values));
        Self {
            name,
            width,
            slot: Slot::new(Some(base)),
            eps,
        }
    }

    /// The norm of `x + residual`.
    pub(super) fn forward(
        &self,
        compute: &Compute,
        x: Tensor<2>,
        residual: Option<Tensor<2>>,
        adapter: Option<LoraId>,
    ) -> Tensor<2> {
        let (weight, bias) = match self.slot.get(adapter) {
            Some([weight, bias]) => (Some(weight), Some(bias)),
            None => (None, None),
        };
        compute.layer_norm(x, residual, weight, bias, self.eps).1
    }
}

impl Part for Norm {
    fn apply(
        &mut self,
        compute: &Compute,
        place: Place,
        changes: &Changes<'_>,
    ) -> Result<(), ModelError> {
        let saved = ["weight", "bias"].map(|end| changes.saved(&format!("{}.{end}", self.name)));
        if saved.iter().all(Option::is_none) {
            return Ok(());
        }
        if let Some(mut pair) = self.slot.base().cloned() {
            for (own, saved) in pair.iter_mut().zip(saved) {
                if let Some(values) = saved {
                    *own = compute.vector(values.to_vec());
                }
            }
            self.slot.put(place, pair);
        }
        Ok(())
    }

    fn restore(&mut self) {
        self.slot.restore();
    }

    fn detach(&mut self) {
        self.slot.detach();
    }

    fn size(&self) -> Size {
        let bytes = 2 * self.width * size_of::<f32>();
        Size {
            parameters: 2 * self.width,
            bytes,
            adapter_bytes: self.slot.extra().count() * bytes,
            dtype: None,
        }
    }
}
