//! Rows of scores: their softmax, and its gradient.

use crate::cpu::attention::AttentionShape;
use crate::cpu::backward::part;
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
            let score = score(V::load(part.as_ptr()), shape);
            let score = limit(score, index, &visible, f32::NEG_INFINITY);
            score.store(part.as_mut_ptr());
            top = top.max(score);
        }
        top_and_sum.0 = largest(top);
        let top = V::splat(top_and_sum.0);
        let mut sum = V::splat(0.0);
        for (index, part) in all.iter_mut().enumerate().take(parts.end).skip(parts.start) {
            let below = V::load(part.as_ptr()).sub(top);
            // The exponential clamps; the product with zero hands on what is not a number.
            let weight = below.mul_add(V::splat(0.0), exp(below));
            let weight = limit(weight, index, &visible, 0.0);
            weight.store(part.as_mut_ptr());
            sum = sum.add(weight);
        }
        top_and_sum.1 = sum.sum();
    }
    all[..parts.start].as_flattened_mut().fill(0.0);
    all[parts.end..].as_flattened_mut().fill(0.0);
}

/// The largest lane, halves against halves: rows are short, and so this must be.
#[inline(always)]
unsafe fn largest<V: Lanes>(lanes: V) -> f32 {
    let mut v = [0f32; 16];
    // SAFETY: the array holds sixteen values.
    unsafe { lanes.store(v.as_mut_ptr()) };
    for half in [8, 4, 2, 1] {
        for i in 0..half {
            v[i] = if v[i] > v[i + half] {
                v[i]
            } else {
                v[i + half]
            };
        }
    }
    v[0]
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

/// Lanes of the `index`th part of a row that are not visible become `least`, which is not above the others; visible ones
/// that are not a number become infinite. Without a select, and without a detour over memory.
#[inline(always)]
unsafe fn limit<V: Lanes>(lanes: V, index: usize, visible: &Range<usize>, least: f32) -> V {
    let begin = visible.start.saturating_sub(index * 16).min(16);
    let end = visible.end.saturating_sub(index * 16).min(16);
    if (begin, end) == (0, 16) {
        return lanes;
    }
    let bounds: &[f32; 48] = if least == 0.0 { &ZERO } else { &LOWEST };
    // SAFETY: neither bound is above sixteen, so that sixteen values follow each place.
    unsafe {
        let first = V::load(bounds.as_ptr().add(16 - begin));
        let last = V::load(bounds.as_ptr().add(32 - end));
        lanes.min(first).min(last)
    }
}

/// A window of sixteen that slides over it lets through what lies in the middle.
const fn bounds(least: f32) -> [f32; 48] {
    let mut bounds = [least; 48];
    let mut i = 16;
    while i < 32 {
        bounds[i] = f32::INFINITY;
        i += 1;
    }
    bounds
}
static ZERO: [f32; 48] = bounds(0.0);
static LOWEST: [f32; 48] = bounds(f32::NEG_INFINITY);

/// The sum of the products of two heads' values, which are equally many.
pub(super) fn dot(isa: Isa, a: &[f32], b: &[f32]) -> f32 {
    let mut sum = 0.0;
    // SAFETY: the dispatched code works on the slices it is given.
    unsafe { dot_values(isa, a, b, &mut sum) };
    sum
}

dispatch! {
    unsafe fn dot_values(isa; a: &[f32], b: &[f32], sum: &mut f32) = dot_lanes
}

#[inline(always)]
unsafe fn dot_lanes<V: Lanes>(a: &[f32], b: &[f32], sum: &mut f32) {
    // SAFETY: the caller vouches for the instruction set.
    unsafe {
        let mut products = V::splat(0.0);
        for (a, b) in a.chunks(16).zip(b.chunks(16)) {
            products = part::load::<V>(a).mul_add(part::load(b), products);
        }
        *sum = products.sum();
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
    let parts = if visible.is_empty() {
        0..0
    } else {
        visible.start / 16..visible.end.div_ceil(16)
    };
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
            let w = limit(w, index, &visible, 0.0);
            let mut slope = V::splat(shape.scale);
            if let Some(cap) = shape.soft_cap {
                let shrink = V::splat(-shape.scale / (cap * cap));
                slope = score.mul(score).mul_add(shrink, slope);
            }
            let d_weight = V::load(d.as_ptr()).sub(V::splat(known.delta));
            w.store(weight.as_mut_ptr());
            d_weight.mul(w).mul(slope).store(d.as_mut_ptr());
        }
    }
}
