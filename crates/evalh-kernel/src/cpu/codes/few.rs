//! A few rows times codes: values are decoded in registers and go into the chains at once.

use super::decode::{Code, Eight, Four, STEP, factors, holds_both, prefetch};
use super::{Codes, Format, Width};
use crate::cpu::isa::{Isa, dispatch};
use crate::cpu::lanes::Lanes;
use crate::cpu::tile::{PANEL, evenly};

/// Most rows of a call: more have no room in the registers beside what decoding takes.
pub(in crate::cpu) const MOST_ROWS: usize = 8;
/// Most panels of a call: a single row has only two chains a panel, too few to keep the arithmetic units busy.
pub(in crate::cpu) const PANELS: usize = 2;
/// Most rows at a time where the registers do not hold both halves of a panel.
const FEWER_ROWS: usize = 4;

/// What one call computes: `c[m][0..columns] (+)= x[m] * weight^T` for some panels of the weight.
pub(super) struct Few<'a> {
    format: &'a Format,
    groups: usize,
    /// The first panel's first record.
    records: *const u8,
    panel_bytes: usize,
    /// The left factor, `[m][inputs]`.
    x: *const f32,
    inputs: usize,
    /// Rows, at most [`MOST_ROWS`].
    m: usize,
    /// The first output; the rows are `ldc` apart.
    c: *mut f32,
    ldc: usize,
    /// Valid columns, at most [`PANELS`] panels.
    columns: usize,
    accumulate: bool,
}

impl Codes {
    /// `c[m][0..] (+)= x[m] * weight^T` for panels from `panel` on, at most [`PANELS`], and at most [`MOST_ROWS`] rows `x`.
    ///
    /// # Safety
    /// The first output lies at `c` and may be written, with all columns of these panels, in rows that are `ldc` apart.
    pub(in crate::cpu) unsafe fn multiply_few(
        &self,
        isa: Isa,
        panel: usize,
        x: &[f32],
        c: *mut f32,
        ldc: usize,
        accumulate: bool,
    ) {
        let m = x.len() / self.inputs;
        assert!(
            m <= MOST_ROWS && x.len() == m * self.inputs,
            "{m} rows of {} values",
            self.inputs
        );
        let panel_bytes = self.panel_bytes();
        let few = Few {
            format: &self.format,
            groups: self.inputs / self.format.group,
            records: self.all()[panel * panel_bytes..].as_ptr(),
            panel_bytes,
            x: x.as_ptr(),
            inputs: self.inputs,
            m,
            c,
            ldc,
            columns: (self.outputs - panel * PANEL).min(PANELS * PANEL),
            accumulate,
        };
        // SAFETY: the weight has these panels, and the caller vouches for the outputs.
        unsafe { multiply(isa, &few) };
    }
}

