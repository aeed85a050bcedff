//! Gradients of low-rank updates.

use super::Shared;
use super::pack::turn;
use super::product::{Outputs, Rows, multiply_down};
use crate::cpu::isa::Isa;
use crate::cpu::tile::PANEL;
use rayon::prelude::*;

/// Rows of a task, which are the columns of its first product.
const TASK_ROWS: usize = PANEL;

/// A low-rank update of some outputs of a linear layer: `y[column..column + outputs] += scale * B A x`.
#[derive(Debug, Clone, Copy)]
pub struct LowRankPart<'a> {
    /// `A`, `[rank, inputs]`.
    pub a: &'a [f32],
    /// `B`, `[outputs, rank]`.
    pub b: &'a [f32],
    /// Its rank.
    pub rank: usize,
    /// Factor of the product.
    pub scale: f32,
    /// First output that it adds to.
    pub column: usize,
}

/// Adds the gradients of a low-rank update: to `d_a` and `d_b`, which are like `A` and `B`, and to `dx` where it is given.
///
/// `x` and `dx` are `[rows, inputs]`, `inner` is `x A^T`, `[rows, rank]` (not scaled), `dy` is `[rows, width]`. Every sum
/// runs in the order of rows, outputs or ranks.
///
/// # Panics
/// When a shape does not fit.
#[allow(clippy::too_many_arguments)]
pub fn low_rank_backward(
    isa: Isa,
    x: &[f32],
    inner: &[f32],
    part: LowRankPart<'_>,
    dy: &[f32],
    width: usize,
    d_a: &mut [f32],
    d_b: &mut [f32],
    dx: Option<&mut [f32]>,
) {
    let LowRankPart { a, b, rank, .. } = part;
    let (inputs, outputs) = (a.len() / rank, b.len() / rank);
    let rows = inner.len() / rank;
    assert!(
        a.len() == rank * inputs && b.len() == outputs * rank && inner.len() == rows * rank,
        "factors of rank {rank}"
    );
    assert!(
        d_a.len() == a.len() && d_b.len() == b.len(),
        "gradients like the factors"
    );
    assert!(
        x.len() == rows * inputs && dx.as_ref().is_none_or(|dx| dx.len() == x.len()),
        "{rows} rows of {inputs} inputs"
    );
    assert!(
        dy.len() == rows * width && part.column + outputs <= width,
        "{rows} rows of {width} outputs, among them {}..{}",
        part.column,
        part.column + outputs
    );
    if rows == 0 {
        return;
    }
    let dy = Rows {
        values: &dy[part.column..],
        step: width,
    };
    // Rows filled up to whole registers.
    let padded = rank.next_multiple_of(16);
    let mut d_inner = vec![0f32; rows * padded];
    let blocks = Blocks {
        isa,
        part,
        inputs,
        outputs,
        dy,
        padded,
    };
    let dx = dx.map(|dx| Shared(dx.as_mut_ptr()));
    rayon::join(
        || {
            d_inner
                .par_chunks_mut(TASK_ROWS * padded)
                .enumerate()
                .for_each_init(Scratch::default, |scratch, (block, d_inner)| {
                    let first = block * TASK_ROWS;
                    let dx = dx.map(|dx| dx.at(first * inputs));
                    // SAFETY: a block has its own rows of `dx`, whose length is asserted above.
                    unsafe { blocks.run(first, d_inner, dx, scratch) };
                });
        },
        || add_to_b(isa, rows, inner, part, dy, d_b),
    );
    let d_inner = Rows {
        values: &d_inner,
        step: padded,
    };
    let d_a = Shared(d_a.as_mut_ptr());
    (0..inputs.div_ceil(PANEL))
        .into_par_iter()
        .for_each_init(Vec::new, |spare, panel| {
            let column = panel * PANEL;
            let x = Rows {
                values: &x[column..],
                step: inputs,
            };
            let c = Outputs {
                first: d_a.at(column),
                step: inputs,
                accumulate: true,
            };
            let columns = PANEL.min(inputs - column);
            // SAFETY: the columns lie inside `d_a` (asserted above) and belong to this panel alone.
            unsafe { multiply_down(isa, rows, (d_inner, rank), (x, columns), c, spare) };
        });
}

