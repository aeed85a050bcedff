//! A step of `AdamW`.

use crate::cpu::isa::{Isa, dispatch};
use crate::cpu::lanes::Lanes;
use rayon::prelude::*;

/// Values a thread takes at least.
const CHUNK: usize = 16 << 10;

/// The numbers of one step of `AdamW`, the same for every value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdamWStep {
    /// Learning rate of this step.
    pub learning_rate: f32,
    /// Decay rate of the first moment.
    pub beta1: f32,
    /// Decay rate of the second moment.
    pub beta2: f32,
    /// Added to the root of the second moment.
    pub eps: f32,
    /// Decoupled weight decay; the values shrink by `learning_rate * weight_decay` of themselves.
    pub weight_decay: f32,
    /// `1 - beta1^t` at step `t`, counted from 1.
    pub correction1: f32,
    /// `1 - beta2^t`.
    pub correction2: f32,
}

/// Moves `values` by one step of `AdamW` (Loshchilov and Hutter, 2019) and updates their moments `m` and `v`.
///
/// The order is that of torch.optim.AdamW: the values decay, the moments take in the gradient, and the values move by
/// `learning_rate / correction1 * m / (sqrt(v) / sqrt(correction2) + eps)`.
///
/// # Panics
/// When the lengths differ.
pub fn adamw_step(
    isa: Isa,
    values: &mut [f32],
    gradient: &[f32],
    m: &mut [f32],
    v: &mut [f32],
    step: AdamWStep,
) {
    assert!(
        [gradient.len(), m.len(), v.len()] == [values.len(); 3],
        "a gradient and two moments for each of {} values",
        values.len()
    );
    values
        .par_chunks_mut(CHUNK)
        .zip(gradient.par_chunks(CHUNK))
        .zip(m.par_chunks_mut(CHUNK))
        .zip(v.par_chunks_mut(CHUNK))
        .for_each(|(((values, gradient), m), v)| {
            // SAFETY: the dispatched code works on the slices it is given.
            unsafe { step_part(isa, values, gradient, m, v, step) };
        });
}

dispatch! {
    unsafe fn step_part(isa; values: &mut [f32], gradient: &[f32], m: &mut [f32], v: &mut [f32], step: AdamWStep) = step_lanes
}

/// A plain loop, which the compiler turns into the vectors of the function around it: lanes have no root.
#[inline(always)]
unsafe fn step_lanes<V: Lanes>(
    values: &mut [f32],
    gradient: &[f32],
    m: &mut [f32],
    v: &mut [f32],
    step: AdamWStep,
) {
    let keep = 1.0 - step.learning_rate * step.weight_decay;
    let (new1, new2) = (1.0 - step.beta1, 1.0 - step.beta2);
    let size = step.learning_rate / step.correction1;
    let root = 1.0 / step.correction2.sqrt();
    for (((x, g), m), v) in values.iter_mut().zip(gradient).zip(m).zip(v) {
        *m += (*g - *m) * new1;
        *v = *v * step.beta2 + *g * *g * new2;
        *x = *x * keep - size * *m / (v.sqrt() * root + step.eps);
    }
}
