//! One forward and backward pass with gradients of parameters.

use crate::compute::{Compute, ComputeSet};
use crate::gradient::Sink;
use crate::weight::data_values;
use burn::tensor::{Device, Gradients, Tensor};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// The parameters that burn's own operations used since the tape was begun.
#[derive(Clone, Default)]
pub(crate) struct Leaves(Arc<Mutex<Vec<(Read, Sink)>>>);

/// Takes a leaf's gradient out of all.
type Read = Box<dyn FnOnce(&mut Gradients) -> Option<Vec<f32>> + Send>;

impl fmt::Debug for Leaves {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Leaves")
    }
}

impl Compute {
    /// The same primitives, which record what is computed from tensors of [`Compute::begin`], to be pulled back by
    /// [`Compute::backward`].
    #[must_use]
    pub fn recording(&self) -> Self {
        let device = match self.set() {
            ComputeSet::Cpu(..) => self.device().clone(),
            ComputeSet::Burn => self.device().clone().autodiff(),
        };
        self.on(device, Some(Leaves::default()))
    }

    /// The device of tensors that are on no tape.
    pub fn plain(&self) -> Device {
        self.device().clone().without_autodiff()
    }

    /// A tensor of the same values from which on everything is recorded.
    pub fn begin(&self, x: Tensor<2>) -> Tensor<2> {
        x.autodiff().detach().require_grad()
    }

    /// A parameter as burn's operations use it: a leaf of the tape where its gradient is wanted.
    pub(crate) fn leaf<const D: usize>(
        &self,
        tensor: &Tensor<D>,
        sink: Option<&Sink>,
    ) -> Tensor<D> {
        let (Some(leaves), Some(sink)) = (self.leaves(), sink) else {
            return tensor.clone();
        };
        let leaf = tensor.clone().autodiff().detach().require_grad();
        let kept = leaf.clone();
        let read: Read = Box::new(move |gradients| {
            let gradient = kept.grad_remove(gradients)?;
            Some(data_values(gradient.into_data()))
        });
        let mut all = leaves.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.push((read, Arc::clone(sink)));
        leaf
    }

    /// Hands the gradient of `loss`, a single value, to the sinks of all parameters that took part in it.
    pub fn backward(&self, loss: &Tensor<2>) {
        if !loss.is_tracked() {
            return;
        }
        let mut gradients = loss.backward();
        let Some(leaves) = self.leaves() else { return };
        let taken = std::mem::take(&mut *leaves.0.lock().unwrap_or_else(PoisonError::into_inner));
        for (read, sink) in taken {
            if let Some(gradient) = read(&mut gradients) {
                sink.receive(&mut |sum| {
                    sum.iter_mut().zip(&gradient).for_each(|(s, g)| *s += g);
                });
            }
        }
    }
}
