//! From codes to values, in registers.

use super::{Format, Width};
use crate::cpu::isa::dispatch;
use crate::cpu::lanes::Lanes;
use crate::cpu::tile::PANEL;

/// Inputs that are decoded in one go: the codes of 4 bits that a word holds.
pub(super) const STEP: usize = 8;

/// How far ahead of the codes at work memory is asked for, in bytes: the processor's own guesses end with a page.
const AHEAD: usize = 2048;

/// How the codes of an input become numbers, `W` times sixteen of the 32 at once.
pub(super) trait Code {
    /// Bytes of [`STEP`] inputs.
    const BYTES: usize;
    /// Bytes from the codes of sixteen outputs to those of the next.
    const APART: usize;
    /// Takes up the codes of [`STEP`] inputs.
    unsafe fn open<V: Lanes, const W: usize>(codes: *const u8) -> [V; W];
    /// The numbers of input `k` of them; inputs are asked for in order.
    unsafe fn next<V: Lanes, const W: usize>(
        open: &mut [V; W],
        codes: *const u8,
        k: usize,
        table: V,
    ) -> [V; W];
}

/// Words of eight codes of 4 bits.
pub(super) struct Four;

impl Code for Four {
    const BYTES: usize = 4 * PANEL;
    const APART: usize = 64;

    #[inline(always)]
    unsafe fn open<V: Lanes, const W: usize>(codes: *const u8) -> [V; W] {
        // SAFETY: the caller vouches for sixteen words in each part, of which the lanes keep the bits.
        unsafe {
            let mut open = [V::splat(0.0); W];
            for (w, open) in open.iter_mut().enumerate() {
                *open = V::load(codes.add(w * Self::APART).cast());
            }
            open
        }
    }

    #[inline(always)]
    unsafe fn next<V: Lanes, const W: usize>(
        open: &mut [V; W],
        _: *const u8,
        _: usize,
        table: V,
    ) -> [V; W] {
        // SAFETY: lanes only; the caller vouches for the instruction set.
        unsafe {
            let mut numbers = *open;
            for (number, open) in numbers.iter_mut().zip(open) {
                *number = number.lookup(table);
                *open = open.next_four_bits();
            }
            numbers
        }
    }
}

/// Bytes that are numbers.
pub(super) struct Eight;

impl Code for Eight {
    const BYTES: usize = STEP * PANEL;
    const APART: usize = 16;

    #[inline(always)]
    unsafe fn open<V: Lanes, const W: usize>(_: *const u8) -> [V; W] {
        // SAFETY: lanes only; the caller vouches for the instruction set.
        unsafe { [V::splat(0.0); W] }
    }

    #[inline(always)]
    unsafe fn next<V: Lanes, const W: usize>(
        _: &mut [V; W],
        codes: *const u8,
        k: usize,
        _: V,
    ) -> [V; W] {
        // SAFETY: the caller vouches for the codes of a step.
        unsafe {
            let codes = codes.add(k * PANEL);
            let mut numbers = [V::splat(0.0); W];
            for (w, number) in numbers.iter_mut().enumerate() {
                *number = V::load_i8(codes.add(w * Self::APART).cast());
            }
            numbers
        }
    }
}

/// Asks for the codes of a step that comes later.
#[inline(always)]
pub(super) unsafe fn prefetch<V: Lanes, C: Code>(codes: *const u8) {
    for line in (0..C::BYTES).step_by(64) {
        // SAFETY: any address may be asked for.
        unsafe { V::prefetch(codes.wrapping_add(AHEAD + line)) };
    }
}

/// The scales and minimums of a record, from a column on. Without minimums they are negative zeros, which no product is
/// changed by, not even one of zero.
#[inline(always)]
pub(super) unsafe fn factors<V: Lanes, const W: usize>(
    format: &Format,
    record: *const u8,
    column: usize,
) -> ([V; W], [V; W]) {
    // SAFETY: the caller vouches for a record of the format.
    unsafe {
        let minimums = if format.minimums {
            factor(format, record.add(format.factors()), column)
        } else {
            [V::splat(-0.0); W]
        };
        (factor(format, record, column), minimums)
    }
}

