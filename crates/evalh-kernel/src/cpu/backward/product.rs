//! The inner loop of the gradients: products whose sums run down the rows of both factors, wherever these lie.
//!
//! Every output is a single chain of fused products in the order of `k`, as in [`tile`](crate::cpu::tile).

use crate::cpu::isa::{Isa, dispatch};
use crate::cpu::lanes::Lanes;
use crate::cpu::tile::{PANEL, ROWS, evenly, held};

/// Values of a register.
const LANES: usize = 16;

/// Rows of a factor within a buffer.
#[derive(Clone, Copy)]
pub(super) struct Rows<'a> {
    /// From the first value of the first row on.
    pub values: &'a [f32],
    /// Distance of two rows, in values.
    pub step: usize,
}

impl Rows<'_> {
    /// Whether `count` rows of `width` values can be read.
    pub(super) fn hold(&self, count: usize, width: usize) -> bool {
        count == 0 || width == 0 || self.values.len() >= (count - 1) * self.step + width
    }
}

/// Rows of outputs within a buffer.
#[derive(Clone, Copy)]
pub(super) struct Outputs {
    /// The first output.
    pub first: *mut f32,
    /// Distance of two rows, in values.
    pub step: usize,
    /// Whether the chains start from what is there or from zero.
    pub accumulate: bool,
}

