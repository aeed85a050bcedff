//! Causal attention of whole sequences.

use super::{is_recorded, record};
use crate::cpu::{Angles, AttentionShape, Isa, backward};
use crate::host::{self, Host};
use burn::tensor::Tensor;
use std::ops::Range;
use std::sync::Arc;

/// `[tokens, qkv_width]` to `[tokens, out_width]`; `sequences` cover the batch in order.
pub(crate) fn attend(
    isa: Isa,
    qkv: Tensor<2>,
    shape: AttentionShape,
    angles: &Arc<Angles>,
    sequences: Vec<Range<usize>>,
) -> Tensor<2> {
    let width = shape.out_width();
    if !is_recorded(&qkv) {
        let device = qkv.device();
        let mut qkv = Host::new(qkv).into_vec();
        let (out, _) = forward(isa, &mut qkv, shape, angles, &sequences);
        return host::tensor(out, width, &device);
    }
    let angles = Arc::clone(angles);
    record([qkv], width, |[qkv]| {
        let mut qkv = qkv.into_vec();
        let (out, log_sums) = forward(isa, &mut qkv, shape, &angles, &sequences);
        let seen = out.clone();
        let pull = move |dy: Host, _: [bool; 1]| {
            let mut gradient = vec![0f32; qkv.len()];
            backward::attend_sequences_backward(
                isa,
                &qkv,
                shape,
                &sequences,
                &seen,
                &log_sums,
                dy.values(),
                &mut gradient,
            );
            backward::rotate_back(&mut gradient, shape, &angles);
            [Some(gradient)]
        };
        (out, pull)
    })
}

/// Rotates in place; gives the outputs and the logarithms of the softmaxes' sums, `[tokens, heads]`.
fn forward(
    isa: Isa,
    qkv: &mut [f32],
    shape: AttentionShape,
    angles: &Angles,
    sequences: &[Range<usize>],
) -> (Vec<f32>, Vec<f32>) {
    backward::rotate(qkv, shape, angles);
    let tokens = qkv.len() / shape.qkv_width();
    let mut out = vec![0f32; tokens * shape.out_width()];
    let mut log_sums = vec![0f32; tokens * shape.heads];
    backward::attend_sequences(isa, qkv, shape, sequences, &mut out, &mut log_sums);
    (out, log_sums)
}
