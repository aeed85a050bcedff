//! A weight matrix in the order in which the inner loop reads it.

use super::codes::{CodedRows, Codes};
use super::lanes::bf16_bits;
use super::tile::{PANEL, Panel};
use rayon::prelude::*;

/// In what arithmetic a product with a weight is computed; sums are `f32` in both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Precision {
    /// `f32` factors.
    #[default]
    F32,
    /// Both factors rounded to bf16.
    Bf16,
}

impl Precision {
    /// Steps of the inner loop over so many inputs: each, or pairs of them.
    pub(super) fn steps(self, inputs: usize) -> usize {
        match self {
            Self::F32 => inputs,
            Self::Bf16 => inputs.div_ceil(2),
        }
    }
}

/// A weight `[out, in]` as panels of 32 outputs: `[out / 32][in][32]`, the last panel padded with zeros.
///
/// Values that are exact in bf16 are kept as bf16, at half the bytes and no loss; all others as `f32`, or as the codes
/// that they were given as. A weight for bf16 arithmetic is rounded, and then has two inputs in a value:
/// `[out / 32][in / 2][32]`, the last pair filled up with zero.
#[derive(Debug, Clone)]
pub struct PackedWeight {
    outputs: usize,
    inputs: usize,
    values: Values,
}

#[derive(Debug, Clone)]
enum Values {
    F32(Vec<f32>),
    Bf16(Vec<u16>),
    /// Two bf16 values in each, the earlier input in the low bits.
    Pairs(Vec<u32>),
    Codes(Codes),
    /// Rows of one after those of another.
    Parts(Vec<PackedWeight>),
}

impl PackedWeight {
    /// Packs row-major `rows`, `[outputs, inputs]`.
    ///
    /// # Panics
    /// When `rows` does not hold `outputs * inputs` values, or either is zero.
    pub fn new(rows: &[f32], outputs: usize, inputs: usize) -> Self {
        assert_eq!(
            rows.len(),
            outputs * inputs,
            "a weight of {outputs} x {inputs}"
        );
        assert!(outputs > 0 && inputs > 0, "an empty weight");
        let exact = rows
            .par_chunks(1 << 16)
            .all(|part| part.iter().all(|x| x.to_bits().trailing_zeros() >= 16));
        let values = if exact {
            let bits = |row: &[f32], k: usize| (row[k].to_bits() >> 16) as u16;
            Values::Bf16(pack(rows, outputs, inputs, inputs, bits))
        } else {
            Values::F32(pack(rows, outputs, inputs, inputs, |row, k| row[k]))
        };
        Self {
            outputs,
            inputs,
            values,
        }
    }

    /// Packs row-major `rows`, `[outputs, inputs]`, for arithmetic in this precision.
    ///
    /// # Panics
    /// As [`PackedWeight::new`].
    pub fn in_precision(rows: &[f32], outputs: usize, inputs: usize, precision: Precision) -> Self {
        if precision == Precision::F32 {
            return Self::new(rows, outputs, inputs);
        }
        assert_eq!(
            rows.len(),
            outputs * inputs,
            "a weight of {outputs} x {inputs}"
        );
        assert!(outputs > 0 && inputs > 0, "an empty weight");
        let high = |row: &[f32], k: usize| row.get(2 * k + 1).copied().unwrap_or(0.0);
        let pair = |row: &[f32], k: usize| bf16_pair(row[2 * k], high(row, k));
        let values = Values::Pairs(pack(rows, outputs, inputs, precision.steps(inputs), pair));
        Self {
            outputs,
            inputs,
            values,
        }
    }

    /// Packs codes, whose values are what they stand for.
    ///
    /// # Panics
    /// When the parts of `rows` do not fit each other, or it is empty.
    pub fn coded(rows: &CodedRows<'_>) -> Self {
        let values = Values::Codes(Codes::new(rows));
        Self {
            outputs: rows.outputs,
            inputs: rows.inputs,
            values,
        }
    }

