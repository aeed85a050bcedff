//! Gradients of activations, alone or as a gate on a second half.

use super::part;
use crate::cpu::activation::{Activation, with_curve};
use crate::cpu::curve::{Curve, Gelu, GeluTanh, QuickGelu, Relu, Silu, Tanh};
use crate::cpu::isa::{Isa, dispatch};
use crate::cpu::lanes::Lanes;
use rayon::prelude::*;

/// Values a thread takes at least.
const CHUNK: usize = 16 << 10;

/// `dx = activation'(x) * dy`, value by value; `x` is what went into the activation.
///
/// # Panics
/// When the lengths differ.
pub fn activate_backward(isa: Isa, activation: Activation, x: &[f32], dy: &[f32], dx: &mut [f32]) {
    assert!(
        x.len() == dy.len() && x.len() == dx.len(),
        "a gradient for each of {} values",
        x.len()
    );
    dx.par_chunks_mut(CHUNK)
        .zip(x.par_chunks(CHUNK).zip(dy.par_chunks(CHUNK)))
        .for_each(|(dx, (x, dy))| {
            // SAFETY: the dispatched code works on the slices it is given, which are equally long.
            unsafe { activate_part(isa, activation, x, dy, dx) }
        });
}

/// Gradients of [`gate`](crate::cpu::gate) on its gate and up halves: `dy * up * activation'(gate)` and
/// `dy * activation(gate)`.
///
/// `gate_up` and `d_gate_up` are `[rows, 2 * width]`, `dy` is `[rows, width]`.
///
/// # Panics
/// When a shape does not fit.
pub fn gate_backward(
    isa: Isa,
    activation: Activation,
    gate_up: &[f32],
    width: usize,
    dy: &[f32],
    d_gate_up: &mut [f32],
) {
    assert!(
        gate_up.len() == 2 * dy.len()
            && gate_up.len() == d_gate_up.len()
            && dy.len().is_multiple_of(width),
        "gate and up of {width} values"
    );
    let rows = (CHUNK / width).max(1);
    d_gate_up
        .par_chunks_mut(rows * 2 * width)
        .zip(gate_up.par_chunks(rows * 2 * width))
        .zip(dy.par_chunks(rows * width))
        .for_each(|((d_gate_up, gate_up), dy)| {
            // SAFETY: the dispatched code works on the slices it is given, whole rows of all three.
            unsafe { gate_rows(isa, activation, gate_up, width, dy, d_gate_up) };
        });
}

dispatch! {
    unsafe fn activate_part(isa; activation: Activation, x: &[f32], dy: &[f32], dx: &mut [f32]) = activate_lanes
}

#[inline(always)]
unsafe fn activate_lanes<V: Lanes>(activation: Activation, x: &[f32], dy: &[f32], dx: &mut [f32]) {
    // SAFETY: passed on.
    unsafe { with_curve!(activation, activate_curve(x, dy, dx)) }
}

#[inline(always)]
unsafe fn activate_curve<V: Lanes, C: Curve>(x: &[f32], dy: &[f32], dx: &mut [f32]) {
    for ((x, dy), dx) in x.chunks(16).zip(dy.chunks(16)).zip(dx.chunks_mut(16)) {
        // SAFETY: the caller vouches for the instruction set.
        unsafe {
            let (_, slope) = C::with_slope::<V>(part::load(x));
            part::store(slope.mul(part::load(dy)), dx);
        }
    }
}

dispatch! {
    unsafe fn gate_rows(isa; activation: Activation, gate_up: &[f32], width: usize, dy: &[f32], d_gate_up: &mut [f32]) = gate_lanes
}

#[inline(always)]
unsafe fn gate_lanes<V: Lanes>(
    activation: Activation,
    gate_up: &[f32],
    width: usize,
    dy: &[f32],
    d_gate_up: &mut [f32],
) {
    // SAFETY: passed on.
    unsafe { with_curve!(activation, gate_curve(gate_up, width, dy, d_gate_up)) }
}

