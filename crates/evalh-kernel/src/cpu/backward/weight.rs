//! Gradients of weights, and weights turned.

use super::Shared;
use super::pack::turn;
use super::product::{Outputs, Rows, Tile, run};
use crate::cpu::isa::Isa;
use crate::cpu::tile::{PANEL, ROWS};
use rayon::prelude::*;

/// Rows that are worked on at once, so that a panel of them stays in the first-level cache.
const DEPTH: usize = 256;

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
    let height = outputs.div_ceil(outputs.div_ceil(ROWS));
    for first in (0..rows).step_by(DEPTH) {
        let depth = DEPTH.min(rows - first);
        let x = &x[first * inputs..][..depth * inputs];
        let dy = &dy[first * outputs..][..depth * outputs];
        let right = blocks(x, inputs, PANEL, PANEL);
        let left = blocks(dy, outputs, height, height);
        let gradient = Shared(gradient.as_mut_ptr());
        right
            .par_chunks(depth * PANEL)
            .enumerate()
            .for_each(|(panel, b)| {
                let column = panel * PANEL;
                for (block, a) in left.chunks(depth * height).enumerate() {
                    let row = block * height;
                    let tile = Tile {
                        m: height.min(outputs - row),
                        k: depth,
                        a: a.as_ptr(),
                        a_step: height,
                        b: b.as_ptr(),
                        b_step: PANEL,
                        c: gradient.at(row * inputs + column),
                        c_step: inputs,
                        columns: PANEL.min(inputs - column),
                        accumulate: true,
                    };
                    // SAFETY: the blocks hold `depth` whole rows, and the columns written lie inside the gradient
                    // (asserted above) and belong to this panel alone.
                    unsafe { run(isa, &tile) };
                }
            });
    }
}

/// Columns of `x`, `[rows, width]`, as blocks of `columns` of them: `[width / columns][rows][step]`, the last one's rows
/// filled up with zeros.
fn blocks(x: &[f32], width: usize, columns: usize, step: usize) -> Vec<f32> {
    let rows = x.len() / width;
    let mut packed = vec![0f32; width.div_ceil(columns) * rows * step];
    packed
        .par_chunks_mut(rows * step)
        .enumerate()
        .for_each(|(block, out)| {
            let first = block * columns;
            let count = columns.min(width - first);
            for (out, row) in out.chunks_exact_mut(step).zip(x.chunks_exact(width)) {
                out[..count].copy_from_slice(&row[first..first + count]);
            }
        });
    packed
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
