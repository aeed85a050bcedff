//! Causal attention over whole sequences, and its gradients.

use super::Shared;
use crate::cpu::attention::{AttentionShape, QkvLayout};
use crate::cpu::isa::Isa;
use rayon::prelude::*;
use std::ops::Range;

/// Attends causally within each of `sequences`, ranges of tokens that cover the batch in order.
///
/// `qkv` is `[tokens, qkv_width]`: queries and keys, both rotated already, and values of each token. `out` is `[tokens,
/// out_width]`; `log_sums`, `[tokens, heads]`, get the natural logarithm of the sum of each query's exponentiated scores,
/// which [`attend_sequences_backward`] needs. Both are written.
///
/// # Panics
/// When a shape does not fit.
pub fn attend_sequences(
    _isa: Isa,
    qkv: &[f32],
    shape: AttentionShape,
    sequences: &[Range<usize>],
    out: &mut [f32],
    log_sums: &mut [f32],
) {
    check(qkv, shape, sequences, out, log_sums);
    let (out, log_sums) = (Shared(out.as_mut_ptr()), Shared(log_sums.as_mut_ptr()));
    let (width, dim) = (shape.qkv_width(), shape.head_dim);
    let group = shape.heads / shape.kv_heads;
    (0..sequences.len() * shape.kv_heads)
        .into_par_iter()
        .for_each(|task| {
            let (tokens, kv_head) = (&sequences[task / shape.kv_heads], task % shape.kv_heads);
            for (t, h) in tokens
                .clone()
                .flat_map(|t| (0..group).map(move |g| (t, kv_head * group + g)))
            {
                let query = &qkv[t * width + shape.query(h)..][..dim];
                let seen = tokens.start + shape.first_seen(t - tokens.start)..t + 1;
                let scores: Vec<f32> = seen
                    .clone()
                    .map(|s| score(query, &qkv[s * width + shape.key(kv_head)..][..dim], shape).0)
                    .collect();
                let top = scores.iter().copied().fold(f32::MIN, f32::max);
                let sum: f32 = scores.iter().map(|s| (s - top).exp()).sum();
                let mut outputs = vec![0f32; dim];
                for (s, x) in seen.zip(scores) {
                    let value = &qkv[s * width + shape.value(kv_head)..][..dim];
                    let weight = (x - top).exp() / sum;
                    outputs
                        .iter_mut()
                        .zip(value)
                        .for_each(|(o, v)| *o += weight * v);
                }
                // SAFETY: each task writes its own tokens' and heads' places, inside the lengths checked above.
                unsafe {
                    *log_sums.at(t * shape.heads + h) = top + sum.ln();
                    let to = out.at(t * shape.out_width() + h * dim);
                    std::ptr::copy_nonoverlapping(outputs.as_ptr(), to, dim);
                }
            }
        });
}

/// Gradients of [`attend_sequences`]: `d_qkv`, like `qkv`, is written, from `d_out`, the gradient of `out`.
///
/// `out` and `log_sums` are what the forward pass wrote; the scores are computed again. Queries and keys are the rotated
/// ones, and so are their gradients.
///
/// # Panics
/// When a shape does not fit.
#[allow(clippy::too_many_arguments)]
pub fn attend_sequences_backward(
    _isa: Isa,
    qkv: &[f32],
    shape: AttentionShape,
    sequences: &[Range<usize>],
    out: &[f32],
    log_sums: &[f32],
    d_out: &[f32],
    d_qkv: &mut [f32],
) {
    check(qkv, shape, sequences, out, log_sums);
    assert!(
        d_out.len() == out.len() && d_qkv.len() == qkv.len(),
        "gradients like the outputs and the inputs"
    );
    let (width, dim) = (shape.qkv_width(), shape.head_dim);
    let group = shape.heads / shape.kv_heads;
    d_qkv.fill(0.0);
    let to = Shared(d_qkv.as_mut_ptr());
    let add = |first: usize, values: &[f32], factor: f32| {
        for (i, v) in values.iter().enumerate() {
            // SAFETY: each task writes its own tokens' and heads' places, inside the lengths checked above.
            unsafe { *to.at(first + i) += factor * v };
        }
    };
    (0..sequences.len() * shape.kv_heads)
        .into_par_iter()
        .for_each(|task| {
            let (tokens, kv_head) = (&sequences[task / shape.kv_heads], task % shape.kv_heads);
            for (t, h) in tokens
                .clone()
                .flat_map(|t| (0..group).map(move |g| (t, kv_head * group + g)))
            {
                let at_query = t * width + shape.query(h);
                let query = &qkv[at_query..][..dim];
                let d = &d_out[t * shape.out_width() + h * dim..][..dim];
                let o = &out[t * shape.out_width() + h * dim..][..dim];
                let delta: f32 = d.iter().zip(o).map(|(d, o)| d * o).sum();
                for s in tokens.start + shape.first_seen(t - tokens.start)..=t {
                    let (at_key, at_value) = (
                        s * width + shape.key(kv_head),
                        s * width + shape.value(kv_head),
                    );
                    let (x, slope) = score(query, &qkv[at_key..][..dim], shape);
                    let weight = (x - log_sums[t * shape.heads + h]).exp();
                    let d_weight: f32 = d.iter().zip(&qkv[at_value..]).map(|(d, v)| d * v).sum();
                    let d_score = weight * (d_weight - delta) * slope;
                    add(at_value, d, weight);
                    add(at_query, &qkv[at_key..][..dim], d_score);
                    add(at_key, query, d_score);
                }
            }
        });
}

/// A score and its derivative by the product of query and key.
fn score(query: &[f32], key: &[f32], shape: AttentionShape) -> (f32, f32) {
    let score: f32 = query.iter().zip(key).map(|(q, k)| q * k).sum::<f32>() * shape.scale;
    shape.soft_cap.map_or((score, shape.scale), |cap| {
        let t = (score / cap).tanh();
        (cap * t, (1.0 - t * t) * shape.scale)
    })
}

fn check(
    qkv: &[f32],
    shape: AttentionShape,
    sequences: &[Range<usize>],
    out: &[f32],
    log_sums: &[f32],
) {
    let tokens = log_sums.len() / shape.heads;
    assert_eq!(
        (qkv.len(), out.len(), log_sums.len()),
        (
            tokens * shape.qkv_width(),
            tokens * shape.out_width(),
            tokens * shape.heads
        ),
        "queries, keys, values, outputs and sums of {tokens} tokens"
    );
    assert!(
        shape.heads.is_multiple_of(shape.kv_heads)
            && (shape.layout == QkvLayout::Concatenated || shape.heads == shape.kv_heads),
        "a key head for as many query heads"
    );
    let mut next = 0;
    for sequence in sequences {
        assert!(
            sequence.start == next && sequence.end >= next,
            "sequences follow one another"
        );
        next = sequence.end;
    }
    assert_eq!(next, tokens, "every token belongs to a sequence");
}