#[inline(always)]
unsafe fn factor<V: Lanes, const W: usize>(format: &Format, p: *const u8, column: usize) -> [V; W] {
    // SAFETY: the caller vouches for 32 of the format's scales or minimums.
    unsafe {
        V::prefetch(p.wrapping_add(AHEAD));
        let mut factors = [V::splat(0.0); W];
        for (w, factor) in factors.iter_mut().enumerate() {
            let place = column + 16 * w;
            *factor = if format.halves {
                V::load_f16(p.add(2 * place).cast())
            } else {
                V::load(p.add(4 * place).cast())
            };
        }
        factors
    }
}

/// What one call of [`expand`] writes out.
pub(super) struct Expand<'a> {
    pub format: &'a Format,
    pub groups: usize,
    /// The first of the groups' records.
    pub records: *const u8,
    /// `[groups * group][32]`.
    pub out: *mut f32,
}

dispatch! {
    /// Writes the values of some records of a panel.
    ///
    /// # Safety
    /// `records` has `groups` records of the format, and `out` room for their values.
    pub(super) unsafe fn expand(isa; expand: &Expand<'_>) = expand_lanes
}

#[inline(always)]
unsafe fn expand_lanes<V: Lanes>(expand: &Expand<'_>) {
    // SAFETY: passed on.
    unsafe {
        match expand.format.width {
            Width::Four => expand_codes::<V, Four>(expand),
            Width::Eight => expand_codes::<V, Eight>(expand),
        }
    }
}

#[inline(always)]
unsafe fn expand_codes<V: Lanes, C: Code>(expand: &Expand<'_>) {
    let format = expand.format;
    // SAFETY: the extents are those that the caller vouches for.
    unsafe {
        let table = V::load(format.table.as_ptr());
        let (mut record, mut out) = (expand.records, expand.out);
        for _ in 0..expand.groups {
            if const { holds_both::<V>() } {
                expand_group::<V, C, 2>(format, record, 0, table, out);
            } else {
                expand_group::<V, C, 1>(format, record, 0, table, out);
                expand_group::<V, C, 1>(format, record, 16, table, out);
            }
            record = record.add(format.record());
            out = out.add(format.group * PANEL);
        }
    }
}

/// Whether the registers hold what both halves of a panel take: sixteen sums, and the scales and minimums of two panels.
pub(super) const fn holds_both<V: Lanes>() -> bool {
    V::HELD >= 24
}

/// `W` times sixteen columns of a record.
#[inline(always)]
unsafe fn expand_group<V: Lanes, C: Code, const W: usize>(
    format: &Format,
    record: *const u8,
    column: usize,
    table: V,
    out: *mut f32,
) {
    // SAFETY: the extents are those that the caller vouches for.
    unsafe {
        let (scale, minimum) = factors::<V, W>(format, record, column);
        let mut codes = record.add(format.codes_at() + column / 16 * C::APART);
        let mut out = out.add(column);
        for _ in 0..format.group / STEP {
            prefetch::<V, C>(codes);
            let mut open = C::open::<V, W>(codes);
            // Written out, since the compiler keeps the loop and its counter otherwise.
            macro_rules! inputs {
                ($($k:literal)*) => { $({
                    let numbers = C::next(&mut open, codes, $k, table);
                    let out = out.add($k * PANEL);
                    for w in 0..W {
                        numbers[w].mul_add(scale[w], minimum[w]).store(out.add(16 * w));
                    }
                })* };
            }
            inputs!(0 1 2 3 4 5 6 7);
            codes = codes.add(C::BYTES);
            out = out.add(STEP * PANEL);
        }
    }
}
