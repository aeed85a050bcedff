//! Root-mean-square norms with their residual sums, and softmax.

use super::curve::tanh;
use super::isa::{Isa, dispatch};
use super::lanes::{Lanes, exp};
use rayon::prelude::*;
use std::ops::Range;

/// Values a thread takes at least.
const CHUNK: usize = 16 << 10;

/// `out[row] = x[row] / rms(x[row]) * weight`, the root mean square taken over the row with `eps` added to its square.
///
/// `x` and `out` are `[rows, width]` with `width = weight.len()`. Where `residual` is given, it is first added to `x`
/// in place.
///
/// # Panics
/// When a shape does not fit.
pub fn rms_norm(
    isa: Isa,
    x: &mut [f32],
    residual: Option<&[f32]>,
    weight: &[f32],
    eps: f32,
    out: &mut [f32],
) {
    let width = weight.len();
    assert!(
        x.len() == out.len() && x.len().is_multiple_of(width),
        "rows of {width} values"
    );
    assert!(
        residual.is_none_or(|r| r.len() == x.len()),
        "a residual like the rows"
    );
    let rows = (CHUNK / width).max(1);
    let empty: &[f32] = &[];
    let residual = residual.unwrap_or(empty);
    x.par_chunks_mut(rows * width)
        .zip(out.par_chunks_mut(rows * width))
        .enumerate()
        .for_each(|(i, (x, out))| {
            let first = i * rows * width;
            for (r, (x, out)) in x
                .chunks_exact_mut(width)
                .zip(out.chunks_exact_mut(width))
                .enumerate()
            {
                let residual = if residual.is_empty() {
                    empty
                } else {
                    &residual[first + r * width..][..width]
                };
                // SAFETY: the dispatched code works on the slices it is given.
                unsafe { norm_row(isa, x, residual, weight, eps, out) };
            }
        });
}

dispatch! {
    unsafe fn norm_row(isa; x: &mut [f32], residual: &[f32], weight: &[f32], eps: f32, out: &mut [f32]) = norm_row_lanes
}

#[inline(always)]
unsafe fn norm_row_lanes<V: Lanes>(
    x: &mut [f32],
    residual: &[f32],
    weight: &[f32],
    eps: f32,
    out: &mut [f32],
) {
    for (x, r) in x.iter_mut().zip(residual) {
        *x += *r;
    }
    let mut lanes = [0f32; 16];
    let (body, tail) = x.as_chunks::<16>();
    // SAFETY: every access is to sixteen values of an array.
    let mut sum = unsafe {
        let mut acc = V::splat(0.0);
        for part in body {
            let v = V::load(part.as_ptr());
            acc = v.mul_add(v, acc);
        }
        acc.store(lanes.as_mut_ptr());
        acc.sum()
    };
    for v in tail {
        sum = v.mul_add(*v, sum);
    }
    let scale = 1.0 / (sum / x.len() as f32 + eps).sqrt();
    for ((o, x), w) in out.iter_mut().zip(&*x).zip(weight) {
        *o = *x * scale * *w;
    }
}

/// `(y - bias) * factor + bias` in place, column by column.
///
/// # Panics
/// When the lengths differ.
pub fn rescale(y: &mut [f32], factors: &[f32], bias: Option<&[f32]>) {
    assert_eq!(y.len(), factors.len(), "a factor a column");
    match bias {
        Some(bias) => {
            assert_eq!(y.len(), bias.len(), "a bias a column");
            for ((y, factor), bias) in y.iter_mut().zip(factors).zip(bias) {
                *y = (*y - bias).mul_add(*factor, *bias);
            }
        }
        None => y.iter_mut().zip(factors).for_each(|(y, f)| *y *= f),
    }
}

/// Softmax weights of one row of scores, unnormalised: `exp((s - max) * scale)` in place for the `visible` values, zero
/// for the rest. Gives back their sum.
pub(super) fn softmax(isa: Isa, scores: &mut [f32], visible: Range<usize>, scale: f32) -> f32 {
    debug_assert!(scores.len().is_multiple_of(16));
    debug_assert!(!visible.is_empty() && visible.end <= scores.len());
    let mut sum = 0.0;
    // SAFETY: the dispatched code works on the slice it is given.
    unsafe { softmax_row(isa, scores, visible, scale, &mut sum) };
    sum
}

dispatch! {
    unsafe fn softmax_row(isa; scores: &mut [f32], visible: Range<usize>, scale: f32, sum: &mut f32) = softmax_row_lanes
}

