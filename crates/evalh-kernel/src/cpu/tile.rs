//! The one inner loop: a small block of rows times a panel of 32 columns.
//!
//! Few rows take several panels at once: a single row's two chains would wait for their own products.
//!
//! Every output is a single chain of fused products in the order of `k`, whatever the block: that is what makes a
//! row's result independent of the rows computed beside it.
//!
//! The block is cut for AVX-512, whose registers hold its sums. Sets whose registers hold fewer compute it in parts, one
//! after another, each over the whole of `k`: six rows of sixteen columns where there are many.

use super::isa::{Isa, dispatch};
#[cfg(target_arch = "x86_64")]
use super::lanes::Avx512Bf16;
use super::lanes::Lanes;
use std::ops::Range;

/// Columns of a panel.
pub(crate) const PANEL: usize = 32;
/// Values of a register.
const LANES: usize = 16;
/// Most rows of a block.
pub(crate) const ROWS: usize = 12;
/// Panels that few rows take at once.
pub(crate) const TOGETHER: usize = 4;
/// Most rows that count as few.
pub(crate) const FEW: usize = 3;

/// A panel of `k` rows of [`PANEL`] columns, row-major.
#[derive(Clone, Copy)]
pub(crate) enum Panel {
    /// `f32` values.
    F32(*const f32),
    /// bf16 values, widened as they are read.
    Bf16(*const u16),
    /// Pairs of bf16 values of two rows each, the earlier one in the low bits; so is the left factor then, and `k` counts
    /// pairs.
    Pairs(*const u32),
}

impl Panel {
    /// Bytes of a step.
    pub(crate) fn step_bytes(self) -> usize {
        PANEL
            * match self {
                Self::F32(_) | Self::Pairs(_) => size_of::<f32>(),
                Self::Bf16(_) => size_of::<u16>(),
            }
    }
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
    /// Panels: one, or [`TOGETHER`] for at most [`FEW`] rows, whose columns follow one another.
    pub panels: usize,
    /// Distance of two panels, in stored values.
    pub apart: usize,
    /// The first output; the rows are `ldc` apart.
    pub c: *mut f32,
    /// Distance of two output rows, in values.
    pub ldc: usize,
    /// Valid columns of each panel, at most [`PANEL`] of a single one; nothing is written past them.
    pub columns: usize,
    /// Whether the chains start from what `c` holds or from zero.
    pub accumulate: bool,
    /// How far ahead of each step of the panel memory is asked for, in bytes; 0 where nothing is to be read later.
    pub ahead: usize,
}

/// Computes one [`Tile`].
///
/// # Safety
/// `a` holds `k * m` values, `b` holds `k * PANEL` in each of its panels, and `c` may be written at `columns * panels` values of
/// each of `m` rows.
pub(crate) unsafe fn run(isa: Isa, tile: &Tile) {
    #[cfg(target_arch = "x86_64")]
    if matches!(tile.b, Panel::Pairs(_))
        && isa == Isa::Avx512
        && is_x86_feature_detected!("avx512bf16")
    {
        // SAFETY: the instructions are there; the caller vouches for the pointers.
        return unsafe { run_pairs(tile) };
    }
    // SAFETY: passed on.
    unsafe { run_any(isa, tile) }
}

/// Pairs with the machine's own products of pairs.
///
/// # Safety
/// As for [`run`], with AVX512-BF16.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bf16")]
unsafe fn run_pairs(tile: &Tile) {
    // SAFETY: passed on.
    unsafe { run_lanes::<Avx512Bf16>(tile) }
}

