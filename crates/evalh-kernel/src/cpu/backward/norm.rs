//! Gradients of norms, of whole rows and of parts of them.

use super::part;
use crate::cpu::isa::{Isa, dispatch};
use crate::cpu::lanes::Lanes;
use crate::cpu::layer_norm::{NormKind, NormSlices};
use rayon::prelude::*;
use std::ops::Range;

/// Values whose parameters' gradients are summed before they are added to others: a task.
const CHUNK: usize = 16 << 10;

/// Gradients of [`rms_norm`](crate::cpu::rms_norm).
///
/// `x` is `[rows, width]`, what was normed (after its residual was added), with `width = weight.len()`; `dy` and `dx`
/// are like it. `dx` is written, `d_weight`, `[width]`, is added to.
///
/// # Panics
/// When a shape does not fit.
pub fn rms_norm_backward(
    isa: Isa,
    x: &[f32],
    weight: &[f32],
    eps: f32,
    dy: &[f32],
    dx: &mut [f32],
    d_weight: Option<&mut [f32]>,
) {
    let (kind, width) = (NormKind::Rms, weight.len());
    let norm = NormSlices {
        kind,
        weight,
        bias: &[],
        eps,
    };
    dx.copy_from_slice(dy);
    norm_columns_backward(isa, x, width, 0..width, width, norm, dx, d_weight, None);
}

/// Gradients of [`layer_norm`](crate::cpu::layer_norm).
///
/// `x` is `[rows, width]`, what was normed (after its residual was added); `dy` and `dx` are like it, `weight` is
/// `[width]` or empty for one. `dx` is written; `d_weight` and `d_bias`, `[width]`, are added to.
///
/// # Panics
/// When a shape does not fit.
#[allow(clippy::too_many_arguments)]
pub fn layer_norm_backward(
    isa: Isa,
    x: &[f32],
    width: usize,
    weight: &[f32],
    eps: f32,
    dy: &[f32],
    dx: &mut [f32],
    d_weight: Option<&mut [f32]>,
    d_bias: Option<&mut [f32]>,
) {
    let kind = NormKind::Layer;
    let norm = NormSlices {
        kind,
        weight,
        bias: &[],
        eps,
    };
    dx.copy_from_slice(dy);
    norm_columns_backward(isa, x, width, 0..width, width, norm, dx, d_weight, d_bias);
}

/// Gradients of [`norm_columns`](crate::cpu::norm_columns): turns `d`, `[rows, width]`, in the given columns from the
/// gradient of the outputs into that of the inputs.
///
/// `x` is `[rows, width]`, what was there before the norm. `d_weight` and `d_bias` are added to; they are as long as a
/// slice, which all slices share then, or as all the slices of a row together. The norm's own bias is not read.
///
/// # Panics
/// When a shape does not fit.
#[allow(clippy::too_many_arguments)]
pub fn norm_columns_backward(
    isa: Isa,
    x: &[f32],
    width: usize,
    columns: Range<usize>,
    group: usize,
    norm: NormSlices<'_>,
    d: &mut [f32],
    d_weight: Option<&mut [f32]>,
    d_bias: Option<&mut [f32]>,
) {
    assert!(
        x.len() == d.len()
            && x.len().is_multiple_of(width)
            && columns.end <= width
            && columns.len().is_multiple_of(group),
        "slices of {group} in columns {columns:?} of {width}"
    );
    let fits = |len: usize| len == 0 || len == group || len == columns.len();
    assert!(
        fits(norm.weight.len()),
        "{} factors for slices of {group}",
        norm.weight.len()
    );
    let mut parameters = [d_weight, d_bias].map(Option::unwrap_or_default);
    let lengths = parameters.each_ref().map(|p| p.len());
    assert!(
        lengths.into_iter().all(fits),
        "gradients of {lengths:?} parameters for slices of {group}"
    );
    let rows = (CHUNK / width).max(1);
    let sums: Vec<[Vec<f32>; 2]> = d
        .par_chunks_mut(rows * width)
        .zip(x.par_chunks(rows * width))
        .map(|(d, x)| {
            let mut sums = lengths.map(|len| vec![0f32; len]);
            for (d, x) in d.chunks_exact_mut(width).zip(x.chunks_exact(width)) {
                let (d, x) = (&mut d[columns.clone()], &x[columns.clone()]);
                // SAFETY: the dispatched code works on the slices it is given.
                unsafe { slices_backward(isa, x, group, norm, d, &mut sums) };
            }
            sums
        })
        .collect();
    for sums in sums {
        for (parameter, sums) in parameters.iter_mut().zip(sums) {
            parameter.iter_mut().zip(sums).for_each(|(p, s)| *p += s);
        }
    }
}

