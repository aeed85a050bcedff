//! A step of `AdamW`.

use crate::cpu::isa::{Isa, dispatch};
use crate::cpu::lanes::Lanes;
use rayon::prelude::*;

/// Values a thread takes at least.
const CHUNK: usize = 16 << 10;

/// The numbers of one step of `AdamW`, the same for every value, each computed in f64 and rounded once.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdamWStep {
    /// Multiplies a value first: 1 - learning rate * weight decay.
    pub keep: f32,
    /// What of a new gradient goes into the first moment: 1 - beta 1.
    pub new_first: f32,
    /// What of the second moment stays: beta 2.
    pub keep_second: f32,
    /// What of a new gradient's square goes into the second moment: 1 - beta 2.
    pub new_second: f32,
    /// Divides the root of the second moment: the root of 1 - beta 2 to the power of the step.
    pub second_correction: f32,
    /// Added to that.
    pub eps: f32,
    /// Multiplies the first moment over that: learning rate / (1 - beta 1 to the power of the step).
    pub step_size: f32,
}

/// Moves `values` by one step of `AdamW` (Loshchilov and Hutter, 2019) and updates their moments `m` and `v`.
///
/// The order is that of torch.optim.AdamW: the values decay, the moments take in the gradient, and the values move by
/// `step_size * m / (sqrt(v) / second_correction + eps)`; the bits are those of torch on processors with fused
/// multiply-add.
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
    for (((x, g), m), v) in values.iter_mut().zip(gradient).zip(m).zip(v) {
        *m = (g - *m).mul_add(step.new_first, *m);
        *v = (step.new_second * g).mul_add(*g, *v * step.keep_second);
        let root = v.sqrt() / step.second_correction + step.eps;
        *x = *x * step.keep - step.step_size * *m / root;
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
                    keep: (1.0 - rate * decay) as f32,
                    new_first: (1.0 - beta1) as f32,
                    keep_second: beta2 as f32,
                    new_second: (1.0 - beta2) as f32,
                    second_correction: (1.0 - beta2.powi(t)).sqrt() as f32,
                    eps: eps as f32,
                    step_size: (rate / (1.0 - beta1.powi(t))) as f32,
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