#[inline(always)]
unsafe fn gate_curve<V: Lanes, C: Curve>(
    gate_up: &[f32],
    width: usize,
    dy: &[f32],
    d_gate_up: &mut [f32],
) {
    for ((dy, row), d_row) in dy
        .chunks_exact(width)
        .zip(gate_up.chunks_exact(2 * width))
        .zip(d_gate_up.chunks_exact_mut(2 * width))
    {
        let (gate, up) = row.split_at(width);
        let (d_gate, d_up) = d_row.split_at_mut(width);
        let inputs = gate.chunks(16).zip(up.chunks(16)).zip(dy.chunks(16));
        let outputs = d_gate.chunks_mut(16).zip(d_up.chunks_mut(16));
        for (((gate, up), dy), (d_gate, d_up)) in inputs.zip(outputs) {
            // SAFETY: the caller vouches for the instruction set.
            unsafe {
                let (value, slope) = C::with_slope::<V>(part::load(gate));
                let dy: V = part::load(dy);
                part::store(dy.mul(part::load(up)).mul(slope), d_gate);
                part::store(dy.mul(value), d_up);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::backward::differences::{assert_close, gradient, on_all_sets, values, wide};

    /// Within 1e-9 of the error function: its series, or the continued fraction of its complement.
    fn erf(x: f64) -> f64 {
        if x.abs() > 2.5 {
            let fraction = (1..200)
                .rev()
                .fold(0.0, |f, n| f64::from(n) / 2.0 / (x.abs() + f));
            let rest = (-x * x).exp() / std::f64::consts::PI.sqrt() / (x.abs() + fraction);
            return x.signum() * (1.0 - rest);
        }
        let (mut term, mut sum) = (x, x);
        for n in 1..100 {
            term *= -x * x / f64::from(n);
            sum += term / f64::from(2 * n + 1);
        }
        sum * std::f64::consts::FRAC_2_SQRT_PI
    }

    fn definition(activation: Activation, x: f64) -> f64 {
        match activation {
            Activation::Silu => x / (1.0 + (-x).exp()),
            Activation::QuickGelu => x / (1.0 + (-1.702 * x).exp()),
            Activation::Gelu => x * (1.0 + erf(x / 2f64.sqrt())) / 2.0,
            Activation::GeluTanh => {
                let inner = (2.0 / std::f64::consts::PI).sqrt() * (x + 0.044_715 * x * x * x);
                x * (1.0 + inner.tanh()) / 2.0
            }
            Activation::Relu => x.max(0.0),
            Activation::Tanh => x.tanh(),
        }
    }

    const ALL: [Activation; 6] = [
        Activation::Silu,
        Activation::Gelu,
        Activation::GeluTanh,
        Activation::QuickGelu,
        Activation::Relu,
        Activation::Tanh,
    ];

    #[test]
    fn an_activation_has_the_slope_of_its_definition() {
        let x: Vec<f32> = values(131, 1).iter().map(|x| x * 6.0).collect();
        let dy = values(131, 2);
        for activation in ALL {
            let want = gradient(&x, |x| {
                x.iter()
                    .zip(wide(&dy))
                    .map(|(x, dy)| definition(activation, *x) * dy)
                    .sum()
            });
            let what = format!("{activation:?}");
            let got = on_all_sets(&what, |isa| {
                let mut dx = vec![0f32; x.len()];
                activate_backward(isa, activation, &x, &dy, &mut dx);
                dx
            });
            assert_close(&got, &want, 1e-5, &what);
        }
    }

    #[test]
    fn a_slope_far_out_is_that_of_a_line() {
        let x = [-1e30, -200.0, -30.0, 30.0, 200.0, 1e30, 1e-44, 0.0];
        for isa in Isa::available() {
            for activation in ALL {
                let mut dx = [0f32; 8];
                activate_backward(isa, activation, &x, &[1.0; 8], &mut dx);
                let line = if activation == Activation::Tanh {
                    0.0
                } else {
                    1.0
                };
                for (dx, want) in dx.iter().zip([0.0, 0.0, 0.0, line, line, line]) {
                    assert!((dx - want).abs() < 1e-10, "{isa} {activation:?} {dx}");
                }
                if activation == Activation::Relu {
                    assert_eq!(dx[6..], [1.0, 0.0], "{isa}");
                }
            }
        }
    }

    #[test]
    fn a_gate_has_the_gradients_of_its_definition() {
        let (width, rows) = (37, 3);
        let gate_up: Vec<f32> = values(2 * rows * width, 1)
            .iter()
            .map(|x| x * 4.0)
            .collect();
        let dy = values(rows * width, 2);
        for activation in ALL {
            let want = gradient(&gate_up, |gate_up| {
                let mut sum = 0.0;
                for (row, dy) in gate_up.chunks(2 * width).zip(wide(&dy).chunks(width)) {
                    for i in 0..width {
                        sum += definition(activation, row[i]) * row[width + i] * dy[i];
                    }
                }
                sum
            });
            let what = format!("{activation:?}");
            let got = on_all_sets(&what, |isa| {
                let mut d = vec![0f32; gate_up.len()];
                gate_backward(isa, activation, &gate_up, width, &dy, &mut d);
                d
            });
            assert_close(&got, &want, 1e-5, &what);
        }
    }
}
