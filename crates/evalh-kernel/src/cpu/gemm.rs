//! Rows times a packed weight, over all threads.

use super::blocks::Blocks;
use super::codes::{FEW_ROWS, PANELS_OF_CODES};
use super::isa::Isa;
use super::packed::PackedWeight;
use super::tile::{self, FEW, PANEL, Panel, TOGETHER, Tile};
use rayon::prelude::*;
use std::cell::RefCell;

/// Inputs of a panel that are worked on at once, so that it stays in the second-level cache (256 KiB of `f32`).
const DEPTH: usize = 2048;
/// Bytes of a cache line.
const LINE: usize = 64;
/// Weight values a task has at least, so that threads are not woken for less than it costs.
const TASK_VALUES: usize = 16 << 10;

/// A block of an output matrix, for threads that write disjoint columns.
#[derive(Clone, Copy)]
struct Output(*mut f32);
// SAFETY: `multiply` gives each thread columns of its own.
unsafe impl Send for Output {}
// SAFETY: as above.
unsafe impl Sync for Output {}
impl Output {
    fn at(self, index: usize) -> *mut f32 {
        self.0.wrapping_add(index)
    }
}

thread_local! {
    /// Room for the values of a panel that is held as codes.
    static VALUES: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
}

/// Hands `depth` steps of a panel to `use_panel`, from step `k` on; codes are written out for it.
fn with_panel(
    isa: Isa,
    weight: &PackedWeight,
    panel: usize,
    k: usize,
    depth: usize,
    use_panel: impl FnOnce(Panel),
) {
    match (weight.panel(panel, k), weight.codes()) {
        (Some(values), _) => use_panel(values),
        (None, Some(codes)) => VALUES.with_borrow_mut(|values| {
            values.resize((PANEL * depth).max(values.len()), 0.0);
            codes.expand(isa, panel, k, &mut values[..PANEL * depth]);
            use_panel(Panel::F32(values.as_ptr()));
        }),
        (None, None) => unreachable!("a weight in one part has values or codes"),
    }
}

/// What a block of rows asks for beside its own panel, which has so many steps. The first block waits for the panel to
/// come from memory; the ones after it ask for the next panel meanwhile, each for one cache line of every step. (Where they are
/// too few for all lines, the processor's own guesses do better alone.)
fn ahead(panel: Panel, steps: usize, block: usize) -> usize {
    let step = panel.step_bytes();
    match block {
        1.. if (block - 1) * LINE < step => steps * step + (block - 1) * LINE,
        _ => 0,
    }
}

/// Who computes a product.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Threads {
    /// All threads of the pool.
    All,
    /// The one that asks.
    Own,
}

impl Threads {
    /// Runs the tasks, at least so many by one thread.
    fn run(self, tasks: usize, least: usize, task: impl Fn(usize) + Sync + Send) {
        match self {
            Self::Own => (0..tasks).for_each(task),
            Self::All => (0..tasks)
                .into_par_iter()
                .with_min_len(least.clamp(1, tasks))
                .for_each(task),
        }
    }
}

/// `c[row][column..column + outputs] (+)= x[row] * weight^T` for every row of `x`.
///
/// `x` is `[rows, inputs]`, `c` is `[rows, width]`, both row-major. Where `accumulate` is set the sums start from what
/// `c` holds.
///
/// # Panics
/// When a shape does not fit.
pub fn multiply(
    isa: Isa,
    x: &[f32],
    weight: &PackedWeight,
    c: &mut [f32],
    width: usize,
    column: usize,
    accumulate: bool,
) {
    multiply_by(Threads::All, isa, x, weight, c, width, column, accumulate);
}

/// `x * weight^T`, `[rows, outputs]`, for every row of `x`.
///
/// # Panics
/// When `x` is not rows of the weight's inputs.
pub fn product(isa: Isa, x: &[f32], weight: &PackedWeight) -> Vec<f32> {
    let (inputs, outputs) = (weight.inputs(), weight.outputs());
    assert!(
        inputs > 0 && x.len().is_multiple_of(inputs),
        "rows of {inputs} values"
    );
    let len = x.len() / inputs * outputs;
    // Zeroes would be written for nothing: a pass's logits are megabytes.
    let mut out: Vec<f32> = Vec::with_capacity(len);
    // SAFETY: there is room for all outputs of all rows; chains that start from zero write each of them and read none.
    unsafe {
        let to = Output(out.as_mut_ptr());
        multiply_to(Threads::All, isa, x, weight, to, outputs, 0, false);
        out.set_len(len);
    }
    out
}