dispatch! {
    unsafe fn run_any(isa; tile: &Tile) = run_lanes
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

/// Computes `W` times sixteen columns of each panel.
#[inline(always)]
unsafe fn run_whole<V: Lanes, const W: usize>(tile: &Tile) {
    // A last panel that is narrower is computed whole, in a buffer of its own.
    if tile.columns < W * LANES {
        let mut buffer = [0f32; ROWS * PANEL];
        let whole = Tile {
            c: buffer.as_mut_ptr(),
            ldc: PANEL,
            columns: W * LANES,
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
            run_rows::<V, W>(&whole);
            for m in 0..tile.m {
                let row = std::slice::from_raw_parts_mut(tile.c.add(m * tile.ldc), tile.columns);
                row.copy_from_slice(&buffer[m * PANEL..][..tile.columns]);
            }
        }
    } else {
        // SAFETY: passed on.
        unsafe { run_rows::<V, W>(tile) }
    }
}

/// Computes `W` times sixteen columns of each panel, whose sums the registers need not hold all at once.
#[inline(always)]
unsafe fn run_rows<V: Lanes, const W: usize>(tile: &Tile) {
    // SAFETY: the parts lie inside the tile, for which the caller vouches.
    unsafe {
        if const { held(ROWS, 1, 2, 2) <= V::HELD && held(FEW, TOGETHER, 2, 2) <= V::HELD } {
            return run_part::<V, W>(tile, tile.m);
        }
        let factors = match tile.b {
            Panel::F32(_) | Panel::Bf16(_) => 1,
            Panel::Pairs(_) => 2,
        };
        let shape = SHAPES.into_iter().find(|&(panels, width)| {
            panels <= tile.panels && width <= W && held(tile.m, panels, width, factors) <= V::HELD
        });
        let (panels, width) = shape.unwrap_or((1, 1));
        let step = match shape {
            Some(_) => tile.m,
            None => evenly(tile.m, V::HELD - factors),
        };
        for panel in (0..tile.panels).step_by(panels) {
            for column in (0..W * LANES).step_by(width * LANES) {
                for row in (0..tile.m).step_by(step.max(1)) {
                    let rows = row..tile.m.min(row + step);
                    let part = tile.part(rows, panel, panels, column);
                    if width == W {
                        run_part::<V, W>(&part, tile.m);
                    } else {
                        run_part::<V, 1>(&part, tile.m);
                    }
                }
            }
        }
    }
}

/// How many panels and sixteens of columns may be taken at once, most sums first: a few chains would wait for their own
/// products.
const SHAPES: [(usize, usize); 5] = [(TOGETHER, 2), (2, 2), (TOGETHER, 1), (1, 2), (2, 1)];

/// What a step holds in registers, in sixteens of values: its sums, as many factors of each column, and what several panels
/// share.
pub(crate) const fn held(rows: usize, panels: usize, width: usize, factors: usize) -> usize {
    (rows * panels + factors) * width + (panels > 1) as usize
}

/// How many of `rows` to take at a time, at most `most`, so that the times are alike.
pub(crate) fn evenly(rows: usize, most: usize) -> usize {
    rows.div_ceil(rows.div_ceil(most).max(1)).max(1)
}

impl Tile {
    /// Some rows of some panels, from a column on.
    #[inline(always)]
    fn part(&self, rows: Range<usize>, panel: usize, panels: usize, column: usize) -> Self {
        let (from, to) = (
            panel * self.apart + column,
            rows.start * self.ldc + panel * PANEL + column,
        );
        Self {
            m: rows.len(),
            a: self.a.wrapping_add(rows.start),
            b: match self.b {
                Panel::F32(b) => Panel::F32(b.wrapping_add(from)),
                Panel::Bf16(b) => Panel::Bf16(b.wrapping_add(from)),
                Panel::Pairs(b) => Panel::Pairs(b.wrapping_add(from)),
            },
            panels,
            c: self.c.wrapping_add(to),
            ..*self
        }
    }
}

/// Computes a tile whose sums the registers hold; the left factor's steps are `height` apart.
#[inline(always)]
unsafe fn run_part<V: Lanes, const W: usize>(tile: &Tile, height: usize) {
    macro_rules! rows {
        ($($m:literal x $p:tt,)*) => {
            match (tile.m, tile.panels, tile.b) {
                // SAFETY: the caller vouches for the pointers of the tile.
                $(($m, $p, Panel::F32(b)) if const { held($m, $p, W, 1) <= V::HELD } => unsafe {
                    chains::<V, f32, $m, $p, W>(tile, b, height);
                },
                ($m, $p, Panel::Bf16(b)) if const { held($m, $p, W, 1) <= V::HELD } => unsafe {
                    chains::<V, u16, $m, $p, W>(tile, b, height);
                },
                ($m, $p, Panel::Pairs(b)) if const { held($m, $p, W, 2) <= V::HELD } => unsafe {
                    chains::<V, u32, $m, $p, W>(tile, b, height);
                },)*
                _ => debug_assert!(tile.m == 0, "{} rows and {} panels", tile.m, tile.panels),
            }
        };
    }
    rows!(
        1 x 1, 2 x 1, 3 x 1, 4 x 1, 5 x 1, 6 x 1, 7 x 1, 8 x 1, 9 x 1, 10 x 1, 11 x 1, 12 x 1,
        1 x 2, 2 x 2, 3 x 2, 1 x TOGETHER, 2 x TOGETHER, 3 x TOGETHER,
    );
}

/// How a stored panel value becomes lanes, and what a product is.
trait Stored: Copy {
    unsafe fn load<V: Lanes>(p: *const Self) -> V;
    #[inline(always)]
    unsafe fn fuse<V: Lanes>(x: V, column: V, acc: V) -> V {
        // SAFETY: arithmetic on lanes only.
        unsafe { x.mul_add(column, acc) }
    }
}
impl Stored for u32 {
    #[inline(always)]
    unsafe fn load<V: Lanes>(p: *const Self) -> V {
        // SAFETY: passed on.
        unsafe { V::load(p.cast()) }
    }
    #[inline(always)]
    unsafe fn fuse<V: Lanes>(x: V, column: V, acc: V) -> V {
        // SAFETY: arithmetic on lanes only.
        unsafe { x.dot_pairs(column, acc) }
    }
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
unsafe fn chains<V: Lanes, S: Stored, const M: usize, const P: usize, const W: usize>(
    tile: &Tile,
    b: *const S,
    height: usize,
) {
    // SAFETY: the tile's pointers are valid for the extents it names, by the caller's word.
    unsafe {
        let mut acc = [[[V::splat(0.0); W]; M]; P];
        let place = |p: usize, m: usize| tile.c.add(m * tile.ldc + p * PANEL);
        if tile.accumulate {
            for (p, rows) in acc.iter_mut().enumerate() {
                for (m, row) in rows.iter_mut().enumerate() {
                    let c = place(p, m);
                    for (w, lanes) in row.iter_mut().enumerate() {
                        *lanes = V::load(c.add(w * LANES));
                    }
                }
            }
        }
        let (mut a, mut b) = (tile.a, b);
        for _ in 0..tile.k {
            if tile.ahead > 0 {
                V::prefetch(b.cast::<u8>().wrapping_add(tile.ahead));
            }
            for (p, rows) in acc.iter_mut().enumerate() {
                let b = b.add(p * tile.apart);
                let mut columns = [V::splat(0.0); W];
                for (w, column) in columns.iter_mut().enumerate() {
                    *column = S::load(b.add(w * LANES));
                }
                for (m, row) in rows.iter_mut().enumerate() {
                    let x = V::splat(*a.add(m));
                    for (lanes, column) in row.iter_mut().zip(&columns) {
                        *lanes = S::fuse(x, *column, *lanes);
                    }
                }
            }
            // Past the last step there may be nothing, from a part's first row or column on.
            a = a.wrapping_add(height);
            b = b.wrapping_add(PANEL);
        }
        for (p, rows) in acc.iter().enumerate() {
            for (m, row) in rows.iter().enumerate() {
                let c = place(p, m);
                for (w, lanes) in row.iter().enumerate() {
                    lanes.store(c.add(w * LANES));
                }
            }
        }
    }
}
