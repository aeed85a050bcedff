//! Low-rank updates of a few rows, by the thread that asks.

use super::gemm::{Threads, multiply_by};
use super::isa::Isa;
use super::packed::PackedWeight;
use super::tile::ROWS;
use std::ops::Range;

/// Rows of a task: a block of the inner loop.
pub(crate) const TASK_ROWS: usize = ROWS;

/// What some of `A`'s outputs add to some columns: `scale * B A x`.
pub(crate) struct Addend<'a> {
    /// `B`, `[outputs, ranks]`.
    pub b: &'a PackedWeight,
    /// Outputs of `A`.
    pub ranks: Range<usize>,
    /// Factor of the product.
    pub scale: f32,
    /// First column.
    pub column: usize,
}

/// Adds to rows `y`, `[rows, width]`, what the addends make of `x`, `[rows, inputs]`, and `a`, `[ranks, inputs]`.
///
/// # Panics
/// When a shape does not fit.
pub(crate) fn add_low_rank<'a>(
    isa: Isa,
    x: &[f32],
    a: &PackedWeight,
    addends: impl Iterator<Item = Addend<'a>>,
    y: &mut [f32],
    width: usize,
) {
    let ranks = a.outputs();
    let mut inner = vec![0f32; x.len() / a.inputs() * ranks];
    multiply_by(Threads::Own, isa, x, a, &mut inner, ranks, 0, false);
    for addend in addends {
        let scaled: Vec<f32> = inner
            .chunks_exact(ranks)
            .flat_map(|row| &row[addend.ranks.clone()])
            .map(|value| value * addend.scale)
            .collect();
        let column = addend.column;
        multiply_by(Threads::Own, isa, &scaled, addend.b, y, width, column, true);
    }
}