/// `c[i][j] (+)= sum over k of a[k][i] * b[k][j]`, for `i < m`, `j < n`, by the thread that asks. `spare` is a buffer
/// to be used again.
///
/// # Panics
/// When a factor is too short.
///
/// # Safety
/// `c` may be written at `n` values of each of `m` rows.
#[allow(clippy::too_many_arguments)]
pub(super) unsafe fn multiply_down(
    isa: Isa,
    k: usize,
    (a, m): (Rows<'_>, usize),
    (b, n): (Rows<'_>, usize),
    c: Outputs,
    spare: &mut Vec<f32>,
) {
    assert!(a.hold(k, m) && b.hold(k, n), "{k} rows of {m} and {n}");
    let height = m.div_ceil(m.div_ceil(ROWS).max(1)).max(1);
    for column in (0..n).step_by(PANEL) {
        let columns = PANEL.min(n - column);
        let (mut panel, mut step) = (b.values[column.min(b.values.len())..].as_ptr(), b.step);
        if !columns.is_multiple_of(LANES) {
            // The loop reads whole registers, which would go past the end of the last row.
            pad(b, k, column, columns, spare);
            (panel, step) = (spare.as_ptr(), PANEL);
        }
        for first in (0..m).step_by(height) {
            let tile = Tile {
                m: height.min(m - first),
                k,
                a: a.values[first.min(a.values.len())..].as_ptr(),
                a_step: a.step,
                b: panel,
                b_step: step,
                c: c.first.wrapping_add(first * c.step + column),
                c_step: c.step,
                columns,
                accumulate: c.accumulate,
            };
            // SAFETY: the factors hold the rows read (asserted above, or padded), the caller vouches for the outputs.
            unsafe { run(isa, &tile) };
        }
    }
}

/// A small product by the thread that asks: at most [`ROWS`] rows and [`PANEL`] columns of
/// `c[i][j] (+)= sum over k of a[k][i] * b[k][j]`, whose rows are `step` apart.
///
/// # Panics
/// When a slice is too short; the right factor must hold `n` rounded up to 16 in each row.
pub(super) fn block(
    isa: Isa,
    k: usize,
    (a, m): (Rows<'_>, usize),
    (b, n): (Rows<'_>, usize),
    c: &mut [f32],
    step: usize,
    accumulate: bool,
) {
    assert!(
        (1..=ROWS).contains(&m) && (1..=PANEL).contains(&n) && c.len() >= (m - 1) * step + n,
        "{m} rows of {n} outputs"
    );
    assert!(
        a.hold(k, m) && b.hold(k, n.next_multiple_of(LANES)),
        "{k} rows of {m} and {n}"
    );
    let tile = Tile {
        m,
        k,
        a: a.values.as_ptr(),
        a_step: a.step,
        b: b.values.as_ptr(),
        b_step: b.step,
        c: c.as_mut_ptr(),
        c_step: step,
        columns: n,
        accumulate,
    };
    // SAFETY: the slices hold what is read and written, as asserted.
    unsafe { run(isa, &tile) };
}

/// Copies some columns into rows of [`PANEL`], zeros after them.
pub(super) fn pad(rows: Rows<'_>, k: usize, column: usize, columns: usize, out: &mut Vec<f32>) {
    out.clear();
    out.resize(k * PANEL, 0.0);
    for (to, from) in out
        .chunks_exact_mut(PANEL)
        .zip(rows.values[column..].chunks(rows.step))
    {
        to[..columns].copy_from_slice(&from[..columns]);
    }
}

/// One call of the inner loop.
#[derive(Clone, Copy)]
pub(super) struct Tile {
    /// Rows of outputs, at most [`ROWS`].
    pub m: usize,
    /// Length of the sums.
    pub k: usize,
    /// The left factor: `m` values of each of `k` rows.
    pub a: *const f32,
    /// Distance of its rows.
    pub a_step: usize,
    /// The right factor: `columns` values, rounded up to 16, of each of `k` rows.
    pub b: *const f32,
    /// Distance of its rows.
    pub b_step: usize,
    /// The first output.
    pub c: *mut f32,
    /// Distance of two rows of outputs.
    pub c_step: usize,
    /// Columns of outputs, at most [`PANEL`]; nothing is written past them.
    pub columns: usize,
    /// Whether the chains start from what `c` holds or from zero.
    pub accumulate: bool,
}

dispatch! {
    /// Computes one [`Tile`].
    ///
    /// # Safety
    /// Its factors may be read and its outputs written for the extents it names.
    pub(super) unsafe fn run(isa; tile: &Tile) = run_lanes
}

#[inline(always)]
unsafe fn run_lanes<V: Lanes>(tile: &Tile) {
    // SAFETY: passed on.
    unsafe {
        if tile.columns <= LANES {
            run_whole::<V, 1>(tile);
        } else {
            run_whole::<V, 2>(tile);
        }
    }
}

/// Computes `W` times sixteen columns, in a buffer where fewer are asked for.
#[inline(always)]
unsafe fn run_whole<V: Lanes, const W: usize>(tile: &Tile) {
    // SAFETY: the buffer has room for `ROWS` rows; only valid columns of `c` are read or written.
    unsafe {
        if tile.columns == W * LANES {
            return run_rows::<V, W>(tile);
        }
        let mut buffer = [0f32; ROWS * PANEL];
        let whole = Tile {
            c: buffer.as_mut_ptr(),
            c_step: PANEL,
            columns: W * LANES,
            ..*tile
        };
        let row = |m: usize| tile.c.wrapping_add(m * tile.c_step);
        if tile.accumulate {
            for m in 0..tile.m {
                let row = std::slice::from_raw_parts(row(m), tile.columns);
                buffer[m * PANEL..][..tile.columns].copy_from_slice(row);
            }
        }
        run_rows::<V, W>(&whole);
        for m in 0..tile.m {
            let row = std::slice::from_raw_parts_mut(row(m), tile.columns);
            row.copy_from_slice(&buffer[m * PANEL..][..tile.columns]);
        }
    }
}

/// Computes all columns at once where the registers hold their sums, else sixteen of some rows at a time.
#[inline(always)]
unsafe fn run_rows<V: Lanes, const W: usize>(tile: &Tile) {
    // SAFETY: the parts lie inside the tile, for which the caller vouches.
    unsafe {
        if held(tile.m, 1, W, 1) <= V::HELD {
            return run_part::<V, W>(tile);
        }
        let step = evenly(tile.m, V::HELD - 1);
        for column in (0..W * LANES).step_by(LANES) {
            for row in (0..tile.m).step_by(step) {
                run_part::<V, 1>(&Tile {
                    m: step.min(tile.m - row),
                    a: tile.a.wrapping_add(row),
                    b: tile.b.wrapping_add(column),
                    c: tile.c.wrapping_add(row * tile.c_step + column),
                    ..*tile
                });
            }
        }
    }
}

/// Computes a tile whose sums the registers hold.
#[inline(always)]
unsafe fn run_part<V: Lanes, const W: usize>(tile: &Tile) {
    macro_rules! rows {
        ($($m:literal)*) => {
            match tile.m {
                // SAFETY: the caller vouches for the pointers of the tile.
                $($m if const { held($m, 1, W, 1) <= V::HELD } => unsafe { chains::<V, $m, W>(tile) },)*
                m => debug_assert!(m == 0, "{m} rows"),
            }
        };
    }
    rows!(1 2 3 4 5 6 7 8 9 10 11 12);
}

#[inline(always)]
unsafe fn chains<V: Lanes, const M: usize, const W: usize>(tile: &Tile) {
    // SAFETY: the tile's pointers are valid for the extents it names, by the caller's word.
    unsafe {
        let mut acc = [[V::splat(0.0); W]; M];
        if tile.accumulate {
            for (m, row) in acc.iter_mut().enumerate() {
                for (w, lanes) in row.iter_mut().enumerate() {
                    *lanes = V::load(tile.c.add(m * tile.c_step + w * LANES));
                }
            }
        }
        let (mut a, mut b) = (tile.a, tile.b);
        for _ in 0..tile.k {
            let mut columns = [V::splat(0.0); W];
            for (w, column) in columns.iter_mut().enumerate() {
                *column = V::load(b.add(w * LANES));
            }
            for (m, row) in acc.iter_mut().enumerate() {
                let x = V::splat(*a.add(m));
                for (lanes, column) in row.iter_mut().zip(&columns) {
                    *lanes = x.mul_add(*column, *lanes);
                }
            }
            // Past the last row there may be nothing, where these must not be read.
            a = a.wrapping_add(tile.a_step);
            b = b.wrapping_add(tile.b_step);
        }
        for (m, row) in acc.iter().enumerate() {
            for (w, lanes) in row.iter().enumerate() {
                lanes.store(tile.c.add(m * tile.c_step + w * LANES));
            }
        }
    }
}
