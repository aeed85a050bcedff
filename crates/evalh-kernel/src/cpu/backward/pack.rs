//! Rows turned into columns.

use super::part;
use super::product::Rows;
use crate::cpu::isa::{Isa, dispatch};
use crate::cpu::lanes::Lanes;

/// `out[column][row] = x[row][column]` for `rows` rows of `columns` values; the rows of `out` are `step` apart.
///
/// `step` is at least `rows`. What lies between the last row's value and the next multiple of sixteen, if `step` goes
/// that far, is set to zero.
///
/// # Panics
/// When a side is too short.
pub(super) fn turn(
    isa: Isa,
    x: Rows<'_>,
    rows: usize,
    columns: usize,
    out: &mut [f32],
    step: usize,
) {
    assert!(step >= rows, "{rows} values in {step}");
    // SAFETY: the dispatched code works on the slices it is given.
    unsafe { turn_rows(isa, x, rows, columns, out, step) };
}

dispatch! {
    unsafe fn turn_rows(isa; x: Rows<'_>, rows: usize, columns: usize, out: &mut [f32], step: usize) = turn_lanes
}

#[inline(always)]
unsafe fn turn_lanes<V: Lanes>(
    x: Rows<'_>,
    rows: usize,
    columns: usize,
    out: &mut [f32],
    step: usize,
) {
    for row in (0..rows).step_by(16) {
        let height = 16.min(rows - row);
        let width = 16.min(step - row);
        for column in (0..columns).step_by(16) {
            let count = 16.min(columns - column);
            // SAFETY: the caller vouches for the instruction set.
            unsafe {
                let mut lanes = [V::splat(0.0); 16];
                for (i, lanes) in lanes.iter_mut().enumerate().take(height) {
                    *lanes = part::load(&x.values[(row + i) * x.step + column..][..count]);
                }
                V::transpose(&mut lanes);
                // By reference: an array that is iterated by value is copied first.
                for (i, lanes) in lanes.iter().enumerate().take(count) {
                    part::store(*lanes, &mut out[(column + i) * step + row..][..width]);
                }
            }
        }
    }
}
