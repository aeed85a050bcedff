//! Two codes a byte, a scale a block.

use super::{codes, round_trip::FloatType};
use crate::StoredDtype;
use rayon::prelude::*;

/// Values that one thread converts at a time; a multiple of every block size.
const VALUES_A_TASK: usize = 1 << 16;

/// Which values the codes stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CodeBook {
    Nf4,
    Fp4,
}

impl CodeBook {
    pub(crate) fn values(self) -> &'static [f32; 16] {
        match self {
            Self::Nf4 => &codes::NF4,
            Self::Fp4 => &codes::FP4,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Nf4 => "nf4",
            Self::Fp4 => "fp4",
        }
    }

    pub(crate) fn stored(self, double: bool) -> StoredDtype {
        match (self, double) {
            (Self::Nf4, false) => StoredDtype::Nf4,
            (Self::Nf4, true) => StoredDtype::Nf4Double,
            (Self::Fp4, false) => StoredDtype::Fp4,
            (Self::Fp4, true) => StoredDtype::Fp4Double,
        }
    }
}

/// A 4-bit tensor of `elements` values: the first of each pair in the high half of its byte.
pub(crate) struct FourBit<'a> {
    pub(crate) codes: &'a [u8],
    pub(crate) book: CodeBook,
    /// The largest magnitude of each block.
    pub(crate) absmax: &'a [f32],
    pub(crate) block: usize,
    /// What each value is rounded to, as `dequantize_4bit` does.
    pub(crate) dtype: FloatType,
}

impl FourBit<'_> {
    /// The first `elements` values.
    pub(crate) fn values(&self, elements: usize) -> Vec<f32> {
        let mut out = vec![0.0; elements];
        out.par_chunks_mut(VALUES_A_TASK)
            .zip(self.codes.par_chunks(VALUES_A_TASK / 2))
            .zip(self.absmax.par_chunks(VALUES_A_TASK / self.block))
            .for_each(|((out, codes), absmax)| {
                let blocks = out
                    .chunks_mut(self.block)
                    .zip(codes.chunks(self.block / 2))
                    .zip(absmax);
                for ((out, codes), absmax) in blocks {
                    let scaled = self
                        .book
                        .values()
                        .map(|value| self.dtype.round(value * absmax));
                    for (pair, byte) in out.chunks_mut(2).zip(codes) {
                        for (value, code) in pair.iter_mut().zip([byte >> 4, byte & 15]) {
                            *value = scaled[usize::from(code)];
                        }
                    }
                }
            });
        out
    }
}

/// Block scales that are quantised themselves, in blocks of 8-bit codes.
pub(crate) struct Nested<'a> {
    pub(crate) codes: &'a [u8],
    pub(crate) map: &'a [f32; 256],
    pub(crate) absmax: &'a [f32],
    pub(crate) block: usize,
    pub(crate) offset: f32,
}

impl Nested<'_> {
    pub(crate) fn values(&self) -> Vec<f32> {
        self.codes
            .chunks(self.block)
            .zip(self.absmax)
            .flat_map(|(codes, absmax)| {
                codes
                    .iter()
                    .map(move |code| self.map[usize::from(*code)] * absmax + self.offset)
            })
            .collect()
    }
}