dispatch! {
    /// Computes one [`Few`].
    ///
    /// # Safety
    /// Its pointers are valid for the extents it names.
    unsafe fn multiply(isa; few: &Few<'_>) = multiply_lanes
}

#[inline(always)]
unsafe fn multiply_lanes<V: Lanes>(few: &Few<'_>) {
    // SAFETY: passed on.
    unsafe {
        match few.format.width {
            Width::Four => multiply_codes::<V, Four>(few),
            Width::Eight => multiply_codes::<V, Eight>(few),
        }
    }
}

#[inline(always)]
unsafe fn multiply_codes<V: Lanes, C: Code>(few: &Few<'_>) {
    macro_rules! rows {
        ($few:expr, $columns:literal, $($m:literal: $panels:literal)*) => {
            match $few.m {
                // SAFETY: passed on.
                $($m => unsafe { multiply_rows::<V, C, $m, $panels, $columns>($few) },)*
                m => debug_assert!(m == 0, "at most {MOST_ROWS} rows"),
            }
        };
    }
    if const { holds_both::<V>() } {
        rows!(few, 2, 1:2 2:2 3:2 4:2 5:1 6:1 7:1 8:1);
    } else {
        // The codes are decoded again for the other rows, which costs less than sums that do not stay in registers.
        let step = evenly(few.m, FEWER_ROWS);
        for row in (0..few.m).step_by(step) {
            let part = Few {
                m: step.min(few.m - row),
                x: few.x.wrapping_add(row * few.inputs),
                c: few.c.wrapping_add(row * few.ldc),
                ..*few
            };
            rows!(&part, 1, 1:1 2:1 3:1 4:1);
        }
    }
}

/// All panels of a call, `P` at a time while there are so many, then singly; of each `W` times sixteen columns at a time.
#[inline(always)]
unsafe fn multiply_rows<V: Lanes, C: Code, const M: usize, const P: usize, const W: usize>(
    few: &Few<'_>,
) {
    let mut panel = 0;
    // SAFETY: the panels and columns are those of the call.
    unsafe {
        while (panel + P) * PANEL <= few.columns {
            let c = few.c.add(panel * PANEL);
            multiply_panels::<V, C, M, P, W>(few, panel, c, few.ldc);
            panel += P;
        }
        while panel * PANEL < few.columns {
            let c = few.c.add(panel * PANEL);
            let columns = PANEL.min(few.columns - panel * PANEL);
            if columns == PANEL {
                multiply_panels::<V, C, M, 1, W>(few, panel, c, few.ldc);
            } else {
                // A narrow last panel is computed whole, in a buffer of its own.
                let mut buffer = [[0f32; PANEL]; M];
                for (m, own) in buffer.iter_mut().enumerate() {
                    let row = std::slice::from_raw_parts(c.add(m * few.ldc), columns);
                    own[..columns].copy_from_slice(row);
                }
                multiply_panels::<V, C, M, 1, W>(few, panel, buffer.as_mut_ptr().cast(), PANEL);
                for (m, own) in buffer.iter().enumerate() {
                    let row = std::slice::from_raw_parts_mut(c.add(m * few.ldc), columns);
                    row.copy_from_slice(&own[..columns]);
                }
            }
            panel += 1;
        }
    }
}

#[inline(always)]
unsafe fn multiply_panels<V: Lanes, C: Code, const M: usize, const P: usize, const W: usize>(
    few: &Few<'_>,
    panel: usize,
    c: *mut f32,
    ldc: usize,
) {
    for column in (0..PANEL).step_by(16 * W) {
        // SAFETY: the columns are those of the panels.
        unsafe { chains::<V, C, M, P, W>(few, panel, column, c.add(column), ldc) };
    }
}

#[inline(always)]
unsafe fn chains<V: Lanes, C: Code, const M: usize, const P: usize, const W: usize>(
    few: &Few<'_>,
    panel: usize,
    column: usize,
    c: *mut f32,
    ldc: usize,
) {
    let format = few.format;
    // SAFETY: the pointers are valid for the extents that the call names.
    unsafe {
        let zeros = [V::splat(0.0); W];
        let mut acc = [[zeros; M]; P];
        if few.accumulate {
            for (p, acc) in acc.iter_mut().enumerate() {
                for (m, row) in acc.iter_mut().enumerate() {
                    let c = c.add(m * ldc + p * PANEL);
                    for (w, lanes) in row.iter_mut().enumerate() {
                        *lanes = V::load(c.add(16 * w));
                    }
                }
            }
        }
        let table = V::load(format.table.as_ptr());
        let mut record = few.records.add(panel * few.panel_bytes);
        let mut x = few.x;
        for _ in 0..few.groups {
            let mut scaling = [(zeros, zeros); P];
            for (p, scaling) in scaling.iter_mut().enumerate() {
                *scaling = factors::<V, W>(format, record.add(p * few.panel_bytes), column);
            }
            let mut codes = record.add(format.codes_at() + column / 16 * C::APART);
            for _ in 0..format.group / STEP {
                let mut open = [zeros; P];
                for (p, open) in open.iter_mut().enumerate() {
                    let codes = codes.add(p * few.panel_bytes);
                    prefetch::<V, C>(codes);
                    *open = C::open::<V, W>(codes);
                }
                // Written out, since the compiler keeps the loop and its counter otherwise.
                macro_rules! inputs {
                    ($($k:literal)*) => { $({
                        let mut values = [zeros; P];
                        for p in 0..P {
                            let codes = codes.add(p * few.panel_bytes);
                            let numbers = C::next(&mut open[p], codes, $k, table);
                            let (scale, minimum) = scaling[p];
                            for w in 0..W {
                                values[p][w] = numbers[w].mul_add(scale[w], minimum[w]);
                            }
                        }
                        for m in 0..M {
                            let x = V::splat(*x.add(m * few.inputs + $k));
                            for (acc, values) in acc.iter_mut().zip(&values) {
                                for (lanes, value) in acc[m].iter_mut().zip(values) {
                                    *lanes = x.mul_add(*value, *lanes);
                                }
                            }
                        }
                    })* };
                }
                inputs!(0 1 2 3 4 5 6 7);
                codes = codes.add(C::BYTES);
                x = x.add(STEP);
            }
            record = record.add(format.record());
        }
        for (p, acc) in acc.iter().enumerate() {
            for (m, row) in acc.iter().enumerate() {
                let c = c.add(m * ldc + p * PANEL);
                for (w, lanes) in row.iter().enumerate() {
                    lanes.store(c.add(16 * w));
                }
            }
        }
    }
}