/// `d_b += scale * dy^T inner`, by panels of outputs; a panel's product is `[rank, 32]`, turned as it is added.
fn add_to_b(
    isa: Isa,
    rows: usize,
    inner: &[f32],
    part: LowRankPart<'_>,
    dy: Rows<'_>,
    d_b: &mut [f32],
) {
    let rank = part.rank;
    let inner = Rows {
        values: inner,
        step: rank,
    };
    d_b.par_chunks_mut(PANEL * rank).enumerate().for_each_init(
        || (vec![0f32; rank * PANEL], Vec::new()),
        |(product, spare), (panel, d_b)| {
            let dy = Rows {
                values: &dy.values[panel * PANEL..],
                ..dy
            };
            let c = Outputs {
                first: product.as_mut_ptr(),
                step: PANEL,
                accumulate: false,
            };
            let columns = d_b.len() / rank;
            // SAFETY: the product has `rank` rows of a panel.
            unsafe { multiply_down(isa, rows, (inner, rank), (dy, columns), c, spare) };
            for (o, d_b) in d_b.chunks_exact_mut(rank).enumerate() {
                let product = product[o..].iter().step_by(PANEL);
                d_b.iter_mut()
                    .zip(product)
                    .for_each(|(d, p)| *d += p * part.scale);
            }
        },
    );
}

/// Buffers of a thread, reused from block to block.
#[derive(Default)]
struct Scratch {
    /// `[outputs][TASK_ROWS]`.
    turned: Vec<f32>,
    /// `[rank][TASK_ROWS]`.
    d_inner: Vec<f32>,
    spare: Vec<f32>,
}

/// What every block of rows needs.
struct Blocks<'a> {
    isa: Isa,
    part: LowRankPart<'a>,
    inputs: usize,
    outputs: usize,
    dy: Rows<'a>,
    padded: usize,
}

impl Blocks<'_> {
    /// `d_inner = scale * dy B` for up to [`TASK_ROWS`] rows from `first` on, and `dx += d_inner A`.
    ///
    /// The first product is computed with the rows as its columns: ranks are few, and would leave registers empty.
    ///
    /// # Safety
    /// `dx` may be written at `inputs` values of each of the rows.
    unsafe fn run(
        &self,
        first: usize,
        d_inner: &mut [f32],
        dx: Option<*mut f32>,
        scratch: &mut Scratch,
    ) {
        let (isa, outputs, rank) = (self.isa, self.outputs, self.part.rank);
        let m = d_inner.len() / self.padded;
        let dy = Rows {
            values: &self.dy.values[first * self.dy.step..],
            ..self.dy
        };
        scratch.turned.resize(outputs * TASK_ROWS, 0.0);
        turn(isa, dy, m, outputs, &mut scratch.turned, TASK_ROWS);
        scratch.d_inner.resize(rank * TASK_ROWS, 0.0);
        let b = Rows {
            values: self.part.b,
            step: rank,
        };
        let rows = |values| Rows {
            values,
            step: TASK_ROWS,
        };
        let c = Outputs {
            first: scratch.d_inner.as_mut_ptr(),
            step: TASK_ROWS,
            accumulate: false,
        };
        // Whole registers, whatever lies after the last row.
        let columns = (rows(&scratch.turned), m.next_multiple_of(16));
        // SAFETY: `d_inner` has `rank` rows of `TASK_ROWS` values.
        unsafe { multiply_down(isa, outputs, (b, rank), columns, c, &mut scratch.spare) };
        for value in &mut scratch.d_inner {
            *value *= self.part.scale;
        }
        turn(isa, rows(&scratch.d_inner), rank, m, d_inner, self.padded);
        let Some(first) = dx else { return };
        let a = Rows {
            values: self.part.a,
            step: self.inputs,
        };
        let c = Outputs {
            first,
            step: self.inputs,
            accumulate: true,
        };
        let (left, right) = ((rows(&scratch.d_inner), m), (a, self.inputs));
        // SAFETY: the caller vouches for the outputs.
        unsafe { multiply_down(isa, rank, left, right, c, &mut scratch.spare) };
    }
}

#[cfg(test)]
mod tests;
