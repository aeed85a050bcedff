//! One step of the tape.

use crate::host::Host;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::NoCheckpointing;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::flex::FlexTensor;
use burn::backend::{Autodiff, Flex};
use burn::tensor::{Tensor, TensorData};
use std::fmt;
use std::sync::Arc;

/// From the gradient of a step's output to those of its inputs, in their order; none for an input that wants none.
type Pull<const N: usize> = dyn Fn(Host, [bool; N]) -> [Option<Vec<f32>>; N] + Send + Sync;

/// What the backward pass of a step needs.
struct Saved<const N: usize> {
    pull: Arc<Pull<N>>,
    shapes: [[usize; 2]; N],
}

impl<const N: usize> Clone for Saved<N> {
    fn clone(&self) -> Self {
        Self {
            pull: Arc::clone(&self.pull),
            shapes: self.shapes,
        }
    }
}

impl<const N: usize> fmt::Debug for Saved<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Saved")
            .field("shapes", &self.shapes)
            .finish_non_exhaustive()
    }
}

/// Runs the step's own backward pass.
#[derive(Debug)]
struct Pulled;

impl<const N: usize> Backward<Flex, N> for Pulled {
    type State = Saved<N>;

    fn backward(self, ops: Ops<Self::State, N>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let output = gradients.consume::<Flex>(&ops.node);
        let wanted = ops.parents.each_ref().map(Option::is_some);
        let inputs = (ops.state.pull)(Host::of(output), wanted);
        let parents = ops.parents.into_iter().zip(inputs).zip(ops.state.shapes);
        for ((parent, gradient), shape) in parents {
            if let (Some(parent), Some(gradient)) = (parent, gradient) {
                let tensor = FlexTensor::from_data(TensorData::new(gradient, shape));
                gradients.register::<Flex>(parent.id, tensor);
            }
        }
    }
}

/// Whether a tensor is on a tape, so that what is computed from it must be recorded.
pub(crate) fn is_recorded(tensor: &Tensor<2>) -> bool {
    tensor.is_autodiff()
}

/// Records one step: `forward` turns the inputs' values into the output, `[rows, width]`, and the function that pulls a
/// gradient of the output back to gradients of the inputs.
pub(crate) fn record<const N: usize, P>(
    inputs: [Tensor<2>; N],
    width: usize,
    forward: impl FnOnce([Host; N]) -> (Vec<f32>, P),
) -> Tensor<2>
where
    P: Fn(Host, [bool; N]) -> [Option<Vec<f32>>; N] + Send + Sync + 'static,
{
    let shapes = inputs.each_ref().map(Tensor::dims);
    let parts = inputs.map(|input| {
        match input
            .autodiff()
            .try_into_primitive::<Autodiff<Flex, NoCheckpointing>>()
        {
            Ok(tensor) => tensor.into_parts(),
            // The CPU set only ever makes tensors on this backend.
            Err(error) => unreachable!("a tensor of another backend: {error:?}"),
        }
    });
    let mut nodes = Vec::with_capacity(N);
    let values = parts.map(|(values, node)| {
        nodes.push(node);
        Host::of(values)
    });
    let Ok(nodes) = <[_; N]>::try_from(nodes) else {
        unreachable!("a node an input")
    };
    let (out, pull) = forward(values);
    let rows = out.len() / width;
    let out = FlexTensor::from_data(TensorData::new(out, [rows, width]));
    let prepared = Pulled.prepare::<NoCheckpointing>(nodes).compute_bound();
    let out = match prepared.stateful() {
        OpsKind::Tracked(step) => {
            let pull = Arc::new(pull);
            step.finish(Saved { pull, shapes }, out)
        }
        OpsKind::UnTracked(step) => step.finish(out),
    };
    Tensor::from_primitive::<Autodiff<Flex, NoCheckpointing>>(out)
}
