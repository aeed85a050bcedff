//! The portable set: every primitive in burn's own operations, for GPUs and as a check on the CPU set.

use crate::cache::GrownSequence;
use crate::compute::LowRankSpan;
use crate::cpu::{AttentionShape, RopeTable};
use crate::weight::LowRank;
use burn::tensor::{Device, Tensor, TensorData, activation};

pub(crate) fn linear(x: Tensor<2>, weight: &Tensor<2>, bias: Option<&Tensor<1>>) -> Tensor<2> {
    let y = x.matmul(weight.clone().transpose());
    match bias {
        Some(bias) => y + bias.clone().unsqueeze(),
        None => y,
    }
}

pub(crate) fn low_rank(
    y: Tensor<2>,
    x: &Tensor<2>,
    span: &LowRankSpan<'_>,
    a: &Tensor<2>,
    b: &Tensor<2>,
) -> Tensor<2> {
    let LowRank { scale, .. } = *span.update;
    let x = x.clone().slice([span.tokens.clone()]);
    let delta = x
        .matmul(a.clone().transpose())
        .mul_scalar(scale)
        .matmul(b.clone().transpose());
    let place = [span.tokens.clone(), span.column..span.column + b.dims()[0]];
    let sum = y.clone().slice(place.clone()) + delta;
    y.slice_assign(place, sum)
}

/// Attention of the newest `qkv.dims()[0]` tokens of one sequence; appends their keys and values.
pub(crate) fn attend(
    qkv: &Tensor<2>,
    shape: AttentionShape,
    rope: &RopeTable,
    sequence: &mut GrownSequence,
    layer: usize,
) -> Tensor<2> {
    let (tokens, dim, device) = (qkv.dims()[0], shape.head_dim, qkv.device());
    let start = sequence.len - tokens;
    let heads = |first: usize, count: usize| -> Tensor<3> {
        qkv.clone()
            .narrow(1, first * dim, count * dim)
            .reshape([tokens, count, dim])
            .swap_dims(0, 1)
    };
    let rotation = Rotation::new(rope, start, tokens, &device);
    let queries = rotation.apply(heads(0, shape.heads));
    let mut keys = rotation.apply(heads(shape.heads, shape.kv_heads));
    let mut values = heads(shape.heads + shape.kv_heads, shape.kv_heads);
    let held = &mut sequence.layers[layer];
    if let Some((old_keys, old_values)) = held.take() {
        keys = Tensor::cat(vec![old_keys, keys], 1);
        values = Tensor::cat(vec![old_values, values], 1);
    }
    *held = Some((keys.clone(), values.clone()));

    // The query heads that share a key head become rows of one product.
    let (group, seen) = (shape.heads / shape.kv_heads, start + tokens);
    let queries = queries.reshape([shape.kv_heads, group * tokens, dim]);
    let scores = queries.matmul(keys.swap_dims(1, 2)).mul_scalar(shape.scale);
    let scores = scores.reshape([shape.heads, tokens, seen]) + causal_mask(tokens, start, &device);
    let weights = activation::softmax(scores, 2).reshape([shape.kv_heads, group * tokens, seen]);
    let out = weights.matmul(values).reshape([shape.heads, tokens, dim]);
    out.swap_dims(0, 1).reshape([tokens, shape.out_width()])
}

/// 0 where a token may look, a large negative number where it may not: `[1, tokens, start + tokens]`.
fn causal_mask(tokens: usize, start: usize, device: &Device) -> Tensor<3> {
    let seen = start + tokens;
    let mask: Vec<f32> = (0..tokens)
        .flat_map(|t| (0..seen).map(move |s| if s <= start + t { 0.0 } else { f32::MIN }))
        .collect();
    Tensor::from_data(TensorData::new(mask, [1, tokens, seen]), device)
}

/// Cosines and sines of some positions, `[1, tokens, pairs]`.
struct Rotation {
    cos: Tensor<3>,
    sin: Tensor<3>,
}

impl Rotation {
    fn new(rope: &RopeTable, start: usize, tokens: usize, device: &Device) -> Self {
        let positions = || (start..start + tokens).map(|position| rope.at(position));
        let tensor = |values: Vec<f32>| {
            Tensor::from_data(TensorData::new(values, [1, tokens, rope.pairs()]), device)
        };
        Self {
            cos: tensor(positions().flat_map(|(cos, _)| cos.to_vec()).collect()),
            sin: tensor(positions().flat_map(|(_, sin)| sin.to_vec()).collect()),
        }
    }

    /// Rotates `[heads, tokens, head_dim]`.
    fn apply(&self, x: Tensor<3>) -> Tensor<3> {
        let (pairs, dim) = (self.cos.dims()[2], x.dims()[2]);
        let (low, high) = (
            x.clone().narrow(2, 0, pairs),
            x.clone().narrow(2, pairs, pairs),
        );
        let mut parts = vec![
            low.clone() * self.cos.clone() - high.clone() * self.sin.clone(),
            high * self.cos.clone() + low * self.sin.clone(),
        ];
        if dim > 2 * pairs {
            parts.push(x.narrow(2, 2 * pairs, dim - 2 * pairs));
        }
        Tensor::cat(parts, 2)
    }
}
