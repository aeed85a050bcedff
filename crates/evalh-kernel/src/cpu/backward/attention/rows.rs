//! Rows of scores: their softmax, and its gradient.

use crate::cpu::attention::AttentionShape;
use crate::cpu::curve::tanh;
use crate::cpu::isa::{Isa, dispatch};
use crate::cpu::lanes::{Lanes, exp};
use std::ops::Range;

/// Softmax weights of a row of products of a query with keys, unnormalised: `exp(score - top)` in place for the `visible`
/// keys, zero for the rest. Gives back the largest score and the sum of the weights.
///
/// A product that is not a number makes the sum none either.
pub(super) fn softmax(
    isa: Isa,
    products: &mut [f32],
    visible: Range<usize>,
    shape: AttentionShape,
) -> (f32, f32) {
    debug_assert!(products.len().is_multiple_of(16));
    debug_assert!(!visible.is_empty() && visible.end <= products.len());
    let mut top_and_sum = (0.0, 0.0);
    // SAFETY: the dispatched code works on the slice it is given.
    unsafe { softmax_row(isa, products, visible, shape, &mut top_and_sum) };
    top_and_sum
}

dispatch! {
    unsafe fn softmax_row(isa; products: &mut [f32], visible: Range<usize>, shape: AttentionShape, top_and_sum: &mut (f32, f32)) = softmax_lanes
}

#[inline(always)]
unsafe fn softmax_lanes<V: Lanes>(
    products: &mut [f32],
    visible: Range<usize>,
    shape: AttentionShape,
    top_and_sum: &mut (f32, f32),
) {
    let parts = visible.start / 16..visible.end.div_ceil(16);
    let (all, _) = products.as_chunks_mut::<16>();
    // SAFETY: every access is to sixteen values of an array; the caller vouches for the instruction set.
    unsafe {
        let mut top = V::splat(f32::NEG_INFINITY);
        for (index, part) in all.iter_mut().enumerate().take(parts.end).skip(parts.start) {
            score(V::load(part.as_ptr()), shape).store(part.as_mut_ptr());
            outside(part, index, &visible, f32::NEG_INFINITY);
            top = top.max(V::load(part.as_ptr()));
        }
        top_and_sum.0 = top.largest();
        let top = V::splat(top_and_sum.0);
        let mut sum = V::splat(0.0);
        for (index, part) in all.iter_mut().enumerate().take(parts.end).skip(parts.start) {
            let below = V::load(part.as_ptr()).sub(top);
            // The exponential clamps; the product with zero hands on what is not a number.
            below
                .mul_add(V::splat(0.0), exp(below))
                .store(part.as_mut_ptr());
            outside(part, index, &visible, 0.0);
            sum = sum.add(V::load(part.as_ptr()));
        }
        top_and_sum.1 = sum.sum();
    }
    all[..parts.start].as_flattened_mut().fill(0.0);
    all[parts.end..].as_flattened_mut().fill(0.0);
}

/// The score that a product of query and key makes.
#[inline(always)]
unsafe fn score<V: Lanes>(product: V, shape: AttentionShape) -> V {
    // SAFETY: arithmetic on lanes only.
    unsafe {
        match shape.soft_cap {
            None => product.mul(V::splat(shape.scale)),
            Some(cap) => tanh(product.mul(V::splat(shape.scale / cap))).mul(V::splat(cap)),
        }
    }
}

/// Sets what is not visible of the `index`th part of a row.
#[inline(always)]
fn outside(part: &mut [f32; 16], index: usize, visible: &Range<usize>, value: f32) {
    let begin = visible.start.saturating_sub(index * 16).min(16);
    let end = visible.end.saturating_sub(index * 16).min(16);
    if (begin, end) != (0, 16) {
        part[..begin].fill(value);
        part[end.max(begin)..].fill(value);
    }
}

/// What a query knows about its scores before its gradient is computed.
#[derive(Clone, Copy)]
pub(super) struct Known {
    /// The logarithm of the sum of its exponentiated scores.
    pub log_sum: f32,
    /// The sum of its outputs times their gradients.
    pub delta: f32,
}

/// Turns a row of products of a query with keys into softmax weights, and the row of products of its output's gradient
/// with values into gradients by the former products; both zero where they are not `visible`.
pub(super) fn gradient(
    isa: Isa,
    products: &mut [f32],
    d_weights: &mut [f32],
    visible: Range<usize>,
    known: Known,
    shape: AttentionShape,
) {
    debug_assert!(products.len().is_multiple_of(16) && products.len() == d_weights.len());
    // SAFETY: the dispatched code works on the slices it is given.
    unsafe { gradient_row(isa, products, d_weights, visible, known, shape) };
}

dispatch! {
    unsafe fn gradient_row(isa; products: &mut [f32], d_weights: &mut [f32], visible: Range<usize>, known: Known, shape: AttentionShape) = gradient_lanes
}

#[inline(always)]
unsafe fn gradient_lanes<V: Lanes>(
    products: &mut [f32],
    d_weights: &mut [f32],
    visible: Range<usize>,
    known: Known,
    shape: AttentionShape,
) {
    let parts = visible.start / 16..visible.end.div_ceil(16);
    let ((weights, _), (d_scores, _)) = (
        products.as_chunks_mut::<16>(),
        d_weights.as_chunks_mut::<16>(),
    );
    for all in [&mut *weights, &mut *d_scores] {
        all[..parts.start].as_flattened_mut().fill(0.0);
        all[parts.end..].as_flattened_mut().fill(0.0);
    }
    let all = weights.iter_mut().zip(d_scores).enumerate();
    for (index, (weight, d)) in all.take(parts.end).skip(parts.start) {
        // SAFETY: every access is to sixteen values of an array; the caller vouches for the instruction set.
        unsafe {
            let score = score(V::load(weight.as_ptr()), shape);
            let w = exp(score.sub(V::splat(known.log_sum)));
            let mut slope = V::splat(shape.scale);
            if let Some(cap) = shape.soft_cap {
                let shrink = V::splat(-shape.scale / (cap * cap));
                slope = score.mul(score).mul_add(shrink, slope);
            }
            let d_weight = V::load(d.as_ptr()).sub(V::splat(known.delta));
            w.store(weight.as_mut_ptr());
            d_weight.mul(w).mul(slope).store(d.as_mut_ptr());
        }
        outside(weight, index, &visible, 0.0);
        outside(d, index, &visible, 0.0);
    }
}
