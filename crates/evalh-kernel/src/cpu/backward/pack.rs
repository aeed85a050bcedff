//! Rows turned into columns.

use super::part;
use super::product::Rows;
use crate::cpu::isa::{Isa, dispatch};
use crate::cpu::lanes::Lanes;

/// `out[column][row] = x[row][column]` for `rows` rows of `columns` values; the rows of `out` are `step` apart.
///
/// `step` is at least `rows`. Something may be written between the last row's value and the next multiple of sixteen,
/// where `step` goes that far.
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
    let written = step.min(rows.next_multiple_of(16));
    assert!(
        x.hold(rows, columns) && step >= rows,
        "{rows} rows of {columns}"
    );
    assert!(
        columns == 0 || out.len() >= (columns - 1) * step + written,
        "{columns} rows of {rows}"
    );
    // SAFETY: the slices hold what is read and written, as asserted.
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
        let last = 15.min(rows - row - 1);
        let width = 16.min(step - row);
        for column in (0..columns).step_by(16) {
            let count = 16.min(columns - column);
            let (from, to) = (row * x.step + column, column * step + row);
            let (from, to) = (&x.values[from..], &mut out[to..]);
            // SAFETY: the caller vouches for the instruction set; whole squares lie inside the slices, since the last
            // place read and written does.
            unsafe {
                let mut lanes = [V::splat(0.0); 16];
                // By reference: an array that is iterated by value is copied first.
                if count == 16 && width == 16 {
                    for (i, lanes) in lanes.iter_mut().enumerate() {
                        // The last row again where there is none: the loop keeps its length.
                        *lanes = V::load(from.as_ptr().add(i.min(last) * x.step));
                    }
                    V::transpose(&mut lanes);
                    for (i, lanes) in lanes.iter().enumerate() {
                        lanes.store(to.as_mut_ptr().add(i * step));
                    }
                    continue;
                }
                for (i, lanes) in lanes.iter_mut().enumerate().take(last + 1) {
                    *lanes = part::load(&from[i * x.step..][..count]);
                }
                V::transpose(&mut lanes);
                for (i, lanes) in lanes.iter().enumerate().take(count) {
                    part::store(*lanes, &mut to[i * step..][..width]);
                }
            }
        }
    }
}