#[inline(always)]
unsafe fn softmax_row_lanes<V: Lanes>(
    scores: &mut [f32],
    visible: Range<usize>,
    scale: f32,
    sum: &mut f32,
) {
    scores[..visible.start].fill(f32::NEG_INFINITY);
    scores[visible.end..].fill(f32::NEG_INFINITY);
    // Lanes start at a multiple of sixteen, so that a value's lane does not depend on what lies before it.
    let (first, last) = (visible.start / 16, visible.end.div_ceil(16));
    let (parts, _) = scores.as_chunks_mut::<16>();
    // SAFETY: every access is to sixteen values of an array.
    unsafe {
        let mut largest = V::splat(f32::NEG_INFINITY);
        for part in &mut parts[first..last] {
            largest = largest.max(V::load(part.as_ptr()));
        }
        let largest = V::splat(largest.largest());
        let scale = V::splat(scale);
        let mut acc = V::splat(0.0);
        for (index, part) in parts.iter_mut().enumerate().take(last).skip(first) {
            exp(V::load(part.as_ptr()).sub(largest).mul(scale)).store(part.as_mut_ptr());
            // `exp` clamps, so what is not visible is cleared by hand.
            let begin = visible.start.saturating_sub(index * 16).min(16);
            let end = (visible.end - index * 16).min(16);
            if (begin, end) != (0, 16) {
                part[..begin].fill(0.0);
                part[end..].fill(0.0);
            }
            acc = acc.add(V::load(part.as_ptr()));
        }
        *sum = acc.sum();
        parts[..first].as_flattened_mut().fill(0.0);
        parts[last..].as_flattened_mut().fill(0.0);
    }
}

/// `cap * tanh(score * scale / cap)` in place.
pub(super) fn soft_cap(isa: Isa, scores: &mut [f32], scale: f32, cap: f32) {
    debug_assert!(scores.len().is_multiple_of(16));
    // SAFETY: the dispatched code works on the slice it is given.
    unsafe { soft_cap_row(isa, scores, scale / cap, cap) };
}

dispatch! {
    unsafe fn soft_cap_row(isa; scores: &mut [f32], factor: f32, cap: f32) = soft_cap_row_lanes
}

#[inline(always)]
unsafe fn soft_cap_row_lanes<V: Lanes>(scores: &mut [f32], factor: f32, cap: f32) {
    for part in scores.as_chunks_mut::<16>().0 {
        // SAFETY: every access is to sixteen values of an array.
        unsafe {
            let x = V::load(part.as_ptr()).mul(V::splat(factor));
            tanh(x).mul(V::splat(cap)).store(part.as_mut_ptr());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wave(n: usize) -> Vec<f32> {
        (0..n).map(|i| (i as f32 * 0.7).sin() * 9.0).collect()
    }

    #[test]
    fn every_set_gives_the_same_bits_near_the_definition() {
        let (x, w) = (wave(3 * 37), wave(37));
        let mut first: Option<Vec<f32>> = None;
        for isa in Isa::available() {
            let mut all = vec![0f32; 3 * 37];
            rms_norm(isa, &mut x.clone(), Some(&x), &w, 1e-5, &mut all);
            let row: Vec<f64> = x[..37].iter().map(|v| f64::from(*v) * 2.0).collect();
            let rms = (row.iter().map(|v| v * v).sum::<f64>() / 37.0 + 1e-5).sqrt();
            for i in 0..37 {
                assert!((f64::from(all[i]) - row[i] / rms * f64::from(w[i])).abs() < 1e-5);
            }
            for len in [1, 15, 16, 17, 32, 40] {
                let mut scores = wave(64);
                let sum = softmax(isa, &mut scores, 0..len, 0.5);
                let top = wave(len).into_iter().fold(f32::MIN, f32::max);
                let want: Vec<f64> = wave(len)
                    .iter()
                    .map(|v| (f64::from(v - top) * 0.5).exp())
                    .collect();
                assert!((f64::from(sum) - want.iter().sum::<f64>()).abs() < 1e-5);
                assert!(
                    scores
                        .iter()
                        .zip(&want)
                        .all(|(a, b)| (f64::from(*a) - b).abs() < 1e-6)
                );
                assert!(scores[len..].iter().all(|v| *v == 0.0));
                all.push(sum);
                all.extend(scores);
            }
            let first = first.get_or_insert(all.clone());
            assert!(
                first
                    .iter()
                    .zip(&all)
                    .all(|(a, b)| a.to_bits() == b.to_bits()),
                "{isa}"
            );
        }
    }
}