    /// The rows of some weights after one another, each held as it is.
    ///
    /// # Panics
    /// When there are none, or their inputs differ.
    pub fn joined(mut parts: Vec<Self>) -> Self {
        let inputs = parts.first().map_or(0, Self::inputs);
        assert!(
            inputs > 0 && parts.iter().all(|part| part.inputs == inputs),
            "weights of {inputs} inputs"
        );
        if parts.len() == 1 {
            return parts.swap_remove(0);
        }
        Self {
            outputs: parts.iter().map(Self::outputs).sum(),
            inputs,
            values: Values::Parts(parts),
        }
    }

    /// Rows of the weight.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// Columns of the weight.
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        match &self.values {
            Values::F32(v) => size_of_val(v.as_slice()),
            Values::Bf16(v) => size_of_val(v.as_slice()),
            Values::Pairs(v) => size_of_val(v.as_slice()),
            Values::Codes(codes) => codes.bytes(),
            Values::Parts(parts) => parts.iter().map(Self::bytes).sum(),
        }
    }

    /// Names of the types in which the values are held: `f32`, `bf16`, or those of codes.
    pub fn dtypes(&self) -> Vec<&'static str> {
        match &self.values {
            Values::F32(_) => vec!["f32"],
            Values::Bf16(_) | Values::Pairs(_) => vec!["bf16"],
            Values::Codes(codes) => vec![codes.name()],
            Values::Parts(parts) => parts.iter().flat_map(Self::dtypes).collect(),
        }
    }

    /// The weights whose rows these are, where there are several.
    pub(super) fn parts(&self) -> Option<&[Self]> {
        match &self.values {
            Values::Parts(parts) => Some(parts),
            Values::F32(_) | Values::Bf16(_) | Values::Pairs(_) | Values::Codes(_) => None,
        }
    }

    /// The codes, where the weight is held as such.
    pub(super) fn codes(&self) -> Option<&Codes> {
        match &self.values {
            Values::Codes(codes) => Some(codes),
            Values::F32(_) | Values::Bf16(_) | Values::Pairs(_) | Values::Parts(_) => None,
        }
    }

    /// The arithmetic it is packed for.
    pub fn precision(&self) -> Precision {
        match self.values {
            Values::F32(_) | Values::Bf16(_) | Values::Codes(_) | Values::Parts(_) => {
                Precision::F32
            }
            Values::Pairs(_) => Precision::Bf16,
        }
    }

    /// Whether values are held as codes.
    pub(crate) fn is_coded(&self) -> bool {
        match &self.values {
            Values::Codes(_) => true,
            Values::Parts(parts) => parts.iter().any(Self::is_coded),
            Values::F32(_) | Values::Bf16(_) | Values::Pairs(_) => false,
        }
    }

    /// The transpose, `[inputs, outputs]`, for arithmetic in the same precision.
    pub(crate) fn turned(&self) -> Self {
        let rows = self.to_rows();
        let mut turned = vec![0f32; rows.len()];
        let isa = super::isa::Isa::detect();
        super::backward::transpose(isa, &rows, self.outputs, self.inputs, &mut turned);
        Self::in_precision(&turned, self.inputs, self.outputs, self.precision())
    }

    /// Row `index` of the weight, written to `out` (`inputs` values).
    ///
    /// # Panics
    /// When `index` or the length of `out` does not fit the weight.
    pub fn copy_row(&self, index: usize, out: &mut [f32]) {
        assert!(
            index < self.outputs && out.len() == self.inputs,
            "row {index} of {}",
            self.outputs
        );
        let first = index / PANEL * PANEL * self.steps() + index % PANEL;
        match &self.values {
            Values::F32(v) => {
                for (o, x) in out.iter_mut().zip(v[first..].iter().step_by(PANEL)) {
                    *o = *x;
                }
            }
            Values::Bf16(v) => {
                for (o, x) in out.iter_mut().zip(v[first..].iter().step_by(PANEL)) {
                    *o = f32::from_bits(u32::from(*x) << 16);
                }
            }
            Values::Pairs(v) => {
                for (o, x) in out.chunks_mut(2).zip(v[first..].iter().step_by(PANEL)) {
                    let pair = [x << 16, x & 0xffff_0000].map(f32::from_bits);
                    o.copy_from_slice(&pair[..o.len()]);
                }
            }
            Values::Codes(codes) => codes.copy_row(index, out),
            Values::Parts(parts) => {
                let mut index = index;
                for part in parts {
                    if index < part.outputs {
                        return part.copy_row(index, out);
                    }
                    index -= part.outputs;
                }
            }
        }
    }

    /// The values held, row-major `[outputs, inputs]`: those that were given, bit for bit, unless they were rounded.
    pub fn to_rows(&self) -> Vec<f32> {
        let mut rows = vec![0f32; self.outputs * self.inputs];
        rows.par_chunks_mut(self.inputs)
            .enumerate()
            .for_each(|(n, row)| self.copy_row(n, row));
        rows
    }

    /// Steps of the inner loop.
    fn steps(&self) -> usize {
        self.precision().steps(self.inputs)
    }

    /// Number of panels.
    pub(super) fn panels(&self) -> usize {
        self.outputs.div_ceil(PANEL)
    }

    /// Panel `index`, from step `k` on, `None` where the values are held as codes or in parts.
    pub(super) fn panel(&self, index: usize, k: usize) -> Option<Panel> {
        let first = (index * self.steps() + k) * PANEL;
        match &self.values {
            Values::F32(v) => Some(Panel::F32(v[first..].as_ptr())),
            Values::Bf16(v) => Some(Panel::Bf16(v[first..].as_ptr())),
            Values::Pairs(v) => Some(Panel::Pairs(v[first..].as_ptr())),
            Values::Codes(_) | Values::Parts(_) => None,
        }
    }
}

