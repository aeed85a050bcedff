//! Norms that take the mean away, and norms of parts of a row.

use super::isa::{Isa, dispatch};
use super::lanes::Lanes;
use rayon::prelude::*;
use std::ops::Range;

/// Values a thread takes at least.
const CHUNK: usize = 16 << 10;

/// Which moments a norm takes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NormKind {
    /// The root mean square.
    Rms,
    /// Mean and standard deviation.
    Layer,
}

/// A norm of one or more slices.
///
/// `weight` and `bias` are empty (one and zero), as long as a slice, or as long as all the slices of a row together.
#[derive(Debug, Clone, Copy)]
pub struct NormSlices<'a> {
    /// Which moments it takes out.
    pub kind: NormKind,
    /// Factors after it.
    pub weight: &'a [f32],
    /// Summands after it.
    pub bias: &'a [f32],
    /// Added to the mean square or the variance.
    pub eps: f32,
}

/// `out[row] = (x[row] - mean) / sqrt(variance + eps) * weight + bias`, mean and variance taken over the row in two
/// passes.
///
/// `x` and `out` are `[rows, width]`; `weight` and `bias` are `width` values, or empty for one and zero. Where
/// `residual` is given, it is first added to `x` in place.
///
/// # Panics
/// When a shape does not fit.
#[allow(clippy::too_many_arguments)]
pub fn layer_norm(
    isa: Isa,
    x: &mut [f32],
    residual: Option<&[f32]>,
    width: usize,
    weight: &[f32],
    bias: &[f32],
    eps: f32,
    out: &mut [f32],
) {
    assert!(
        x.len() == out.len() && x.len().is_multiple_of(width),
        "rows of {width} values"
    );
    assert!(
        residual.is_none_or(|r| r.len() == x.len()),
        "a residual like the rows"
    );
    let norm = NormSlices {
        kind: NormKind::Layer,
        weight,
        bias,
        eps,
    };
    norm.check(width, width);
    let rows = (CHUNK / width).max(1);
    x.par_chunks_mut(rows * width)
        .zip(out.par_chunks_mut(rows * width))
        .enumerate()
        .for_each(|(i, (x, out))| {
            if let Some(residual) = residual {
                let first = i * rows * width;
                x.iter_mut()
                    .zip(&residual[first..])
                    .for_each(|(x, r)| *x += *r);
            }
            out.copy_from_slice(x);
            for row in out.chunks_exact_mut(width) {
                // SAFETY: the dispatched code works on the slices it is given.
                unsafe { norm_slices(isa, row, width, norm) };
            }
        });
}

/// Norms every slice of `group` values of the given columns of each row, in place.
///
/// `x` is `[rows, width]`.
///
/// # Panics
/// When a shape does not fit.
pub fn norm_columns(
    isa: Isa,
    x: &mut [f32],
    width: usize,
    columns: Range<usize>,
    group: usize,
    norm: NormSlices<'_>,
) {
    assert!(
        x.len().is_multiple_of(width)
            && columns.end <= width
            && columns.len().is_multiple_of(group),
        "slices of {group} in columns {columns:?} of {width}"
    );
    norm.check(group, columns.len());
    let rows = (CHUNK / width).max(1);
    x.par_chunks_mut(rows * width).for_each(|x| {
        for row in x.chunks_exact_mut(width) {
            // SAFETY: the dispatched code works on the slices it is given.
            unsafe { norm_slices(isa, &mut row[columns.clone()], group, norm) };
        }
    });
}

impl NormSlices<'_> {
    fn check(&self, group: usize, all: usize) {
        for values in [self.weight, self.bias] {
            assert!(
                [0, group, all].contains(&values.len()),
                "{} values for slices of {group}, {all} together",
                values.len()
            );
        }
    }
}

dispatch! {
    unsafe fn norm_slices(isa; row: &mut [f32], group: usize, norm: NormSlices<'_>) = norm_slices_lanes
}

/// Loops, not closures: a closure would be compiled without the instruction set of the function around it.
#[inline(always)]
unsafe fn norm_slices_lanes<V: Lanes>(row: &mut [f32], group: usize, norm: NormSlices<'_>) {
    // A vector no longer than a slice serves every slice.
    let at = |values: &[f32], i: usize| if values.len() > group { i * group } else { 0 };
    for (i, slice) in row.chunks_exact_mut(group).enumerate() {
        // SAFETY: passed on.
        unsafe {
            if norm.kind == NormKind::Layer {
                let mean = sum::<V, false>(slice) / group as f32;
                for x in &mut *slice {
                    *x -= mean;
                }
            }
            let scale = 1.0 / (sum::<V, true>(slice) / group as f32 + norm.eps).sqrt();
            for x in &mut *slice {
                *x *= scale;
            }
        }
        if !norm.weight.is_empty() {
            let weight = &norm.weight[at(norm.weight, i)..];
            for (x, w) in slice.iter_mut().zip(weight) {
                *x *= *w;
            }
        }
        if !norm.bias.is_empty() {
            let bias = &norm.bias[at(norm.bias, i)..];
            for (x, b) in slice.iter_mut().zip(bias) {
                *x += *b;
            }
        }
    }
}

/// Sum of the values, or of their squares.
#[inline(always)]
unsafe fn sum<V: Lanes, const SQUARES: bool>(x: &[f32]) -> f32 {
    let (body, tail) = x.as_chunks::<16>();
    // SAFETY: every access is to sixteen values of an array; the caller vouches for the instruction set.
    let mut sum = unsafe {
        let mut acc = V::splat(0.0);
        for part in body {
            let v = V::load(part.as_ptr());
            acc = if SQUARES {
                v.mul_add(v, acc)
            } else {
                acc.add(v)
            };
        }
        acc.sum()
    };
    for v in tail {
        sum = if SQUARES { v.mul_add(*v, sum) } else { sum + v };
    }
    sum
}
