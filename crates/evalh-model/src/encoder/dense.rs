//! A linear of a classifier, which the checkpoint may leave to the adapter.

use super::part::{Part, scope};
use crate::part::{Held, Linear, ParameterSlot, Slot, Target, Updates};
use crate::{LoraId, ModelError};
use burn::tensor::Tensor;
use evalh_adapter::TargetModule;
use evalh_kernel::{Compute, Weight};

/// A linear with a bias.
#[derive(Debug)]
pub(super) struct Dense {
    name: String,
    /// All zeros where there are no weights.
    linear: Linear,
    /// Whether there are weights.
    known: Slot<bool>,
}

impl Dense {
    /// A linear, and whether its weights are those of the checkpoint.
    pub(super) fn new(name: String, linear: Linear, known: bool) -> Self {
        Self {
            name,
            linear,
            known: Slot::new(known),
        }
    }

    /// Gives it its first weight, `[outputs, inputs]`, and no bias, where the checkpoint has none of both. Gives whether it
    /// did.
    pub(super) fn begin(
        &mut self,
        compute: &Compute,
        first: &mut dyn FnMut(&str, [usize; 2]) -> Vec<f32>,
    ) -> bool {
        if *self.known.base() {
            return false;
        }
        for mut slot in self.linear.parameters_mut() {
            let (rows, width) = (slot.parameter.rows, slot.parameter.width);
            let values = if slot.parameter.is_vector {
                vec![0.0; rows]
            } else {
                first(&self.name, [rows, width])
            };
            slot.set(compute, &values);
        }
        self.known.set_base(true);
        true
    }

    /// Its name.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Its name, where neither the checkpoint nor the adapter has the weights.
    pub(super) fn missing(&self, adapter: Option<LoraId>) -> Option<&str> {
        (!*self.known.get(&scope(1, adapter))).then_some(self.name.as_str())
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
        match self.missing(adapter) {
            None => {
                let scope = scope(x.dims()[0], adapter);
                Ok(self.linear.forward(compute, x, &scope))
            }
            Some(module) => Err(ModelError::Headless {
                module: module.to_owned(),
            }),
        }
    }
}

impl Held for Dense {
    fn parameters_mut(&mut self) -> Vec<ParameterSlot<'_>> {
        self.linear.parameters_mut()
    }

    fn restore(&mut self) {
        self.linear.restore();
        self.known.restore();
    }

    fn detach(&mut self) {
        self.linear.detach();
        self.known.detach();
    }

    fn replaced_by(&self, adapter: LoraId) -> bool {
        self.linear.replaced_by(adapter)
    }

    fn extra_bytes(&self) -> usize {
        self.linear.extra_bytes()
    }
}

impl Part for Dense {
    fn apply(&mut self, compute: &Compute, target: Target, updates: &Updates<'_>) {
        self.linear.apply(compute, target, updates);
        let saved = |end: &str| updates.saved(&format!("{}.{end}", self.name)).is_some();
        // Half a linear is none.
        if saved("weight") && saved("bias") {
            self.known.put(target, true);
        }
    }

    fn modules(&self) -> Vec<TargetModule> {
        Part::modules(&self.linear)
    }

    fn weight(&self) -> Option<&Weight> {
        self.linear.base().filter(|_| *self.known.base())
    }

    fn vectors(&self) -> usize {
        if *self.known.base() {
            self.linear.biases()
        } else {
            0
        }
    }
}
