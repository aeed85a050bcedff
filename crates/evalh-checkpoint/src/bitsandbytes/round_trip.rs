//! What quantising a weight at load does to its values.

use super::{
    codes::{DYNAMIC, NEAREST_DYNAMIC},
    four_bit::{CodeBook, Nested},
    int8_value,
    mean::mean,
};
use crate::{CodedTensor, CodedValues, GroupFactors};
use half::{bf16, f16, slice::HalfFloatSliceExt};
use rayon::prelude::*;

/// Values that share a scale, and scales that share one: the sizes that transformers and QLoRA use.
const BLOCK: usize = 64;
const NESTED_BLOCK: usize = 256;

/// Blocks that one thread converts at a time.
const BLOCKS_A_TASK: usize = 256;

/// Smallest divisor of a block, so that zeros stay zeros.
const SMALLEST_ABSMAX: f32 = 1e-38;

/// A way to quantise the weights of linear layers at load, as bitsandbytes does for QLoRA and `LLM.int8()`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Quantization {
    /// 4-bit normal float in flat blocks of 64 (`bnb_4bit_quant_type="nf4"`).
    Nf4,
    /// NF4 whose block scales are quantised to 8 bits (`bnb_4bit_use_double_quant=True`), as QLoRA trains.
    Nf4Double,
    /// 4-bit float in flat blocks of 64 (`bnb_4bit_quant_type="fp4"`).
    Fp4,
    /// 8-bit integers with a scale a row (`load_in_8bit=True`): the weights of `LLM.int8()`. Its activations, which
    /// bitsandbytes quantises too, stay as they are here.
    Int8,
}

/// The type that a model is held in: weights are cast to it before they are quantised, and after.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FloatType {
    /// IEEE single precision.
    F32,
    /// IEEE half precision.
    F16,
    /// bfloat16.
    BF16,
}

impl FloatType {
    /// The nearest value of the type, ties to even.
    pub(crate) fn round(self, value: f32) -> f32 {
        match self {
            Self::F32 => value,
            Self::F16 => f16::from_f32(value).to_f32(),
            Self::BF16 => bf16::from_f32(value).to_f32(),
        }
    }
}

impl Quantization {
    /// Quantises the weight of a linear layer, `[rows, columns]` with the output first, and gives back what a model in
    /// f32 multiplies by.
    ///
    /// bitsandbytes reads the values as f32 whatever type they come from, so a weight that was stored as F16 or BF16
    /// gives the same codes here as there. The product of code and scale is cast to the type of the activations; in f32
    /// that changes nothing. For a model held in half precision see [`round_trip_as`](Self::round_trip_as).
    ///
    /// The steps and their rounding are those of bitsandbytes 0.50's CPU backend in one thread (`quantize_4bit`,
    /// `quantize_blockwise`, `int8_vectorwise_quant`), with the flat blocks of its definition to dequantise.
    ///
    /// # Panics
    /// When there are not `rows * columns` values.
    pub fn round_trip(&self, values: &mut [f32], rows: usize, columns: usize) {
        self.round_trip_as(values, rows, columns, FloatType::F32);
    }

    /// The same for a model that is held and computed in `dtype`: the weight is cast to it first, as loading with
    /// `dtype=` does, and what is multiplied by is cast to it last. int8 weights are not cast last, since bitsandbytes
    /// multiplies their codes and scales the product.
    ///
    /// # Panics
    /// When there are not `rows * columns` values.
    pub fn round_trip_as(&self, values: &mut [f32], rows: usize, columns: usize, dtype: FloatType) {
        assert_eq!(
            Some(values.len()),
            rows.checked_mul(columns),
            "a weight of {rows} rows and {columns} columns has another number of values"
        );
        if values.is_empty() {
            return;
        }
        match dtype {
            FloatType::F32 => {}
            FloatType::F16 => values
                .par_chunks_mut(BLOCKS_A_TASK * BLOCK)
                .for_each(through_f16),
            FloatType::BF16 => values
                .par_iter_mut()
                .for_each(|value| *value = dtype.round(*value)),
        }
        match self {
            Self::Nf4 => four_bit(values, CodeBook::Nf4, false, dtype),
            Self::Nf4Double => four_bit(values, CodeBook::Nf4, true, dtype),
            Self::Fp4 => four_bit(values, CodeBook::Fp4, false, dtype),
            Self::Int8 => values.par_chunks_mut(columns).for_each(int8_row),
        }
    }

