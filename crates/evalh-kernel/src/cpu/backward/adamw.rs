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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::backward::differences::{assert_close, on_all_sets, values, wide};

    #[test]
    fn steps_follow_the_definition() {
        let n = 100;
        let (beta1, beta2, rate, decay, eps) = (0.9, 0.95, 1e-2, 0.1, 1e-8);
        let start = values(n, 0);
        let gradients: Vec<Vec<f32>> = (1..6).map(|seed| values(n, seed)).collect();
        let mut want = wide(&start);
        let (mut m, mut v) = (vec![0f64; n], vec![0f64; n]);
        for (t, gradient) in (1..).zip(&gradients) {
            for (i, g) in wide(gradient).into_iter().enumerate() {
                want[i] -= rate * decay * want[i];
                m[i] = beta1 * m[i] + (1.0 - beta1) * g;
                v[i] = beta2 * v[i] + (1.0 - beta2) * g * g;
                let first = m[i] / (1.0 - beta1.powi(t));
                let second = v[i] / (1.0 - beta2.powi(t));
                want[i] -= rate * first / (second.sqrt() + eps);
            }
        }
        let got = on_all_sets("adamw", |isa| {
            let mut x = start.clone();
            let (mut m, mut v) = (vec![0f32; n], vec![0f32; n]);
            for (t, gradient) in (1..).zip(&gradients) {
                let step = AdamWStep {
                    learning_rate: rate as f32,
                    beta1: beta1 as f32,
                    beta2: beta2 as f32,
                    eps: eps as f32,
                    weight_decay: decay as f32,
                    correction1: (1.0 - beta1.powi(t)) as f32,
                    correction2: (1.0 - beta2.powi(t)) as f32,
                };
                adamw_step(isa, &mut x, gradient, &mut m, &mut v, step);
            }
            [x, m, v].concat()
        });
        assert_close(&got[..n], &want, 1e-6, "values");
        assert_close(&got[n..2 * n], &m, 1e-6, "first moments");
        assert_close(&got[2 * n..], &v, 1e-6, "second moments");
    }
}
