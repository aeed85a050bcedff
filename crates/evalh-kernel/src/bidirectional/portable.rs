//! Attention of whole sequences in burn's operations: padded to the longest, the padding masked.

use super::RelativePositions;
use crate::cpu::BidirectionalShape;
use burn::tensor::{Device, Int, Tensor, TensorData, activation};
use std::ops::Range;

pub(super) fn attend_all(
    qkv: Tensor<2>,
    shape: BidirectionalShape,
    sequences: &[Range<usize>],
    positions: Option<&RelativePositions<'_>>,
) -> Tensor<2> {
    let BidirectionalShape {
        heads,
        head_dim: dim,
        scale,
    } = shape;
    let (batch, device) = (sequences.len(), qkv.device());
    let longest = sequences.iter().map(Range::len).max().unwrap_or(0);
    let spread = [batch, heads, longest, longest];
    // Padding repeats the first token of its sequence, which keeps every value finite.
    let sources: Vec<usize> = sequences
        .iter()
        .flat_map(|s| (0..longest).map(|t| if t < s.len() { s.start + t } else { s.start }))
        .collect();
    let qkv = qkv.select(0, integers(&sources, &device));
    let part = |index: usize| -> Tensor<4> {
        qkv.clone()
            .narrow(1, index * shape.width(), shape.width())
            .reshape([batch, longest, heads, dim])
            .swap_dims(1, 2)
    };
    let (queries, keys, values) = (part(0), part(1), part(2));
    let mut scores = queries.clone().matmul(keys.clone().swap_dims(2, 3));
    if let Some(positions) = positions {
        // Transposed, so that a matmul with them gives one column a position.
        let transposed = |x: &Tensor<2>| -> Tensor<4> {
            let count = x.dims()[0];
            x.clone()
                .reshape([1, count, heads, dim])
                .permute([0, 2, 3, 1])
                .expand([batch, heads, dim, count])
        };
        let index = |of: fn(usize, usize) -> (usize, usize)| -> Tensor<4, Int> {
            let middle = positions.rows.len() / 2;
            let rows: Vec<usize> = (0..longest)
                .flat_map(|row| (0..longest).map(move |column| of(row, column)))
                .map(|(i, j)| positions.rows[middle + i - j] as usize)
                .collect();
            let rows: Tensor<4, Int> = integers(&rows, &device).reshape([1, 1, longest, longest]);
            rows.expand(spread)
        };
        if let Some(position_keys) = &positions.keys {
            let products = queries.matmul(transposed(position_keys));
            scores = scores + products.gather(3, index(|i, j| (i, j)));
        }
        if let Some(position_queries) = &positions.queries {
            let products = keys.matmul(transposed(position_queries));
            scores = scores + products.gather(3, index(|j, i| (i, j))).swap_dims(2, 3);
        }
    }
    let scores = scores.mul_scalar(scale) + mask(sequences, longest, &device);
    let out = activation::softmax(scores, 3).matmul(values);
    let out: Tensor<2> = out
        .swap_dims(1, 2)
        .reshape([batch * longest, shape.width()]);
    let kept: Vec<usize> = sequences
        .iter()
        .enumerate()
        .flat_map(|(i, s)| i * longest..i * longest + s.len())
        .collect();
    out.select(0, integers(&kept, &device))
}

fn integers(values: &[usize], device: &Device) -> Tensor<1, Int> {
    let values: Vec<i32> = values.iter().map(|v| *v as i32).collect();
    let len = values.len();
    Tensor::from_data(TensorData::new(values, [len]), device)
}

/// 0 for tokens, a large negative number for padding: `[batch, 1, 1, longest]`.
fn mask(sequences: &[Range<usize>], longest: usize, device: &Device) -> Tensor<4> {
    let values: Vec<f32> = sequences
        .iter()
        .flat_map(|s| (0..longest).map(|t| if t < s.len() { 0.0 } else { f32::MIN }))
        .collect();
    let shape = [sequences.len(), 1, 1, longest];
    Tensor::from_data(TensorData::new(values, shape), device)
}
