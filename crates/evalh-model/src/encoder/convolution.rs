//! The convolution over the embedded tokens that some `DeBERTa` models add to their first layer.

use super::adapt::{Changes, Part, Size};
use super::config::Convolution;
use super::norm::Norm;
use super::slot::{Place, Slot};
use crate::{LoraId, ModelError};
use burn::tensor::Tensor;
use evalh_kernel::{Compute, Vector, Weight};
use std::ops::Range;

/// A convolution, computed as one product with the tokens around each token.
#[derive(Debug)]
pub(super) struct ConvolutionLayer {
    name: String,
    config: Convolution,
    channels: usize,
    slot: Slot<Kernel>,
    pub norm: Norm,
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
            name,
            config,
            channels,
            slot: Slot::new(Some(kernel)),
            norm,
        }
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
        let Some(kernel) = self.slot.get(adapter) else {
            return y;
        };
        let [tokens, channels] = x.dims();
        let (size, reach) = (self.config.size, self.config.size / 2);
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
        let out = compute.activate(out, self.config.activation);
        self.norm.forward(compute, out, Some(y), adapter)
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

impl Part for ConvolutionLayer {
    fn apply(
        &mut self,
        compute: &Compute,
        place: Place,
        changes: &Changes<'_>,
    ) -> Result<(), ModelError> {
        let [weight, bias] =
            ["weight", "bias"].map(|end| changes.saved(&format!("{}.{end}", self.name)));
        if let Some(mut kernel) = self.slot.base().cloned()
            && (weight.is_some() || bias.is_some())
        {
            if let Some(weight) = weight {
                kernel.weight = unfolded(compute, self.config, self.channels, weight);
            }
            if let Some(bias) = bias {
                kernel.bias = compute.vector(bias.to_vec());
            }
            self.slot.put(place, kernel);
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
        let Convolution { size, groups, .. } = self.config;
        let weight = self.channels * self.channels / groups * size;
        let bytes = |kernel: &Kernel| kernel.weight.bytes() + self.channels * size_of::<f32>();
        Size {
            parameters: weight + self.channels,
            bytes: self.slot.base().map_or(0, bytes),
            adapter_bytes: self.slot.extra().map(bytes).sum(),
            dtype: self.slot.base().map(|kernel| kernel.weight.dtype()),
        }
    }
}
