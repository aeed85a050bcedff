//! Cross-entropy of a language-modelling head, with its gradients.

use super::deep::multiply_deep;
use super::part;
use super::weight::add_weight_gradient;
use crate::cpu::curve::tanh;
use crate::cpu::gemm::multiply;
use crate::cpu::isa::{Isa, dispatch};
use crate::cpu::lanes::{Lanes, exp};
use crate::cpu::packed::PackedWeight;
use crate::cpu::tile::ROWS;
use rayon::prelude::*;

/// Rows whose logits are held at once, at most: whole blocks.
const CHUNK_ROWS: usize = 8 * ROWS;
/// The same where the head has a gradient, which is read and written once for each chunk.
const CHUNK_ROWS_OF_HEAD: usize = 14 * ROWS;
/// Values whose exponentials are summed before they are added to the others, so that rounding does not pile up.
const SUMMED: usize = 1024;
/// Columns of the bias that a task sums.
const BIAS_COLUMNS: usize = 4096;

/// `losses[row] = -ln softmax(logits)[target]` in nats, with `logits = hidden[row] head^T + bias`, which become
/// `cap * tanh(logits / cap)` where there is a soft cap; and the gradients of the sum of the losses.
///
/// `hidden` is `[rows, width]`, `head` is `[vocabulary, width]`, `bias` is `[vocabulary]`, `targets` and `losses` are
/// `[rows]`. `wanted_gradient` is the head turned, `[width, vocabulary]`, and the gradient of `hidden`, which is written.
/// `d_head` is the gradient of the head, `[vocabulary, width]`, and of its bias, which are added to. The logits of a few
/// rows at a time are all that is held of them. A logit that is not a number makes its row's loss none either.
///
/// # Panics
/// When a shape does not fit, or a target lies outside the vocabulary.
#[allow(clippy::too_many_arguments)]
pub fn cross_entropy(
    isa: Isa,
    hidden: &[f32],
    head: &PackedWeight,
    bias: Option<&[f32]>,
    soft_cap: Option<f32>,
    targets: &[u32],
    mut wanted_gradient: Option<(&PackedWeight, &mut [f32])>,
    mut d_head: Option<(&mut [f32], Option<&mut [f32]>)>,
    losses: &mut [f32],
) {
    let (width, vocabulary) = (head.inputs(), head.outputs());
    assert!(
        hidden.len() == targets.len() * width && losses.len() == targets.len(),
        "{} rows of {width} values",
        targets.len()
    );
    let bias = bias.unwrap_or_default();
    assert!(
        bias.is_empty() || bias.len() == vocabulary,
        "a bias of {vocabulary}"
    );
    if let Some(target) = targets.iter().find(|t| **t as usize >= vocabulary) {
        panic!("target {target} of {vocabulary}");
    }
    if let Some((turned, d_hidden)) = &wanted_gradient {
        assert!(
            (turned.outputs(), turned.inputs()) == (width, vocabulary)
                && d_hidden.len() == hidden.len(),
            "a turned head of {width} x {vocabulary} and a gradient like the rows"
        );
    }
    let backward = wanted_gradient.is_some() || d_head.is_some();
    let most = match d_head {
        None => CHUNK_ROWS,
        Some(_) => CHUNK_ROWS_OF_HEAD,
    };
    let chunks = targets.len().div_ceil(most).max(1);
    let step = targets.len().div_ceil(chunks).next_multiple_of(ROWS);
    let mut logits = vec![0f32; step.min(targets.len()) * vocabulary];
    for first in (0..targets.len()).step_by(step.max(1)) {
        let rows = first..targets.len().min(first + step);
        let hidden = &hidden[rows.start * width..rows.end * width];
        let logits = &mut logits[..rows.len() * vocabulary];
        multiply(isa, hidden, head, logits, vocabulary, 0, false);
        logits
            .par_chunks_mut(vocabulary)
            .zip(&targets[rows.clone()])
            .zip(&mut losses[rows.clone()])
            .for_each(|((logits, target), loss)| {
                let target = *target as usize;
                // SAFETY: the dispatched code works on the slices it is given; the target is inside the row.
                unsafe { row(isa, logits, bias, soft_cap, target, backward, loss) };
            });
        if let Some((turned, d_hidden)) = &mut wanted_gradient {
            let d_hidden = &mut d_hidden[rows.start * width..rows.end * width];
            multiply_deep(isa, logits, turned, d_hidden);
        }
        if let Some((d_head, d_bias)) = &mut d_head {
            add_weight_gradient(isa, hidden, logits, width, vocabulary, d_head);
            if let Some(d_bias) = d_bias {
                add_columns(logits, d_bias);
            }
        }
    }
}

/// `sums += ` the sum of the rows, in their order.
fn add_columns(rows: &[f32], sums: &mut [f32]) {
    let width = sums.len();
    sums.par_chunks_mut(BIAS_COLUMNS)
        .enumerate()
        .for_each(|(part, sums)| {
            for row in rows.chunks_exact(width) {
                let row = &row[part * BIAS_COLUMNS..][..sums.len()];
                sums.iter_mut().zip(row).for_each(|(s, x)| *s += x);
            }
        });
}

dispatch! {
    unsafe fn row(isa; logits: &mut [f32], bias: &[f32], soft_cap: Option<f32>, target: usize, backward: bool, loss: &mut f32) = row_lanes
}

/// The loss of a row of logits, which become its gradient where `backward` is set.
#[inline(always)]
unsafe fn row_lanes<V: Lanes>(
    logits: &mut [f32],
    bias: &[f32],
    soft_cap: Option<f32>,
    target: usize,
    backward: bool,
    loss: &mut f32,
) {
    // SAFETY: the caller vouches for the instruction set.
    unsafe {
        let mut largest = V::splat(f32::MIN);
        for (i, part) in logits.chunks_mut(16).enumerate() {
            let mut z: V = part::load_or(part, f32::MIN);
            if !bias.is_empty() {
                z = z.add(part::load(&bias[i * 16..][..part.len()]));
            }
            if let Some(cap) = soft_cap {
                z = tanh(z.mul(V::splat(1.0 / cap))).mul(V::splat(cap));
            }
            part::store(z, part);
            largest = largest.max(part::load_or(part, f32::MIN));
        }
        let top = V::splat(largest.largest());
        let mut total = V::splat(0.0);
        for block in logits.chunks(SUMMED) {
            let mut sum = V::splat(0.0);
            for part in block.chunks(16) {
                let below = part::load_or::<V>(part, f32::MIN).sub(top);
                // The exponential clamps; the product with zero hands on what is not a number.
                sum = sum.add(below.mul_add(V::splat(0.0), exp(below)));
            }
            total = total.add(sum);
        }
        let total = total.sum();
        *loss = total.ln() - (logits[target] - largest.largest());
        if !backward {
            return;
        }
        let share = V::splat(1.0 / total);
        let slope = soft_cap.map_or(0.0, |cap| -1.0 / (cap * cap));
        let at_target = logits[target];
        for part in logits.chunks_mut(16) {
            let z: V = part::load_or(part, f32::MIN);
            let mut d = exp(z.sub(top)).mul(share);
            if soft_cap.is_some() {
                d = d.mul(z.mul(z).mul_add(V::splat(slope), V::splat(1.0)));
            }
            part::store(d, part);
        }
        logits[target] -= at_target.mul_add(at_target * slope, 1.0);
    }
}

#[cfg(test)]
mod tests;