    /// Whether weights of such rows have [`codes`](Self::codes): 4 bits in rows of whole blocks. (What int8 stands for is
    /// rounded twice, and the blocks of other rows straddle them.)
    pub fn has_codes(&self, columns: usize) -> bool {
        *self != Self::Int8 && columns.is_multiple_of(BLOCK)
    }

    /// The codes of the same weight, `[rows, columns]`, whose values are those of [`round_trip`](Self::round_trip);
    /// `None` where it [has none](Self::has_codes).
    ///
    /// # Panics
    /// When there are not `rows * columns` values.
    pub fn codes(&self, values: &[f32], rows: usize, columns: usize) -> Option<CodedTensor> {
        assert_eq!(
            Some(values.len()),
            rows.checked_mul(columns),
            "a weight of {rows} rows and {columns} columns has another number of values"
        );
        let (book, double) = match self {
            Self::Nf4 => (CodeBook::Nf4, false),
            Self::Nf4Double => (CodeBook::Nf4, true),
            Self::Fp4 => (CodeBook::Fp4, false),
            Self::Int8 => return None,
        };
        if values.is_empty() || !self.has_codes(columns) {
            return None;
        }
        let absmax: Vec<f32> = values.par_chunks(BLOCK).map(absmax).collect();
        let sorted = Sorted::new(book);
        let mut codes = vec![0; values.len() / 2];
        codes
            .par_chunks_mut(BLOCKS_A_TASK * BLOCK / 2)
            .zip(values.par_chunks(BLOCKS_A_TASK * BLOCK))
            .zip(absmax.par_chunks(BLOCKS_A_TASK))
            .for_each(|((codes, values), absmax)| {
                let blocks = values.as_chunks::<BLOCK>().0.iter();
                for ((block, absmax), out) in blocks.zip(absmax).zip(codes.chunks_mut(BLOCK / 2)) {
                    let places = sorted.places(&normalised(*block, *absmax));
                    for (out, pair) in out.iter_mut().zip(places.as_chunks::<2>().0) {
                        *out = (pair[0] | pair[1] << 4) as u8;
                    }
                }
            });
        Some(CodedTensor {
            name: self.name(),
            rows,
            columns,
            group: BLOCK,
            codes: CodedValues::Four {
                codes,
                table: sorted.values,
            },
            scales: GroupFactors::F32(if double {
                double_quantised(&absmax)
            } else {
                absmax
            }),
            minimums: None,
        })
    }

    /// The name people give on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nf4 => "nf4",
            Self::Nf4Double => "nf4-double",
            Self::Fp4 => "fp4",
            Self::Int8 => "int8",
        }
    }
}

fn four_bit(values: &mut [f32], book: CodeBook, double: bool, dtype: FloatType) {
    let absmax: Vec<f32> = values
        .par_chunks(BLOCK)
        .map(|block| {
            let absmax = absmax(block);
            // Only the last, partial block's own scale is kept from zero.
            if block.len() < BLOCK {
                at_least(absmax, SMALLEST_ABSMAX)
            } else {
                absmax
            }
        })
        .collect();
    let scales = if double {
        double_quantised(&absmax)
    } else {
        absmax.clone()
    };
    let sorted = Sorted::new(book);
    values
        .par_chunks_mut(BLOCKS_A_TASK * BLOCK)
        .zip(absmax.par_chunks(BLOCKS_A_TASK))
        .zip(scales.par_chunks(BLOCKS_A_TASK))
        .for_each(|((values, absmax), scales)| {
            for ((block, absmax), scale) in values.chunks_mut(BLOCK).zip(absmax).zip(scales) {
                if block.len() < BLOCK {
                    for value in block.iter_mut() {
                        *value /= absmax;
                    }
                } else if let Some(block) = block.as_mut_array::<BLOCK>() {
                    *block = normalised(*block, *absmax);
                }
                let scaled = sorted.values.map(|value| dtype.round(value * scale));
                let places = sorted.places(block);
                for (value, place) in block.iter_mut().zip(places) {
                    *value = scaled[place as usize];
                }
            }
        });
}

