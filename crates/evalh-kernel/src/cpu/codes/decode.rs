//! From codes to values, in registers.

use super::{Format, Width};
use crate::cpu::isa::dispatch;
use crate::cpu::lanes::Lanes;
use crate::cpu::tile::PANEL;

/// Inputs that are decoded in one go: the codes of 4 bits that a word holds.
pub(super) const STEP: usize = 8;

/// How far ahead of the codes at work memory is asked for, in bytes: the processor's own guesses end with a page.
const AHEAD: usize = 2048;

/// How the 32 codes of an input become numbers.
pub(super) trait Code {
    /// Bytes of [`STEP`] inputs.
    const BYTES: usize;
    /// Takes up the codes of [`STEP`] inputs.
    unsafe fn open<V: Lanes>(codes: *const u8) -> [V; 2];
    /// The numbers of input `k` of them; inputs are asked for in order.
    unsafe fn next<V: Lanes>(open: &mut [V; 2], codes: *const u8, k: usize, table: V) -> [V; 2];
}

/// Words of eight codes of 4 bits.
pub(super) struct Four;

impl Code for Four {
    const BYTES: usize = 4 * PANEL;

    #[inline(always)]
    unsafe fn open<V: Lanes>(codes: *const u8) -> [V; 2] {
        // SAFETY: the caller vouches for 32 words, of which the lanes keep the bits.
        unsafe { [V::load(codes.cast()), V::load(codes.add(64).cast())] }
    }

    #[inline(always)]
    unsafe fn next<V: Lanes>(open: &mut [V; 2], _: *const u8, _: usize, table: V) -> [V; 2] {
        // SAFETY: lanes only; the caller vouches for the instruction set.
        unsafe {
            let numbers = [open[0].lookup(table), open[1].lookup(table)];
            *open = [open[0].next_four_bits(), open[1].next_four_bits()];
            numbers
        }
    }
}

/// Bytes that are numbers.
pub(super) struct Eight;

impl Code for Eight {
    const BYTES: usize = STEP * PANEL;

    #[inline(always)]
    unsafe fn open<V: Lanes>(_: *const u8) -> [V; 2] {
        // SAFETY: lanes only; the caller vouches for the instruction set.
        unsafe { [V::splat(0.0); 2] }
    }

    #[inline(always)]
    unsafe fn next<V: Lanes>(_: &mut [V; 2], codes: *const u8, k: usize, _: V) -> [V; 2] {
        // SAFETY: the caller vouches for the codes of a step.
        unsafe {
            let codes = codes.add(k * PANEL).cast();
            [V::load_i8(codes), V::load_i8(codes.add(16))]
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

/// The scales and minimums of a record. Without minimums they are negative zeros, which no product is changed by, not
/// even one of zero.
#[inline(always)]
pub(super) unsafe fn factors<V: Lanes>(format: &Format, record: *const u8) -> ([V; 2], [V; 2]) {
    // SAFETY: the caller vouches for a record of the format.
    unsafe {
        let minimums = if format.minimums {
            factor(format, record.add(format.factors()))
        } else {
            [V::splat(-0.0); 2]
        };
        (factor(format, record), minimums)
    }
}

#[inline(always)]
unsafe fn factor<V: Lanes>(format: &Format, p: *const u8) -> [V; 2] {
    // SAFETY: the caller vouches for 32 of the format's scales or minimums.
    unsafe {
        V::prefetch(p.wrapping_add(AHEAD));
        if format.halves {
            [V::load_f16(p.cast()), V::load_f16(p.add(32).cast())]
        } else {
            [V::load(p.cast()), V::load(p.add(64).cast())]
        }
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
            let (scale, minimum) = factors::<V>(format, record);
            let mut codes = record.add(format.codes_at());
            for _ in 0..format.group / STEP {
                prefetch::<V, C>(codes);
                let mut open = C::open::<V>(codes);
                // Written out, since the compiler keeps the loop and its counter otherwise.
                macro_rules! inputs {
                    ($($k:literal)*) => { $({
                        let numbers = C::next(&mut open, codes, $k, table);
                        let out = out.add($k * PANEL);
                        numbers[0].mul_add(scale[0], minimum[0]).store(out);
                        numbers[1].mul_add(scale[1], minimum[1]).store(out.add(16));
                    })* };
                }
                inputs!(0 1 2 3 4 5 6 7);
                codes = codes.add(C::BYTES);
                out = out.add(STEP * PANEL);
            }
            record = record.add(format.record());
        }
    }
}
