//! The base's own parameters, as training sees them.

use super::linear::{Bias, transpose};
use super::{Slot, Unfolding};
use evalh_kernel::{Compute, Sink, Vector, Weight};
use std::ops::Range;
use std::sync::Arc;

/// A matrix or a row of values of the base: one tensor of the checkpoint, or several that are held as one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// The checkpoint's tensors in it.
    pub tensors: Vec<ParameterTensor>,
    /// Rows of all of them together.
    pub rows: usize,
    /// Values of a row; one for a norm's weight or a bias.
    pub width: usize,
    /// Whether it is a row of values, of a norm or a bias.
    pub is_vector: bool,
    /// The layer it belongs to.
    pub layer: Option<usize>,
    /// Times that a pass uses it (an expert perhaps never), each of which hands a sink a gradient. A tied head's uses of the
    /// embedding are not counted.
    pub uses: usize,
}

/// A tensor of the checkpoint within a [`Parameter`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParameterTensor {
    /// Its name in the checkpoint.
    pub name: String,
    /// Its rows within the parameter.
    pub rows: Range<usize>,
    /// Its shape in the checkpoint.
    pub shape: Vec<usize>,
    /// Whether the checkpoint stores the transpose.
    pub turned: bool,
}

impl Parameter {
    /// Values of the parameter.
    pub fn len(&self) -> usize {
        self.rows * self.width
    }

    /// Whether it has none, which no parameter of a model does.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One tensor's part of values (or gradients) of the whole parameter, in the checkpoint's order.
    pub fn stored(&self, tensor: &ParameterTensor, values: &[f32]) -> Vec<f32> {
        let part = &values[tensor.rows.start * self.width..tensor.rows.end * self.width];
        if !tensor.turned {
            return part.to_vec();
        }
        let mut turned = vec![0.0; part.len()];
        transpose(part, self.width, &mut turned);
        turned
    }
}

/// A parameter and where it is held.
pub(crate) struct ParameterSlot<'a> {
    pub parameter: Parameter,
    pub place: Place<'a>,
}

/// Where a parameter is held.
pub(crate) enum Place<'a> {
    Weight(&'a mut Slot<Arc<Weight>>),
    /// The matrix of a convolution's kernel.
    Kernel(&'a mut Slot<Weight>, Unfolding),
    Bias(&'a mut Slot<Option<Bias>>),
    Vector {
        slot: &'a mut Slot<Vector>,
        /// What is added to the stored values before use.
        offset: f32,
        /// The stored values, where they are kept beside.
        copy: Option<&'a mut Vec<f32>>,
    },
}

impl ParameterSlot<'_> {
    /// The values as the checkpoint has them, row-major.
    pub(crate) fn values(&self) -> Vec<f32> {
        match &self.place {
            Place::Weight(slot) => slot.base().to_rows(),
            Place::Kernel(slot, unfolding) => unfolding.folded(&slot.base().to_rows()),
            Place::Bias(slot) => slot
                .base()
                .as_ref()
                .map_or_else(Vec::new, |bias| bias.values.clone()),
            Place::Vector { slot, offset, .. } => {
                let values = slot.base().to_values().into_iter();
                values.map(|value| value - offset).collect()
            }
        }
    }

    /// Takes new values; the gradient goes where it went.
    pub(crate) fn set(&mut self, compute: &Compute, values: &[f32]) {
        let (rows, width) = (self.parameter.rows, self.parameter.width);
        match &mut self.place {
            Place::Weight(slot) => {
                let sink = slot.base().gradient().cloned();
                let weight = compute.weight(values.to_vec(), rows, width);
                slot.set_base(Arc::new(weight.with_gradient(sink)));
            }
            Place::Kernel(slot, unfolding) => {
                let sink = slot.base().gradient().cloned();
                let (matrix, columns) = (unfolding.unfolded(values), unfolding.columns());
                let weight = compute.weight(matrix, rows, columns);
                slot.set_base(weight.with_gradient(sink));
            }
            Place::Bias(slot) => {
                let old = slot.base().as_ref();
                let sink = old.and_then(|bias| bias.vector.gradient().cloned());
                let mut bias = Bias::new(compute, values.to_vec());
                bias.vector = bias.vector.with_gradient(sink);
                slot.set_base(Some(bias));
            }
            Place::Vector { slot, offset, copy } => {
                let sink = slot.base().gradient().cloned();
                let used = values.iter().map(|value| value + *offset).collect();
                slot.set_base(compute.vector(used).with_gradient(sink));
                if let Some(copy) = copy {
                    copy.copy_from_slice(values);
                }
            }
        }
    }

    /// Sends the gradient there from now on; nowhere for none.
    pub(crate) fn watch(&mut self, sink: Option<Sink>) {
        match &mut self.place {
            Place::Weight(slot) => {
                let weight = slot.base().as_ref().clone().with_gradient(sink);
                slot.set_base(Arc::new(weight));
            }
            Place::Kernel(slot, unfolding) => {
                let sink = sink.map(|sink| unfolding.sink(sink));
                let weight = slot.base().clone().with_gradient(sink);
                slot.set_base(weight);
            }
            Place::Bias(slot) => {
                if let Some(bias) = slot.base_mut() {
                    bias.vector = bias.vector.clone().with_gradient(sink);
                }
            }
            Place::Vector { slot, .. } => {
                let vector = slot.base().clone().with_gradient(sink);
                slot.set_base(vector);
            }
        }
    }

    /// Whether its gradient is wanted.
    pub(crate) fn is_watched(&self) -> bool {
        match &self.place {
            Place::Weight(slot) => slot.base().gradient().is_some(),
            Place::Kernel(slot, _) => slot.base().gradient().is_some(),
            Place::Bias(slot) => {
                let bias = slot.base().as_ref();
                bias.is_some_and(|bias| bias.vector.gradient().is_some())
            }
            Place::Vector { slot, .. } => slot.base().gradient().is_some(),
        }
    }
}
