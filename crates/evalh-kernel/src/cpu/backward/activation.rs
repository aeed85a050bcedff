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
