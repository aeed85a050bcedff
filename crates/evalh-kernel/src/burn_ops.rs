//! The portable set: every primitive in burn's own operations, for GPUs and as a check on the CPU set.

use crate::cache::GrownSequence;
use crate::compute::{LowRankSpan, RescaleSpan, mixed};
use crate::cpu::{AttentionShape, Pairing, QkvLayout};
use crate::weight::{Form, Weight};
use burn::tensor::{Device, Tensor, TensorData, activation};
use std::ops::Range;

pub(crate) fn linear(x: Tensor<2>, weight: &Tensor<2>, bias: Option<&Tensor<1>>) -> Tensor<2> {
    let y = x.matmul(weight.clone().transpose());
    match bias {
        Some(bias) => y + bias.clone().unsqueeze(),
        None => y,
    }
}

pub(crate) fn low_rank(mut y: Tensor<2>, x: &Tensor<2>, span: &LowRankSpan<'_>) -> Tensor<2> {
    let x = x.clone().slice([span.tokens.clone()]);
    let inner = x.matmul(dense(&span.update.a).clone().transpose());
    for addend in &span.update.addends {
        let (b, ranks) = (dense(&addend.b), &addend.ranks);
        let delta = inner
            .clone()
            .narrow(1, ranks.start, ranks.len())
            .mul_scalar(addend.scale)
            .matmul(b.clone().transpose());
        let columns = addend.column..addend.column + b.dims()[0];
        let place = [span.tokens.clone(), columns];
        let sum = y.clone().slice(place.clone()) + delta;
        y = y.slice_assign(place, sum);
    }
    y
}

/// A weight of burn's set.
fn dense(weight: &Weight) -> &Tensor<2> {
    match &weight.form {
        Form::Dense(tensor) => tensor,
        Form::Packed(..) => mixed(),
    }
}

pub(crate) fn rescale(y: Tensor<2>, span: &RescaleSpan<'_>, device: &Device) -> Tensor<2> {
    let row = |values: &[f32]| {
        Tensor::<2>::from_data(TensorData::new(values.to_vec(), [1, values.len()]), device)
    };
    let place = [
        span.tokens.clone(),
        span.column..span.column + span.factors.len(),
    ];
    let part = y.clone().slice(place.clone());
    let scaled = match span.bias {
        Some(bias) => (part - row(bias)) * row(span.factors) + row(bias),
        None => part * row(span.factors),
    };
    y.slice_assign(place, scaled)
}

/// The heads of a batch, `[tokens, heads, head_dim]` each, queries and keys rotated.
pub(crate) struct Heads {
    queries: Tensor<3>,
    keys: Tensor<3>,
    values: Tensor<3>,
}

impl Heads {
    /// Splits `[tokens, qkv_width]` into heads and rotates by cosines and sines, `[tokens, 1, pairs]`.
    pub(crate) fn new(
        qkv: Tensor<2>,
        shape: AttentionShape,
        rotation: Option<(&Tensor<3>, &Tensor<3>, Pairing)>,
    ) -> Self {
        let (tokens, dim) = (qkv.dims()[0], shape.head_dim);
        let [queries, keys, values] = match shape.layout {
            QkvLayout::Concatenated => {
                let part = |first: usize, count: usize| {
                    qkv.clone()
                        .narrow(1, first * dim, count * dim)
                        .reshape([tokens, count, dim])
                };
                [
                    part(0, shape.heads),
                    part(shape.heads, shape.kv_heads),
                    part(shape.heads + shape.kv_heads, shape.kv_heads),
                ]
            }
            QkvLayout::Interleaved => {
                let heads = qkv.reshape([tokens, shape.heads, 3 * dim]);
                [0, 1, 2].map(|part| heads.clone().narrow(2, part * dim, dim))
            }
        };
        let rotate = |x: Tensor<3>| match rotation {
            Some((cos, sin, pairing)) => rotate(x, cos, sin, pairing),
            None => x,
        };
        Self {
            queries: rotate(queries),
            keys: rotate(keys),
            values,
        }
    }

