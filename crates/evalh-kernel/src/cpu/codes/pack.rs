//! From codes in rows to codes in panels.

use super::{Codes, Format, Line, Width};
use crate::cpu::tile::PANEL;
use rayon::prelude::*;

/// A weight `[outputs, inputs]` as codes, row-major.
///
/// The value of an input is `number * scale + minimum`, rounded once, where the code's number is what it stands for and
/// scale and minimum are those of its group; without minimums it is the product, rounded.
#[derive(Debug, Clone, Copy)]
pub struct CodedRows<'a> {
    /// Name of the type, such as `q4_1`.
    pub name: &'static str,
    /// Rows.
    pub outputs: usize,
    /// Columns, a multiple of `group`.
    pub inputs: usize,
    /// Neighbours in a row that share a scale, a multiple of 8.
    pub group: usize,
    /// One for each value.
    pub codes: CodeValues<'a>,
    /// One for each group.
    pub scales: Factors<'a>,
    /// One for each group, in the form of the scales.
    pub minimums: Option<Factors<'a>>,
}

/// Codes of a weight, row-major.
#[derive(Debug, Clone, Copy)]
pub enum CodeValues<'a> {
    /// Two a byte, the first in the low half.
    Four {
        /// Half a byte for each value.
        codes: &'a [u8],
        /// The number that each code stands for.
        table: &'a [f32; 16],
    },
    /// Each its own number, in two's complement.
    Eight(&'a [u8]),
}

/// Scales or minimums, row-major. All are finite.
#[derive(Debug, Clone, Copy)]
pub enum Factors<'a> {
    /// IEEE half precision, as bits.
    F16(&'a [u16]),
    /// Single precision.
    F32(&'a [f32]),
}

impl Factors<'_> {
    fn len(self) -> usize {
        match self {
            Self::F16(bits) => bits.len(),
            Self::F32(values) => values.len(),
        }
    }

    /// Writes one as the lane's, into room for 32.
    fn write(self, index: usize, lane: usize, out: &mut [u8]) {
        match self {
            Self::F16(bits) => out[2 * lane..][..2].copy_from_slice(&bits[index].to_le_bytes()),
            Self::F32(values) => out[4 * lane..][..4].copy_from_slice(&values[index].to_le_bytes()),
        }
    }
}

impl CodedRows<'_> {
    /// # Panics
    /// When the parts do not fit each other.
    fn format(&self) -> Format {
        let Self {
            outputs,
            inputs,
            group,
            ..
        } = *self;
        assert!(outputs > 0 && inputs > 0, "an empty weight");
        assert!(
            group > 0 && group.is_multiple_of(8) && inputs.is_multiple_of(group),
            "{inputs} inputs in groups of {group}"
        );
        let (width, codes, table) = match self.codes {
            CodeValues::Four { codes, table } => (Width::Four, codes.len() * 2, *table),
            CodeValues::Eight(codes) => (Width::Eight, codes.len(), [0.0; 16]),
        };
        assert_eq!(codes, outputs * inputs, "codes of {outputs} x {inputs}");
        let halves = matches!(self.scales, Factors::F16(_));
        for factors in std::iter::once(&self.scales).chain(&self.minimums) {
            assert_eq!(factors.len(), codes / group, "groups of {group}");
            assert_eq!(matches!(factors, Factors::F16(_)), halves, "one form");
        }
        Format {
            group,
            width,
            table,
            halves,
            minimums: self.minimums.is_some(),
        }
    }

    /// Writes a group of one row into its record, as the lane's.
    fn write(&self, format: &Format, row: usize, group: usize, lane: usize, record: &mut [u8]) {
        let index = row * (self.inputs / self.group) + group;
        let (factors, out) = record.split_at_mut(format.codes_at());
        self.scales.write(index, lane, factors);
        if let Some(minimums) = self.minimums {
            minimums.write(index, lane, &mut factors[format.factors()..]);
        }
        match self.codes {
            CodeValues::Four { codes, .. } => {
                let codes = &codes[index * self.group / 2..][..self.group / 2];
                for (out, word) in out.chunks_exact_mut(4 * PANEL).zip(codes.chunks_exact(4)) {
                    out[4 * lane..][..4].copy_from_slice(word);
                }
            }
            CodeValues::Eight(codes) => {
                let codes = &codes[index * self.group..][..self.group];
                for (out, code) in out.chunks_exact_mut(PANEL).zip(codes) {
                    out[lane] = *code;
                }
            }
        }
    }
}

impl Codes {
    /// Packs a weight.
    ///
    /// # Panics
    /// When the parts of `rows` do not fit each other, or it is empty.
    pub(in crate::cpu) fn new(rows: &CodedRows<'_>) -> Self {
        let format = rows.format();
        let groups = rows.inputs / rows.group;
        let panel_lines = groups * format.record() / size_of::<Line>();
        let panels = rows.outputs.div_ceil(PANEL);
        let mut records = vec![Line([0; 64]); panels * panel_lines];
        records
            .par_chunks_mut(panel_lines)
            .enumerate()
            .for_each(|(panel, lines)| {
                let first = panel * PANEL;
                let lanes = PANEL.min(rows.outputs - first);
                // SAFETY: lines are bytes without gaps.
                let bytes = unsafe {
                    std::slice::from_raw_parts_mut(
                        lines.as_mut_ptr().cast::<u8>(),
                        size_of_val(lines),
                    )
                };
                for (group, record) in bytes.chunks_exact_mut(format.record()).enumerate() {
                    for lane in 0..lanes {
                        rows.write(&format, first + lane, group, lane, record);
                    }
                }
            });
        Self {
            name: rows.name,
            outputs: rows.outputs,
            inputs: rows.inputs,
            format,
            records,
        }
    }
}