/// A whole block's values over the largest magnitude, as bitsandbytes computes them: times its inverse.
fn normalised(mut block: [f32; BLOCK], absmax: f32) -> [f32; BLOCK] {
    let inverse = 1.0 / at_least(absmax, SMALLEST_ABSMAX);
    for value in &mut block {
        *value *= inverse;
    }
    block
}

/// A code book in the order of its values, and the bounds between them.
struct Sorted {
    values: [f32; 16],
    bounds: [f32; 15],
}

impl Sorted {
    fn new(book: CodeBook) -> Self {
        let mut values = *book.values();
        values.sort_by(f32::total_cmp);
        let mut bounds = [0.0; 15];
        for (bound, pair) in bounds.iter_mut().zip(values.windows(2)) {
            *bound = f32::midpoint(pair[0], pair[1]);
        }
        Self { values, bounds }
    }

    /// The places of the values that stand for those of a block: at a bound the lower one, and the last for NaN
    /// (`torch.bucketize`). The bounds need no clamp of what is a rounding outside of -1 to 1.
    fn places(&self, block: &[f32]) -> [u32; BLOCK] {
        // Bound by bound, so that the processor compares several values at a time.
        let mut places = [self.bounds.len() as u32; BLOCK];
        for bound in self.bounds {
            for (place, value) in places.iter_mut().zip(block) {
                *place -= u32::from(bound >= *value);
            }
        }
        places
    }
}

/// The largest magnitude; NaN where there is one. Of numbers without a sign the bits have the order of the values, and
/// those of NaN are the largest.
fn absmax(block: &[f32]) -> f32 {
    let bits = block.iter().map(|value| value.abs().to_bits());
    f32::from_bits(bits.fold(0, u32::max))
}

/// `clamp(min=...)`, which keeps NaN.
fn at_least(value: f32, least: f32) -> f32 {
    if value < least { least } else { value }
}

/// Block scales after quantisation to 8 bits around their mean.
fn double_quantised(absmax: &[f32]) -> Vec<f32> {
    let offset = mean(absmax);
    let centred: Vec<f32> = absmax.iter().map(|value| value - offset).collect();
    let mut codes = Vec::with_capacity(centred.len());
    let mut scales = Vec::with_capacity(centred.len().div_ceil(NESTED_BLOCK));
    for block in centred.chunks(NESTED_BLOCK) {
        let largest = block.iter().fold(0.0f32, |max, value| max.max(value.abs()));
        let inverse = 1.0 / largest;
        codes.extend(block.iter().map(|value| dynamic_code(value * inverse)));
        scales.push(largest);
    }
    Nested {
        codes: &codes,
        map: &DYNAMIC,
        absmax: &scales,
        block: NESTED_BLOCK,
        offset,
    }
    .values()
}

/// The code that bitsandbytes' CPU quantiser looks up; 0 for NaN, which a block of zeros gives.
fn dynamic_code(x: f32) -> u8 {
    let place = (x + 1.0) * 32767.5 + 0.5;
    NEAREST_DYNAMIC[usize::from(place as u16)]
}

fn int8_row(row: &mut [f32]) {
    through_f16(row);
    let scale = absmax(row);
    // torch divides a number by a tensor with two roundings.
    let inverse = (1.0 / scale) * 127.0;
    for value in row {
        *value = int8_value(to_nearest_even(*value * inverse) as i8, scale);
    }
}

/// Casts to half precision and back with the processor's own instruction, where it has one.
fn through_f16(values: &mut [f32]) {
    const BUFFER: usize = 1024;
    let mut buffer = [f16::ZERO; BUFFER];
    for chunk in values.chunks_mut(BUFFER) {
        let halves = &mut buffer[..chunk.len()];
        halves.convert_from_f32_slice(chunk);
        halves.convert_to_f32_slice(chunk);
    }
}

/// The nearest integer, ties to even, of a number between -2^22 and 2^22: adding and taking away 1.5 * 2^23 leaves no
/// bits for a fraction. Plain arithmetic runs in vector registers on every processor, rounding does not.
fn to_nearest_even(x: f32) -> f32 {
    const NO_FRACTION: f32 = 12_582_912.0;
    (x + NO_FRACTION) - NO_FRACTION
}
