//! The convolution over the embedded tokens that some `DeBERTa` models add to their first layer.

use super::config::Convolution;
use super::part::{Part, scope};
use crate::LoraId;
use crate::part::{
    Held, Norm, Parameter, ParameterSlot, ParameterTensor, Place, Slot, Target, Unfolding, Updates,
};
use burn::tensor::Tensor;
use evalh_kernel::{Compute, Vector, Weight};
use std::ops::Range;

/// A convolution, computed as one product with the tokens around each token.
#[derive(Debug)]
pub(super) struct ConvolutionLayer {
    kernel: KernelPart,
    norm: Norm,
}

#[derive(Debug)]
struct KernelPart {
    name: String,
    config: Convolution,
    unfolding: Unfolding,
    /// The unfolded kernel.
    weight: Slot<Weight>,
    bias: Slot<Vector>,
}

impl ConvolutionLayer {
    /// A convolution of `weight`, `[channels, channels / groups, size]`, and `bias`, `[channels]`.
    pub(super) fn new(
        compute: &Compute,
        name: String,
        config: Convolution,
        [weight, bias]: [Vec<f32>; 2],
        norm: Norm,
    ) -> Self {
        let unfolding = Unfolding {
            channels: bias.len(),
            groups: config.groups,
            size: config.size,
        };
        Self {
            kernel: KernelPart {
                name,
                config,
                unfolding,
                weight: Slot::new(matrix(compute, unfolding, &weight)),
                bias: Slot::new(compute.vector(bias)),
            },
            norm,
        }
    }

    pub(super) fn parts(&self) -> [&dyn Part; 2] {
        [&self.kernel, &self.norm]
    }

    pub(super) fn parts_mut(&mut self) -> [&mut dyn Part; 2] {
        [&mut self.kernel, &mut self.norm]
    }

    /// `norm(y + activation(convolution of x))` within each of `sequences`, zeros around them.
    pub(super) fn forward(
        &self,
        compute: &Compute,
        x: Tensor<2>,
        y: Tensor<2>,
        sequences: &[Range<usize>],
        adapter: Option<LoraId>,
    ) -> Tensor<2> {
        let [tokens, channels] = x.dims();
        let scope = scope(tokens, adapter);
        let Convolution {
            size, activation, ..
        } = self.kernel.config;
        let reach = size / 2;
        let zero = Tensor::zeros([1, channels], &x.device());
        let around: Vec<usize> = sequences
            .iter()
            .flat_map(|sequence| {
                sequence.clone().flat_map(move |token| {
                    // Shifted by the reach, which keeps the sum positive.
                    (token..token + size).map(move |at| match at.checked_sub(reach) {
                        Some(at) if sequence.contains(&at) => at,
                        _ => tokens,
                    })
                })
            })
            .collect();
        let windows = compute.select_rows(Tensor::cat(vec![x, zero], 0), &around);
        let windows = windows.reshape([tokens, size * channels]);
        let (weight, bias) = (self.kernel.weight.get(&scope), self.kernel.bias.get(&scope));
        let out = compute.linear(&windows, weight, Some(bias));
        let out = compute.activate(out, activation);
        self.norm.forward(compute, out, Some(y), &scope).1
    }
}

/// The weight of the product with `[size * channels]` values around a token.
fn matrix(compute: &Compute, unfolding: Unfolding, kernel: &[f32]) -> Weight {
    let (rows, columns) = (unfolding.channels, unfolding.columns());
    compute.weight(unfolding.unfolded(kernel), rows, columns)
}

impl Held for KernelPart {
    fn parameters_mut(&mut self) -> Vec<ParameterSlot<'_>> {
        let [rows, group, size] = self.unfolding.shape();
        let parameter = |name: &str, shape: Vec<usize>| Parameter {
            width: shape[1..].iter().product(),
            is_vector: shape.len() == 1,
            tensors: vec![ParameterTensor {
                name: format!("{}.{name}", self.name),
                rows: 0..rows,
                shape,
                turned: false,
            }],
            rows,
            layer: None,
            uses: 1,
        };
        let weight = parameter("weight", vec![rows, group, size]);
        let bias = parameter("bias", vec![rows]);
        vec![
            ParameterSlot {
                parameter: weight,
                place: Place::Kernel(&mut self.weight, self.unfolding),
            },
            ParameterSlot {
                parameter: bias,
                place: Place::Vector {
                    slot: &mut self.bias,
                    offset: 0.0,
                    copy: None,
                },
            },
        ]
    }

    fn restore(&mut self) {
        self.weight.restore();
        self.bias.restore();
    }

    fn detach(&mut self) {
        self.weight.detach();
        self.bias.detach();
    }

    fn replaced_by(&self, adapter: LoraId) -> bool {
        self.weight.replaced_by(adapter) || self.bias.replaced_by(adapter)
    }

    fn extra_bytes(&self) -> usize {
        self.weight.extra().map(Weight::bytes).sum()
    }
}

impl Part for KernelPart {
    fn apply(&mut self, compute: &Compute, target: Target, updates: &Updates<'_>) {
        if let Some(weight) = updates.saved(&format!("{}.weight", self.name)) {
            self.weight
                .put(target, matrix(compute, self.unfolding, weight));
        }
        if let Some(bias) = updates.saved(&format!("{}.bias", self.name)) {
            self.bias.put(target, compute.vector(bias.to_vec()));
        }
    }

    fn weight(&self) -> Option<&Weight> {
        Some(self.weight.base())
    }

    fn vectors(&self) -> usize {
        self.unfolding.channels
    }
}