/// Two values, each rounded to the nearest bf16, ties to even; the first in the low bits.
pub(super) fn bf16_pair(low: f32, high: f32) -> u32 {
    bf16_bits(low) | bf16_bits(high) << 16
}

/// Panels of `steps` steps; `convert` gives the value of a row's step.
fn pack<T: Copy + Default + Send + Sync>(
    rows: &[f32],
    outputs: usize,
    inputs: usize,
    steps: usize,
    convert: impl Fn(&[f32], usize) -> T + Sync,
) -> Vec<T> {
    let mut packed = vec![T::default(); outputs.div_ceil(PANEL) * PANEL * steps];
    packed
        .par_chunks_mut(PANEL * steps)
        .enumerate()
        .for_each(|(panel, out)| {
            let first = panel * PANEL;
            let count = PANEL.min(outputs - first);
            let rows = &rows[first * inputs..][..count * inputs];
            for (k, out) in out.chunks_exact_mut(PANEL).enumerate() {
                for (n, o) in out[..count].iter_mut().enumerate() {
                    *o = convert(&rows[n * inputs..][..inputs], k);
                }
            }
        });
    packed
}

#[cfg(test)]
mod tests {
    use super::*;
    use half::bf16;

    #[test]
    fn packing_loses_nothing() {
        let odd: Vec<f32> = (0..37 * 5).map(|i| (i as f32).sin()).collect();
        let exact: Vec<f32> = odd
            .iter()
            .map(|x| f32::from_bits(x.to_bits() & 0xffff_0000))
            .collect();
        for (rows, dtype) in [(odd, "f32"), (exact, "bf16")] {
            let packed = PackedWeight::new(&rows, 37, 5);
            assert_eq!(packed.dtypes(), [dtype]);
            assert_eq!(packed.to_rows(), rows);
        }
    }

    #[test]
    fn rounding_is_that_of_half() {
        let special = [
            0.0,
            -0.0,
            f32::INFINITY,
            f32::NAN,
            f32::MAX,
            f32::MIN_POSITIVE,
            1e-42,
        ];
        let some = (0..1 << 16).map(|i: u32| f32::from_bits(i.wrapping_mul(0x9e37_79b1)));
        for x in special.into_iter().chain(some) {
            assert_eq!(bf16_bits(x), u32::from(bf16::from_f32(x).to_bits()), "{x}");
        }
    }

    #[test]
    fn pairs_hold_what_is_rounded() {
        let rows: Vec<f32> = (0..37 * 5).map(|i| (i as f32).sin()).collect();
        let rounded: Vec<f32> = rows.iter().map(|x| bf16::from_f32(*x).to_f32()).collect();
        let packed = PackedWeight::in_precision(&rows, 37, 5, Precision::Bf16);
        assert_eq!(packed.to_rows(), rounded);
        assert_eq!(packed.bytes(), 2 * PANEL * 3 * size_of::<u32>());
    }
}
