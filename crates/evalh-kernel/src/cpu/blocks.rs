//! Rows as the inner loop reads them.

use super::gemm::Threads;
use super::isa::{Isa, dispatch};
use super::lanes::Lanes;
use super::packed::Precision;
use super::tile::ROWS;
use rayon::prelude::*;

/// Values that are packed by one thread alone.
const ALONE: usize = 64 << 10;

/// A left factor as the inner loop reads it: blocks of up to [`ROWS`] rows, each `[step][rows]`. A step is one input, or a
/// pair of inputs rounded to bf16.
///
/// The rows are dealt out evenly, since a block of a few rows takes nearly the time of a full one.
pub(super) struct Blocks {
    values: Vec<f32>,
    rows: usize,
    /// Steps of a row.
    pub steps: usize,
    /// Rows of every block but the last.
    height: usize,
}

impl Blocks {
    /// Packs row-major `x`, `[rows, inputs]`.
    pub(super) fn new(
        isa: Isa,
        x: &[f32],
        inputs: usize,
        precision: Precision,
        threads: Threads,
    ) -> Self {
        let rows = x.len() / inputs;
        let height = rows.div_ceil(rows.div_ceil(ROWS));
        let steps = precision.steps(inputs);
        let mut values = vec![0f32; rows * steps];
        let block = |(out, rows): (&mut [f32], &[f32])| pack(isa, precision, rows, inputs, out);
        let (to, from) = (height * steps, height * inputs);
        if threads == Threads::All && x.len() >= ALONE {
            values
                .par_chunks_mut(to)
                .zip(x.par_chunks(from))
                .for_each(block);
        } else {
            values.chunks_mut(to).zip(x.chunks(from)).for_each(block);
        }
        Self {
            values,
            rows,
            steps,
            height,
        }
    }

    /// Number of blocks.
    pub(super) fn len(&self) -> usize {
        self.rows.div_ceil(self.height)
    }

    /// First row, number of rows, and values from step `k` on, of each block.
    pub(super) fn iter(&self, k: usize) -> impl Iterator<Item = (usize, usize, *const f32)> {
        let (rows, steps, height) = (self.rows, self.steps, self.height);
        (0..rows).step_by(height).map(move |first| {
            let m = height.min(rows - first);
            (first, m, self.values[first * steps + k * m..].as_ptr())
        })
    }
}

/// Turns up to [`ROWS`] rows, `[rows, inputs]`, into `[step][rows]`.
pub(super) fn pack(isa: Isa, precision: Precision, rows: &[f32], inputs: usize, out: &mut [f32]) {
    assert_eq!(
        out.len() * inputs,
        rows.len() * precision.steps(inputs),
        "a value for each row and step"
    );
    // SAFETY: the dispatched code works on the slices it is given.
    unsafe {
        match precision {
            Precision::F32 => pack_values(isa, rows, inputs, out),
            Precision::Bf16 => pack_pairs(isa, rows, inputs, out),
        }
    }
}

dispatch! {
    unsafe fn pack_values(isa; rows: &[f32], inputs: usize, out: &mut [f32]) = pack_values_lanes
}

dispatch! {
    unsafe fn pack_pairs(isa; rows: &[f32], inputs: usize, out: &mut [f32]) = pack_pairs_lanes
}

#[inline(always)]
unsafe fn pack_values_lanes<V: Lanes>(rows: &[f32], inputs: usize, out: &mut [f32]) {
    // SAFETY: only lanes are worked on.
    unsafe { turn::<V, Single, 16>(rows, inputs, out) }
}

#[inline(always)]
unsafe fn pack_pairs_lanes<V: Lanes>(rows: &[f32], inputs: usize, out: &mut [f32]) {
    // SAFETY: only lanes are worked on.
    unsafe { turn::<V, Paired, 32>(rows, inputs, out) }
}

/// What a step is made of. Not a closure: those do not take the instruction set of the function they are in.
trait Step {
    unsafe fn load<V: Lanes>(p: *const f32) -> V;
}
struct Single;
impl Step for Single {
    #[inline(always)]
    unsafe fn load<V: Lanes>(p: *const f32) -> V {
        // SAFETY: the caller vouches for sixteen values.
        unsafe { V::load(p) }
    }
}
struct Paired;
impl Step for Paired {
    #[inline(always)]
    unsafe fn load<V: Lanes>(p: *const f32) -> V {
        // SAFETY: the caller vouches for thirty-two values.
        unsafe { V::load_pairs(p) }
    }
}

/// Turns up to [`ROWS`] rows into columns, sixteen steps of `WIDTH / 16` inputs at a time.
#[inline(always)]
unsafe fn turn<V: Lanes, S: Step, const WIDTH: usize>(
    rows: &[f32],
    inputs: usize,
    out: &mut [f32],
) {
    let m = rows.len() / inputs;
    let steps = out.len() / m;
    for index in 0..steps.div_ceil(16) {
        let first = index * WIDTH;
        let count = WIDTH.min(inputs - first);
        // SAFETY: a place is only loaded from where `WIDTH` values follow it, and only stored to where sixteen do.
        unsafe {
            let mut columns = [V::splat(0.0); 16];
            for (column, row) in columns.iter_mut().zip(rows.chunks_exact(inputs)) {
                let row = &row[first..first + count];
                *column = if count == WIDTH {
                    S::load(row.as_ptr())
                } else {
                    let mut padded = [0f32; WIDTH];
                    padded[..count].copy_from_slice(row);
                    S::load(padded.as_ptr())
                };
            }
            V::transpose(&mut columns);
            let steps = index * 16..steps.min(index * 16 + 16);
            // By reference: an array that is iterated by value is copied first.
            for (step, column) in steps.zip(&columns) {
                let out = &mut out[step * m..];
                if out.len() >= 16 {
                    // More than belongs here: the next steps' values overwrite it.
                    column.store(out.as_mut_ptr());
                } else {
                    let mut lanes = [0f32; 16];
                    column.store(lanes.as_mut_ptr());
                    out[..m].copy_from_slice(&lanes[..m]);
                }
            }
        }
    }
}