/// As [`multiply`], by these threads.
#[allow(clippy::too_many_arguments)]
pub(super) fn multiply_by(
    threads: Threads,
    isa: Isa,
    x: &[f32],
    weight: &PackedWeight,
    c: &mut [f32],
    width: usize,
    column: usize,
    accumulate: bool,
) {
    let (inputs, outputs) = (weight.inputs(), weight.outputs());
    let rows = x.len() / inputs;
    assert_eq!(x.len(), rows * inputs, "rows of {inputs} values");
    assert_eq!(c.len(), rows * width, "{rows} rows of {width} outputs");
    assert!(
        column + outputs <= width,
        "columns {column}..{} of {width}",
        column + outputs
    );
    let out = Output(c.as_mut_ptr());
    // SAFETY: the rows and columns were just asserted.
    unsafe { multiply_to(threads, isa, x, weight, out, width, column, accumulate) };
}

/// As [`multiply_by`], to rows of `width` values from `out` on.
///
/// # Safety
/// The columns from `column` on, as many as the weight has outputs, may be written in as many rows as `x` has, and nobody
/// else uses them; where `accumulate` is set they have values.
#[allow(clippy::too_many_arguments)]
unsafe fn multiply_to(
    threads: Threads,
    isa: Isa,
    x: &[f32],
    weight: &PackedWeight,
    out: Output,
    width: usize,
    column: usize,
    accumulate: bool,
) {
    let (inputs, outputs) = (weight.inputs(), weight.outputs());
    let rows = x.len() / inputs;
    if rows == 0 {
        return;
    }
    if let Some(parts) = weight.parts() {
        let mut column = column;
        for part in parts {
            // SAFETY: a part has its own columns.
            unsafe { multiply_to(threads, isa, x, part, out, width, column, accumulate) };
            column += part.outputs();
        }
        return;
    }
    let panels = weight.panels();
    if let Some(codes) = weight.codes().filter(|_| rows <= FEW_ROWS) {
        let tasks = panels.div_ceil(PANELS_OF_CODES);
        let least = TASK_VALUES / (PANEL * PANELS_OF_CODES * inputs * rows.div_ceil(4));
        threads.run(tasks, least, |task| {
            let panel = task * PANELS_OF_CODES;
            let first = out.at(column + panel * PANEL);
            // SAFETY: the columns of these panels may be written, and belong to this task alone.
            unsafe { codes.multiply_few(isa, panel, x, first, width, accumulate) };
        });
        return;
    }
    let blocks = Blocks::new(isa, x, inputs, weight.precision(), threads);
    let steps = blocks.steps;
    let run = |panel: usize, together: usize| {
        let first = panel * PANEL;
        for k in (0..steps).step_by(DEPTH) {
            let depth = DEPTH.min(steps - k);
            with_panel(isa, weight, panel, k, depth, |b| {
                let next = weight.codes().is_none() && together == 1 && panel + 1 < panels;
                let next = next && blocks.len() * LINE > b.step_bytes();
                for (index, (row, m, a)) in blocks.iter(k).enumerate() {
                    let tile = Tile {
                        m,
                        k: depth,
                        a,
                        b,
                        panels: together,
                        apart: steps * PANEL,
                        c: out.at(row * width + column + first),
                        ldc: width,
                        columns: PANEL.min(outputs - first),
                        accumulate: accumulate || k > 0,
                        ahead: if next { ahead(b, steps, index) } else { 0 },
                    };
                    // SAFETY: the block holds `k * m` values from `a` on, the panels are padded to 32 columns, and the
                    // rows and columns may be written, and belong to these panels alone.
                    unsafe { tile::run(isa, &tile) };
                }
            });
        }
    };
    let whole = outputs / PANEL;
    let together = if rows <= FEW { TOGETHER } else { 1 };
    let task = |group: usize| {
        let group = group * together..panels.min((group + 1) * together);
        if group.len() == together && group.end <= whole {
            run(group.start, together);
        } else {
            group.for_each(|panel| run(panel, 1));
        }
    };
    // Few rows: a task is cheap, so take several panels; many rows: single panels balance the threads.
    let least = TASK_VALUES / (PANEL * together * inputs * rows.div_ceil(4));
    threads.run(panels.div_ceil(together), least, task);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::packed::Precision;

    fn values(n: usize, seed: u32) -> Vec<f32> {
        let mut state = seed.wrapping_mul(747_796_405).wrapping_add(1);
        (0..n)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 8) as f32 / (1 << 23) as f32 - 1.0
            })
            .collect()
    }

    fn chain(x: &[f32], w: &[f32], start: f32) -> f32 {
        x.iter().zip(w).fold(start, |s, (x, w)| x.mul_add(*w, s))
    }

    /// The same of rounded factors, the later input of each pair first.
    fn chain_of_pairs(x: &[f32], w: &[f32], start: f32) -> f32 {
        let rounded = |v: &f32| half::bf16::from_f32(*v).to_f32();
        let mut sum = start;
        for (x, w) in x.chunks(2).zip(w.chunks(2)) {
            for (x, w) in x.iter().zip(w).rev() {
                sum = rounded(x).mul_add(rounded(w), sum);
            }
        }
        sum
    }

    #[test]
    fn every_set_gives_the_chain_of_pairs_bit_for_bit() {
        for (rows, outputs, inputs) in [(1, 150, 33), (3, 290, 48), (5, 40, 1), (30, 40, 4300)] {
            let (x, w) = (values(rows * inputs, 1), values(outputs * inputs, 2));
            let packed = PackedWeight::in_precision(&w, outputs, inputs, Precision::Bf16);
            let before = values(rows * outputs, 3);
            for isa in Isa::available() {
                let mut c = before.clone();
                multiply(isa, &x, &packed, &mut c, outputs, 0, true);
                for (place, got) in c.iter().enumerate() {
                    let (r, n) = (place / outputs, place % outputs);
                    let row = &x[r * inputs..][..inputs];
                    let want = chain_of_pairs(row, &w[n * inputs..][..inputs], before[place]);
                    assert_eq!(got.to_bits(), want.to_bits(), "{isa} row {r} output {n}");
                }
            }
        }
    }

    #[test]
    fn every_set_gives_the_chain_of_fused_products_bit_for_bit() {
        for (rows, outputs, inputs) in [
            (1, 1, 1),
            (1, 290, 48),
            (2, 130, 5),
            (3, 33, 48),
            (3, 128, 48),
            (12, 64, 7),
            (13, 96, 96),
            (30, 40, 2100),
        ] {
            let (x, w) = (values(rows * inputs, 1), values(outputs * inputs, 2));
            let bf16: Vec<f32> = w
                .iter()
                .map(|x| f32::from_bits(x.to_bits() & 0xffff_0000))
                .collect();
            for w in [w, bf16] {
                let packed = PackedWeight::new(&w, outputs, inputs);
                for isa in Isa::available() {
                    for accumulate in [false, true] {
                        let alone = product(isa, &x, &packed);
                        let width = outputs + 3;
                        let before = values(rows * width, 3);
                        let mut c = before.clone();
                        multiply(isa, &x, &packed, &mut c, width, 2, accumulate);
                        for r in 0..rows {
                            for n in 0..width {
                                let was = before[r * width + n];
                                if (2..2 + outputs).contains(&n) && !accumulate {
                                    let alone = alone[r * outputs + n - 2];
                                    assert_eq!(c[r * width + n].to_bits(), alone.to_bits());
                                }
                                let want = if (2..2 + outputs).contains(&n) {
                                    let start = if accumulate { was } else { 0.0 };
                                    chain(
                                        &x[r * inputs..][..inputs],
                                        &w[(n - 2) * inputs..][..inputs],
                                        start,
                                    )
                                } else {
                                    was
                                };
                                assert_eq!(
                                    c[r * width + n].to_bits(),
                                    want.to_bits(),
                                    "{isa} row {r} output {n}"
                                );
                            }
                        }
                    }
                }
            }
        }
    }
}
