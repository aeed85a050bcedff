//! Gradients of weights, and weights turned.

use super::Shared;
use super::pack::turn;
use super::product::{Rows, Tile, run};
use crate::cpu::isa::Isa;
use crate::cpu::tile::{PANEL, ROWS};
use rayon::prelude::*;

/// Rows that are worked on at once, at most, so that a panel of inputs stays in the first-level cache.
const DEPTH: usize = 320;
/// Blocks of outputs that a task packs and keeps in the second-level cache.
const BLOCKS: usize = 8;
/// Panels of inputs that a task takes through them.
const PANELS: usize = 9;

/// `gradient += dy^T x`: the gradient of a weight of which `y = x weight^T`.
///
/// `x` is `[rows, inputs]`, `dy` is `[rows, outputs]`, `gradient` is `[outputs, inputs]`. Every value is one chain over
/// the rows in their order, which starts from what `gradient` holds.
///
/// # Panics
/// When a shape does not fit.
pub fn add_weight_gradient(
    isa: Isa,
    x: &[f32],
    dy: &[f32],
    inputs: usize,
    outputs: usize,
    gradient: &mut [f32],
) {
    let rows = x.len() / inputs;
    assert!(
        x.len() == rows * inputs && dy.len() == rows * outputs,
        "rows of {inputs} inputs and {outputs} outputs"
    );
    assert_eq!(
        gradient.len(),
        outputs * inputs,
        "a gradient of {outputs} x {inputs}"
    );
    if rows == 0 {
        return;
    }
    let gradient = Shared(gradient.as_mut_ptr());
    let depth = rows.div_ceil(rows.div_ceil(DEPTH));
    for first in (0..rows).step_by(depth) {
        let depth = depth.min(rows - first);
        let x = &x[first * inputs..][..depth * inputs];
        let product = Product {
            isa,
            depth,
            x: panels(x, inputs),
            inputs,
            dy: &dy[first * outputs..][..depth * outputs],
            outputs,
            gradient,
        };
        let across = inputs.div_ceil(PANELS * PANEL);
        (0..outputs.div_ceil(BLOCKS * ROWS) * across)
            .into_par_iter()
            .for_each_init(Vec::new, |packed, task| {
                // SAFETY: no two tasks have an output and an input in common.
                unsafe { product.run(task / across, task % across, packed) };
            });
    }
}

/// Columns of `x`, `[rows, width]`, as panels of 32: `[width / 32][rows][32]`, the last one filled up with zeros.
fn panels(x: &[f32], width: usize) -> Vec<f32> {
    let rows = x.len() / width;
    let mut packed = vec![0f32; width.div_ceil(PANEL) * rows * PANEL];
    packed
        .par_chunks_mut(rows * PANEL)
        .enumerate()
        .for_each(|(panel, out)| pack(x, width, panel * PANEL, PANEL, out));
    packed
}

/// Copies `columns` columns from `first` on, fewer where there are no more.
fn pack(x: &[f32], width: usize, first: usize, columns: usize, out: &mut [f32]) {
    let count = columns.min(width - first);
    for (out, row) in out.chunks_exact_mut(columns).zip(x.chunks_exact(width)) {
        out[..count].copy_from_slice(&row[first..first + count]);
    }
}

/// The product over some of the rows.
struct Product<'a> {
    isa: Isa,
    depth: usize,
    /// In panels.
    x: Vec<f32>,
    inputs: usize,
    /// Row by row.
    dy: &'a [f32],
    outputs: usize,
    gradient: Shared,
}

impl Product<'_> {
    /// The `down`th part of the outputs times the `across`th of the inputs.
    ///
    /// # Safety
    /// This part of the gradient is nobody else's.
    unsafe fn run(&self, down: usize, across: usize, packed: &mut Vec<f32>) {
        let (depth, outputs) = (self.depth, self.outputs);
        let rows = down * BLOCKS * ROWS..outputs.min((down + 1) * BLOCKS * ROWS);
        packed.resize(BLOCKS * ROWS * depth, 0.0);
        let blocks = rows.len().div_ceil(ROWS);
        for (block, out) in packed
            .chunks_exact_mut(ROWS * depth)
            .take(blocks)
            .enumerate()
        {
            pack(self.dy, outputs, rows.start + block * ROWS, ROWS, out);
        }
        let panels = self.x.chunks_exact(depth * PANEL).enumerate();
        for (panel, b) in panels.skip(across * PANELS).take(PANELS) {
            let column = panel * PANEL;
            for (block, a) in packed.chunks_exact(ROWS * depth).take(blocks).enumerate() {
                let row = rows.start + block * ROWS;
                let tile = Tile {
                    m: ROWS.min(outputs - row),
                    k: depth,
                    a: a.as_ptr(),
                    a_step: ROWS,
                    b: b.as_ptr(),
                    b_step: PANEL,
                    c: self.gradient.at(row * self.inputs + column),
                    c_step: self.inputs,
                    columns: PANEL.min(self.inputs - column),
                    accumulate: true,
                };
                // SAFETY: blocks and panels hold `depth` whole rows; the gradient is `[outputs, inputs]`, and its part
                // is the caller's.
                unsafe { run(self.isa, &tile) };
            }
        }
    }
}

/// `out = x^T`: `x` is `[rows, columns]`, `out` is `[columns, rows]`.
///
/// # Panics
/// When a shape does not fit.
pub fn transpose(isa: Isa, x: &[f32], rows: usize, columns: usize, out: &mut [f32]) {
    assert!(
        x.len() == rows * columns && out.len() == x.len(),
        "{rows} rows of {columns}"
    );
    if x.is_empty() {
        return;
    }
    out.par_chunks_mut(16 * rows)
        .enumerate()
        .for_each(|(block, out)| {
            let x = Rows {
                values: &x[block * 16..],
                step: columns,
            };
            turn(isa, x, rows, out.len() / rows, out, rows);
        });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::backward::differences::{assert_same, on_all_sets, values};

    #[test]
    fn a_gradient_is_a_chain_over_the_rows() {
        for (rows, inputs, outputs) in [
            (1, 1, 1),
            (7, 33, 13),
            (300, 50, 25),
            (515, 64, 24),
            (20, 300, 110),
        ] {
            let (x, dy) = (values(rows * inputs, 1), values(rows * outputs, 2));
            let before = values(outputs * inputs, 3);
            let got = on_all_sets("a weight", |isa| {
                let mut gradient = before.clone();
                add_weight_gradient(isa, &x, &dy, inputs, outputs, &mut gradient);
                gradient
            });
            let mut want = before;
            for (x, dy) in x.chunks(inputs).zip(dy.chunks(outputs)) {
                for (want, dy) in want.chunks_mut(inputs).zip(dy) {
                    want.iter_mut()
                        .zip(x)
                        .for_each(|(w, x)| *w = dy.mul_add(*x, *w));
                }
            }
            assert_same(&got, &want, "a weight");
        }
    }

    #[test]
    fn turning_moves_every_value() {
        for (rows, columns) in [(1, 1), (5, 37), (16, 16), (33, 100)] {
            let x = values(rows * columns, 1);
            let got = on_all_sets("turned", |isa| {
                let mut out = vec![0f32; x.len()];
                transpose(isa, &x, rows, columns, &mut out);
                out
            });
            let want: Vec<f32> = (0..columns)
                .flat_map(|c| (0..rows).map(move |r| r * columns + c))
                .map(|at| x[at])
                .collect();
            assert_same(&got, &want, "turned");
        }
    }
}