    /// Attention of the newest `tokens` of one sequence; appends their keys and values.
    pub(crate) fn attend(
        &self,
        tokens: Range<usize>,
        shape: AttentionShape,
        sequence: &mut GrownSequence,
        layer: usize,
    ) -> Tensor<2> {
        let start = sequence.len - tokens.len();
        let (queries, mut keys, mut values) = self.part(tokens);
        let held = &mut sequence.layers[layer];
        if let Some((old_keys, old_values)) = held.take() {
            keys = Tensor::cat(vec![old_keys, keys], 1);
            values = Tensor::cat(vec![old_values, values], 1);
        }
        *held = Some((keys.clone(), values.clone()));
        see(shape, queries, keys, values, start)
    }

    /// Attention of the tokens of one whole sequence.
    pub(crate) fn attend_whole(&self, tokens: Range<usize>, shape: AttentionShape) -> Tensor<2> {
        let (queries, keys, values) = self.part(tokens);
        see(shape, queries, keys, values, 0)
    }

    /// The heads of some tokens, `[heads, tokens, head_dim]` each.
    fn part(&self, tokens: Range<usize>) -> (Tensor<3>, Tensor<3>, Tensor<3>) {
        let part = |x: &Tensor<3>| x.clone().slice([tokens.clone()]).swap_dims(0, 1);
        (part(&self.queries), part(&self.keys), part(&self.values))
    }
}

/// What queries, `[heads, tokens, head_dim]`, see of keys and values, of which `start` come before their own.
fn see(
    shape: AttentionShape,
    queries: Tensor<3>,
    keys: Tensor<3>,
    values: Tensor<3>,
    start: usize,
) -> Tensor<2> {
    let (dim, device) = (shape.head_dim, queries.device());
    let count = queries.dims()[1];
    // The query heads that share a key head become rows of one product.
    let (group, seen) = (shape.heads / shape.kv_heads, start + count);
    let queries = queries.reshape([shape.kv_heads, group * count, dim]);
    let mut scores = queries.matmul(keys.swap_dims(1, 2)).mul_scalar(shape.scale);
    if let Some(cap) = shape.soft_cap {
        scores = scores.div_scalar(cap).tanh().mul_scalar(cap);
    }
    let scores = scores.reshape([shape.heads, count, seen]) + mask(shape, count, start, &device);
    let weights = activation::softmax(scores, 2).reshape([shape.kv_heads, group * count, seen]);
    let out = weights.matmul(values).reshape([shape.heads, count, dim]);
    out.swap_dims(0, 1).reshape([count, shape.out_width()])
}

/// 0 where a token may look, a large negative number where it may not: `[1, tokens, start + tokens]`.
fn mask(shape: AttentionShape, tokens: usize, start: usize, device: &Device) -> Tensor<3> {
    let seen = start + tokens;
    let mask: Vec<f32> = (start..seen)
        .flat_map(|position| {
            let visible = shape.first_seen(position)..=position;
            (0..seen).map(move |s| if visible.contains(&s) { 0.0 } else { f32::MIN })
        })
        .collect();
    Tensor::from_data(TensorData::new(mask, [1, tokens, seen]), device)
}

/// Rotates `[tokens, heads, head_dim]` by `[tokens, 1, pairs]`.
fn rotate(x: Tensor<3>, cos: &Tensor<3>, sin: &Tensor<3>, pairing: Pairing) -> Tensor<3> {
    let ([tokens, heads, dim], pairs) = (x.dims(), cos.dims()[2]);
    let turn = |low: Tensor<3>, high: Tensor<3>| {
        [
            low.clone() * cos.clone() - high.clone() * sin.clone(),
            high * cos.clone() + low * sin.clone(),
        ]
    };
    let mut parts = match pairing {
        Pairing::Halves => turn(
            x.clone().narrow(2, 0, pairs),
            x.clone().narrow(2, pairs, pairs),
        )
        .to_vec(),
        Pairing::Neighbours => {
            let pair = x
                .clone()
                .narrow(2, 0, 2 * pairs)
                .reshape([tokens, heads, pairs, 2]);
            let side = |i: usize| pair.clone().narrow(3, i, 1).reshape([tokens, heads, pairs]);
            let [low, high] = turn(side(0), side(1)).map(|x| x.reshape([tokens, heads, pairs, 1]));
            vec![Tensor::cat(vec![low, high], 3).reshape([tokens, heads, 2 * pairs])]
        }
    };
    if dim > 2 * pairs {
        parts.push(x.narrow(2, 2 * pairs, dim - 2 * pairs));
    }
    Tensor::cat(parts, 2)
}
