//! A weight held as codes: a few bits a value, and a scale a group of values.
//!
//! A value is `table[code] * scale + minimum` or `code * scale + minimum`, rounded once, and never stored. Where many
//! rows are multiplied, panels are written out as `f32` in the cache and serve all of them ([`Codes::expand`]); for a
//! few rows the values live in registers only ([`Codes::multiply_few`]), and reading the codes is all the memory does.

mod decode;
mod few;
mod pack;

pub(super) use few::{MOST_ROWS as FEW_ROWS, PANELS as PANELS_OF_CODES};
pub use pack::{CodeValues, CodedRows, Factors};

use super::isa::Isa;
use super::lanes::f16_value;
use super::tile::PANEL;
use decode::Expand;

/// A weight `[outputs, inputs]` as panels of 32 outputs; a panel is a record for each group of inputs.
///
/// A record has the group's 32 scales, its 32 minimums where there are any, and the codes: of 4 bits, a word of eight
/// inputs an output, 32 words after one another; of 8 bits, 32 bytes an input. All begin at a multiple of 64 bytes. The
/// last panel is padded with zeros.
#[derive(Debug, Clone)]
pub(super) struct Codes {
    name: &'static str,
    outputs: usize,
    inputs: usize,
    format: Format,
    records: Vec<Line>,
}

/// How a record is read.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Format {
    /// Inputs that share a scale, a multiple of 8.
    group: usize,
    width: Width,
    /// What codes of 4 bits stand for.
    table: [f32; 16],
    /// Whether scales and minimums are half-precision numbers, else `f32`.
    halves: bool,
    minimums: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Width {
    Four,
    Eight,
}

/// Bytes that are loaded together.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
struct Line([u8; 64]);

impl Format {
    /// Bytes of 32 scales, or of 32 minimums.
    const fn factors(&self) -> usize {
        PANEL * if self.halves { 2 } else { 4 }
    }

    /// Where the codes begin in a record.
    const fn codes_at(&self) -> usize {
        self.factors() * if self.minimums { 2 } else { 1 }
    }

    /// Bytes of a record.
    const fn record(&self) -> usize {
        let code_bits = match self.width {
            Width::Four => 4,
            Width::Eight => 8,
        };
        self.codes_at() + PANEL * self.group * code_bits / 8
    }

    /// One of 32 scales or minimums.
    fn factor(&self, factors: &[u8], lane: usize) -> f32 {
        if self.halves {
            let at = 2 * lane;
            f16_value(u16::from_le_bytes([factors[at], factors[at + 1]]))
        } else {
            let at = 4 * lane;
            f32::from_le_bytes([
                factors[at],
                factors[at + 1],
                factors[at + 2],
                factors[at + 3],
            ])
        }
    }
}

impl Codes {
    /// Name of the type of the codes.
    pub(super) fn name(&self) -> &'static str {
        self.name
    }

    /// Bytes held.
    pub(super) fn bytes(&self) -> usize {
        size_of_val(self.records.as_slice())
    }

    fn panel_bytes(&self) -> usize {
        self.inputs / self.format.group * self.format.record()
    }

    fn all(&self) -> &[u8] {
        // SAFETY: lines are bytes without gaps, and as many as asked for.
        unsafe { std::slice::from_raw_parts(self.records.as_ptr().cast(), self.bytes()) }
    }

    /// Row `index` of the weight, written to `out` (`inputs` values).
    pub(super) fn copy_row(&self, index: usize, out: &mut [f32]) {
        let (format, size, lane) = (&self.format, self.panel_bytes(), index % PANEL);
        let panel = &self.all()[index / PANEL * size..][..size];
        let records = panel.chunks_exact(format.record());
        for (record, out) in records.zip(out.chunks_exact_mut(format.group)) {
            let (factors, codes) = record.split_at(format.codes_at());
            let scale = format.factor(factors, lane);
            let minimum = format
                .minimums
                .then(|| format.factor(&factors[format.factors()..], lane));
            let value = |number: f32| match minimum {
                Some(minimum) => number.mul_add(scale, minimum),
                None => number * scale,
            };
            match format.width {
                Width::Four => {
                    let words = codes.chunks_exact(4 * PANEL);
                    for (out, words) in out.chunks_exact_mut(8).zip(words) {
                        for (pair, byte) in out.chunks_exact_mut(2).zip(&words[4 * lane..]) {
                            pair[0] = value(format.table[usize::from(byte & 15)]);
                            pair[1] = value(format.table[usize::from(byte >> 4)]);
                        }
                    }
                }
                Width::Eight => {
                    for (out, byte) in out.iter_mut().zip(codes[lane..].iter().step_by(PANEL)) {
                        *out = value(f32::from(byte.cast_signed()));
                    }
                }
            }
        }
    }

    /// Writes the values of a panel's inputs from `k` on, `[out.len() / 32][32]`.
    ///
    /// # Panics
    /// When the inputs asked for are not whole groups of the weight.
    pub(super) fn expand(&self, isa: Isa, panel: usize, k: usize, out: &mut [f32]) {
        let (format, count) = (&self.format, out.len() / PANEL);
        let whole = |n: usize| n.is_multiple_of(format.group);
        assert!(
            out.len() == count * PANEL && whole(k) && whole(count) && k + count <= self.inputs,
            "inputs {k}..{} of {} in groups of {}",
            k + count,
            self.inputs,
            format.group
        );
        let first = panel * self.panel_bytes() + k / format.group * format.record();
        let expand = Expand {
            format,
            groups: count / format.group,
            records: self.all()[first..].as_ptr(),
            out: out.as_mut_ptr(),
        };
        // SAFETY: the panel has the groups from `k` on, and `out` room for their values, as asserted.
        unsafe { decode::expand(isa, &expand) };
    }
}

#[cfg(test)]
mod tests;