dispatch! {
    unsafe fn slices_backward(isa; x: &[f32], group: usize, norm: NormSlices<'_>, d: &mut [f32], sums: &mut [Vec<f32>; 2]) = slices_lanes
}

#[inline(always)]
unsafe fn slices_lanes<V: Lanes>(
    x: &[f32],
    group: usize,
    norm: NormSlices<'_>,
    d: &mut [f32],
    [d_weight, d_bias]: &mut [Vec<f32>; 2],
) {
    for (i, (x, d)) in x
        .chunks_exact(group)
        .zip(d.chunks_exact_mut(group))
        .enumerate()
    {
        let own = |len: usize| {
            if len > group {
                i * group..(i + 1) * group
            } else {
                0..len
            }
        };
        let (weights, biases) = (own(d_weight.len()), own(d_bias.len()));
        let weight = &norm.weight[own(norm.weight.len())];
        // SAFETY: passed on.
        unsafe {
            slice_lanes::<V>(
                x,
                weight,
                norm,
                d,
                &mut d_weight[weights],
                &mut d_bias[biases],
            );
        }
    }
}

/// One slice: with `n = (x - mean) * scale` and `g = dy * weight`, the gradient is
/// `scale * (g - mean(g) - n * mean(g n))`, without `mean(g)` where the mean is not taken out.
#[inline(always)]
unsafe fn slice_lanes<V: Lanes>(
    x: &[f32],
    weight: &[f32],
    norm: NormSlices<'_>,
    d: &mut [f32],
    d_weight: &mut [f32],
    d_bias: &mut [f32],
) {
    let len = x.len() as f32;
    // SAFETY: the caller vouches for the instruction set; the slices are equally long, or empty.
    unsafe {
        let mut mean = 0.0;
        if norm.kind == NormKind::Layer {
            let mut sum = V::splat(0.0);
            for x in x.chunks(16) {
                sum = sum.add(part::load(x));
            }
            mean = sum.sum() / len;
        }
        let means = V::splat(mean);
        let mut squares = V::splat(0.0);
        let (mut sum, mut products) = (V::splat(0.0), V::splat(0.0));
        for (i, (x, d)) in x.chunks(16).zip(d.chunks(16)).enumerate() {
            let g = weighted::<V>(d, weight, i);
            // Past the end there is the mean: nothing is added to any sum.
            let x = part::load_or::<V>(x, mean).sub(means);
            squares = x.mul_add(x, squares);
            products = x.mul_add(g, products);
            sum = sum.add(g);
        }
        let scale = 1.0 / (squares.sum() / len + norm.eps).sqrt();
        let product = V::splat(products.sum() / len * scale);
        let shift = V::splat(match norm.kind {
            NormKind::Layer => sum.sum() / len,
            NormKind::Rms => 0.0,
        });
        let scale = V::splat(scale);
        for (i, (x, d)) in x.chunks(16).zip(d.chunks_mut(16)).enumerate() {
            let n = part::load::<V>(x).sub(means).mul(scale);
            let dy: V = part::load(d);
            if !d_weight.is_empty() {
                let sums = &mut d_weight[i * 16..][..x.len()];
                part::store(n.mul_add(dy, part::load(sums)), sums);
            }
            if !d_bias.is_empty() {
                let sums = &mut d_bias[i * 16..][..x.len()];
                part::store(dy.add(part::load(sums)), sums);
            }
            let g = weighted::<V>(d, weight, i).sub(shift);
            part::store(g.sub(n.mul(product)).mul(scale), d);
        }
    }
}

/// The `i`th part of the gradient times its weights, where there are any.
#[inline(always)]
unsafe fn weighted<V: Lanes>(d: &[f32], weight: &[f32], i: usize) -> V {
    // SAFETY: the caller vouches for the instruction set.
    unsafe {
        let d: V = part::load(d);
        if weight.is_empty() {
            return d;
        }
        d.mul(part::load(
            &weight[i * 16..][..16.min(weight.len() - i * 16)],
        ))
    }
}

#[cfg(test)]
mod tests;
