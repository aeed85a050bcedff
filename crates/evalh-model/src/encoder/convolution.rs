//! The convolution over the embedded tokens that some `DeBERTa` models add to their first layer.

use super::config::Convolution;
use super::part::{Part, scope};
use crate::LoraId;
use crate::part::{Held, Norm, ParameterSlot, Slot, Target, Updates};
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
    channels: usize,
    slot: Slot<Kernel>,
}

#[derive(Debug, Clone)]
struct Kernel {
    /// `[channels, size * channels]`, the channels of the earliest token first.
    weight: Weight,
    bias: Vector,
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
        let channels = bias.len();
        let kernel = Kernel {
            weight: unfolded(compute, config, channels, &weight),
            bias: compute.vector(bias),
        };
        Self {
            kernel: KernelPart {
                name,
                config,
                channels,
                slot: Slot::new(kernel),
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
        let kernel = self.kernel.slot.get(&scope);
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
        let out = compute.linear(&windows, &kernel.weight, Some(&kernel.bias));
        let out = compute.activate(out, activation);
        self.norm.forward(compute, out, Some(y), &scope).1
    }
}

/// The weight of the product with `[size * channels]` values around a token; channels of other groups weigh nothing.
fn unfolded(compute: &Compute, config: Convolution, channels: usize, weight: &[f32]) -> Weight {
    let Convolution { size, groups, .. } = config;
    let group = channels / groups;
    let mut rows = vec![0f32; channels * size * channels];
    for (out, row) in rows.chunks_exact_mut(size * channels).enumerate() {
        let first = out / group * group;
        for input in 0..group {
            for tap in 0..size {
                row[tap * channels + first + input] = weight[(out * group + input) * size + tap];
            }
        }
    }
    compute.weight(rows, channels, size * channels)
}

impl Held for KernelPart {
    /// None: an unfolded kernel has many more values than its own.
    fn parameters_mut(&mut self) -> Vec<ParameterSlot<'_>> {
        Vec::new()
    }

    fn restore(&mut self) {
        self.slot.restore();
    }

    fn detach(&mut self) {
        self.slot.detach();
    }

    fn replaced_by(&self, adapter: LoraId) -> bool {
        self.slot.replaced_by(adapter)
    }

    fn extra_bytes(&self) -> usize {
        let kernels = self.slot.extra();
        kernels.map(|kernel| kernel.weight.bytes()).sum()
    }
}

impl Part for KernelPart {
    fn apply(&mut self, compute: &Compute, target: Target, updates: &Updates<'_>) {
        let [weight, bias] =
            ["weight", "bias"].map(|end| updates.saved(&format!("{}.{end}", self.name)));
        if weight.is_none() && bias.is_none() {
            return;
        }
        let mut kernel = self.slot.base().clone();
        if let Some(weight) = weight {
            kernel.weight = unfolded(compute, self.config, self.channels, weight);
        }
        if let Some(bias) = bias {
            kernel.bias = compute.vector(bias.to_vec());
        }
        self.slot.put(target, kernel);
    }

    fn weight(&self) -> Option<&Weight> {
        Some(&self.slot.base().weight)
    }

    fn vectors(&self) -> usize {
        self.channels
    }
}
