//! The one inner loop: a small block of rows times a panel of 32 columns.
//!
//! Every output is a single chain of fused products in the order of `k`, whatever the block: that is what makes a
//! row's result independent of the rows computed beside it.

use super::isa::dispatch;
use super::lanes::Lanes;

/// Columns of a panel.
pub(crate) const PANEL: usize = 32;
/// Most rows of a block.
pub(crate) const ROWS: usize = 12;

/// A panel of `k` rows of [`PANEL`] columns, row-major.
#[derive(Clone, Copy)]
pub(crate) enum Panel {
    /// `f32` values.
    F32(*const f32),
    /// bf16 values, widened as they are read.
    Bf16(*const u16),
}

/// What one call computes: `c[m][0..columns] (+)= sum over k of a[k][m] * panel[k][..]`.
#[derive(Clone, Copy)]
pub(crate) struct Tile {
    /// Rows, at most [`ROWS`].
    pub m: usize,
    /// Length of the sums.
    pub k: usize,
    /// The left factor, `[k][m]`.
    pub a: *const f32,
    /// The right factor.
    pub b: Panel,
    /// The first output; the rows are `ldc` apart.
    pub c: *mut f32,
    /// Distance of two output rows, in values.
    pub ldc: usize,
    /// Valid columns, at most [`PANEL`]; nothing is written past them.
    pub columns: usize,
    /// Whether the chains start from what `c` holds or from zero.
    pub accumulate: bool,
}

dispatch! {
    /// Computes one [`Tile`].
    ///
    /// # Safety
    /// `a` holds `k * m` values, `b` holds `k * PANEL`, and `c` may be written at `columns` values of each of `m` rows.
    pub(crate) unsafe fn run(isa; tile: &Tile) = run_lanes
}

#[inline(always)]
unsafe fn run_lanes<V: Lanes>(tile: &Tile) {
    // A narrow last panel is computed whole, in a buffer of its own.
    if tile.columns < PANEL {
        let mut buffer = [0f32; ROWS * PANEL];
        let whole = Tile {
            c: buffer.as_mut_ptr(),
            ldc: PANEL,
            columns: PANEL,
            ..*tile
        };
        // SAFETY: the buffer has room for ROWS rows; only valid columns of `c` are read or written.
        unsafe {
            if tile.accumulate {
                for m in 0..tile.m {
                    let row = std::slice::from_raw_parts(tile.c.add(m * tile.ldc), tile.columns);
                    buffer[m * PANEL..][..tile.columns].copy_from_slice(row);
                }
            }
            run_rows::<V>(&whole);
            for m in 0..tile.m {
                let row = std::slice::from_raw_parts_mut(tile.c.add(m * tile.ldc), tile.columns);
                row.copy_from_slice(&buffer[m * PANEL..][..tile.columns]);
            }
        }
    } else {
        // SAFETY: passed on.
        unsafe { run_rows::<V>(tile) }
    }
}

#[inline(always)]
unsafe fn run_rows<V: Lanes>(tile: &Tile) {
    macro_rules! rows {
        ($($m:literal)*) => {
            match (tile.m, tile.b) {
                // SAFETY: the caller vouches for the pointers of the tile.
                $(($m, Panel::F32(b)) => unsafe { chains::<V, f32, $m>(tile, b) },
                ($m, Panel::Bf16(b)) => unsafe { chains::<V, u16, $m>(tile, b) },)*
                _ => debug_assert!(tile.m == 0, "a tile has at most {ROWS} rows"),
            }
        };
    }
    rows!(1 2 3 4 5 6 7 8 9 10 11 12);
}

/// How a stored panel value becomes `f32` lanes.
trait Stored: Copy {
    unsafe fn load<V: Lanes>(p: *const Self) -> V;
}
impl Stored for f32 {
    #[inline(always)]
    unsafe fn load<V: Lanes>(p: *const Self) -> V {
        // SAFETY: passed on.
        unsafe { V::load(p) }
    }
}
impl Stored for u16 {
    #[inline(always)]
    unsafe fn load<V: Lanes>(p: *const Self) -> V {
        // SAFETY: passed on.
        unsafe { V::load_bf16(p) }
    }
}

#[inline(always)]
unsafe fn chains<V: Lanes, S: Stored, const M: usize>(tile: &Tile, b: *const S) {
    // SAFETY: the tile's pointers are valid for the extents it names, by the caller's word.
    unsafe {
        let mut acc = [[V::splat(0.0); 2]; M];
        if tile.accumulate {
            for (m, row) in acc.iter_mut().enumerate() {
                let c = tile.c.add(m * tile.ldc);
                *row = [V::load(c), V::load(c.add(16))];
            }
        }
        let (mut a, mut b) = (tile.a, b);
        for _ in 0..tile.k {
            let columns: [V; 2] = [S::load(b), S::load(b.add(16))];
            for (m, row) in acc.iter_mut().enumerate() {
                let x = V::splat(*a.add(m));
                row[0] = x.mul_add(columns[0], row[0]);
                row[1] = x.mul_add(columns[1], row[1]);
            }
            a = a.add(M);
            b = b.add(PANEL);
        }
        for (m, row) in acc.iter().enumerate() {
            let c = tile.c.add(m * tile.ldc);
            row[0].store(c);
            row[1].store(c.add(16));
        }
    }
}
