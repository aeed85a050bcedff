//! Activations of rows, alone or as a gate on a second half.

use super::curve::{Curve, Gelu, GeluTanh, QuickGelu, Relu, Silu, Tanh};
use super::isa::{Isa, dispatch};
use super::lanes::Lanes;
use rayon::prelude::*;

/// Values a thread takes at least.
const CHUNK: usize = 16 << 10;

/// A function applied to each value of a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    /// `x / (1 + e^-x)`, also called swish.
    Silu,
    /// `x (1 + erf(x / sqrt 2)) / 2`.
    Gelu,
    /// `x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2`.
    GeluTanh,
    /// `x / (1 + e^(-1.702 x))`.
    QuickGelu,
    /// `max(x, 0)`.
    Relu,
    /// The hyperbolic tangent.
    Tanh,
}

/// `x = activation(x)`, value by value.
pub fn activate(isa: Isa, activation: Activation, x: &mut [f32]) {
    x.par_chunks_mut(CHUNK).for_each(|x| {
        // SAFETY: the dispatched code works on the slice it is given.
        unsafe { activate_part(isa, activation, x) }
    });
}

/// `out[row] = activation(gate[row]) * up[row]`, where a row of `gate_up` is its gate followed by its up half.
///
/// `gate_up` is `[rows, 2 * width]`, `out` is `[rows, width]`.
///
/// # Panics
/// When a shape does not fit.
pub fn gate(isa: Isa, activation: Activation, gate_up: &[f32], width: usize, out: &mut [f32]) {
    assert!(
        gate_up.len() == 2 * out.len() && out.len().is_multiple_of(width),
        "gate and up of {width} values"
    );
    let rows = (CHUNK / width).max(1);
    out.par_chunks_mut(rows * width)
        .zip(gate_up.par_chunks(rows * 2 * width))
        .for_each(|(out, gate_up)| {
            // SAFETY: the dispatched code works on the slices it is given.
            unsafe { gate_rows(isa, activation, gate_up, width, out) };
        });
}

/// Chooses the curve once, outside the loop over the values.
macro_rules! with_curve {
    ($activation:expr, $function:ident($($arg:expr),*)) => {
        match $activation {
            Activation::Silu => $function::<V, Silu>($($arg),*),
            Activation::Gelu => $function::<V, Gelu>($($arg),*),
            Activation::GeluTanh => $function::<V, GeluTanh>($($arg),*),
            Activation::QuickGelu => $function::<V, QuickGelu>($($arg),*),
            Activation::Relu => $function::<V, Relu>($($arg),*),
            Activation::Tanh => $function::<V, Tanh>($($arg),*),
        }
    };
}
pub(super) use with_curve;

dispatch! {
    unsafe fn activate_part(isa; activation: Activation, x: &mut [f32]) = activate_lanes
}

#[inline(always)]
unsafe fn activate_lanes<V: Lanes>(activation: Activation, x: &mut [f32]) {
    // SAFETY: passed on.
    unsafe { with_curve!(activation, activate_curve(x)) }
}

#[inline(always)]
unsafe fn activate_curve<V: Lanes, C: Curve>(x: &mut [f32]) {
    let (body, tail) = x.as_chunks_mut::<16>();
    let mut last = [0f32; 16];
    last[..tail.len()].copy_from_slice(tail);
    // SAFETY: every access is to sixteen values of an array; the caller vouches for the instruction set.
    unsafe {
        for part in body {
            C::at(V::load(part.as_ptr())).store(part.as_mut_ptr());
        }
        C::at(V::load(last.as_ptr())).store(last.as_mut_ptr());
    }
    tail.copy_from_slice(&last[..tail.len()]);
}

dispatch! {
    unsafe fn gate_rows(isa; activation: Activation, gate_up: &[f32], width: usize, out: &mut [f32]) = gate_lanes
}

#[inline(always)]
unsafe fn gate_lanes<V: Lanes>(
    activation: Activation,
    gate_up: &[f32],
    width: usize,
    out: &mut [f32],
) {
    // SAFETY: passed on.
    unsafe { with_curve!(activation, gate_curve(gate_up, width, out)) }
}

#[inline(always)]
unsafe fn gate_curve<V: Lanes, C: Curve>(gate_up: &[f32], width: usize, out: &mut [f32]) {
    for (out, row) in out
        .chunks_exact_mut(width)
        .zip(gate_up.chunks_exact(2 * width))
    {
        let (g, gt) = row[..width].as_chunks::<16>();
        let (u, ut) = row[width..].as_chunks::<16>();
        let (o, ot) = out.as_chunks_mut::<16>();
        for ((g, u), o) in g.iter().zip(u).zip(o) {
            // SAFETY: the caller vouches for the instruction set.
            unsafe { gate_values::<V, C>(g, u, o) };
        }
        let (mut gl, mut ul, mut ol) = ([0f32; 16], [0f32; 16], [0f32; 16]);
        gl[..gt.len()].copy_from_slice(gt);
        ul[..ut.len()].copy_from_slice(ut);
        // SAFETY: as above.
        unsafe { gate_values::<V, C>(&gl, &ul, &mut ol) };
        ot.copy_from_slice(&ol[..ot.len()]);
    }
}

/// Not a closure: a closure would be compiled without the instruction set of the function around it.
#[inline(always)]
unsafe fn gate_values<V: Lanes, C: Curve>(gate: &[f32; 16], up: &[f32; 16], out: &mut [f32; 16]) {
    // SAFETY: every access is to sixteen values of an array.
    unsafe {
        C::at(V::load(gate.as_ptr()))
            .mul(V::load(up.as_ptr()))
            .store(out.as_mut_ptr());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gate_far_out_stays_finite() {
        let gate_up: Vec<f32> = [-200.0, -100.0, 0.0, 200.0]
            .into_iter()
            .chain([1.0; 4])
            .collect();
        for isa in Isa::available() {
            for activation in [Activation::Silu, Activation::Gelu, Activation::GeluTanh] {
                let mut out = [0f32; 4];
                gate(isa, activation, &gate_up, 4, &mut out);
                assert!(
                    out[0].abs() < 1e-30 && out[1].abs() < 1e-30 && out[2..] == [0.0, 200.0],
                    "{isa} {activation:?} {out:?}"
                );
            }
        }
    }

    #[test]
    fn a_gate_is_the_activation_times_the_other_half() {
        let width = 37;
        let gate_up: Vec<f32> = (0..3 * 2 * width)
            .map(|i| (i as f32 * 0.7).sin() * 9.0)
            .collect();
        for isa in Isa::available() {
            for activation in [Activation::Silu, Activation::Relu, Activation::GeluTanh] {
                let mut out = vec![0f32; 3 * width];
                gate(isa, activation, &gate_up, width, &mut out);
                for (out, row) in out.chunks(width).zip(gate_up.chunks(2 * width)) {
                    let mut activated = row[..width].to_vec();
                    activate(isa, activation, &mut activated);
                    for ((o, a), u) in out.iter().zip(&activated).zip(&row[width..]) {
                        assert_eq!(o.to_bits(), (a * u).to_bits());
                    }
                }
            }
        }
    }
}
