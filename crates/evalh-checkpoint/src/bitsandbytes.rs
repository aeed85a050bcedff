//! Weights as bitsandbytes holds them: NF4 and FP4 in blocks, int8 by rows.
//!
//! Blocks are flat: they count the values of the whole tensor in row-major order and straddle rows. (bitsandbytes' own
//! CPU kernel restarts them at every row, which is wrong where a row is no multiple of the block; the values here are
//! those of its definition and of its GPU kernels.)

mod codes;
mod four_bit;
mod mean;
mod round_trip;
mod state;

pub(crate) use four_bit::{FourBit, Nested};
pub use round_trip::{FloatType, Quantization};
pub(crate) use state::QuantState;

use rayon::prelude::*;

/// Rows that one thread converts at a time.
const ROWS_A_TASK: usize = 64;

/// The values of an int8 weight `[rows, columns]` with one scale a row: `weight * SCB / 127`, in this order.
///
/// bitsandbytes' `int8_vectorwise_dequant` multiplies by 1/127 rounded to f32 instead, which differs in the last bit of
/// some values.
pub(crate) fn int8_values(weight: &[u8], scales: &[f32], columns: usize) -> Vec<f32> {
    let mut out = vec![0.0; weight.len()];
    if columns > 0 {
        out.par_chunks_mut(ROWS_A_TASK * columns)
            .zip(weight.par_chunks(ROWS_A_TASK * columns))
            .zip(scales.par_chunks(ROWS_A_TASK))
            .for_each(|((out, weight), scales)| {
                for ((out, weight), scale) in out
                    .chunks_mut(columns)
                    .zip(weight.chunks(columns))
                    .zip(scales)
                {
                    for (out, code) in out.iter_mut().zip(weight) {
                        *out = int8_value(code.cast_signed(), *scale);
                    }
                }
            });
    }
    out
}

fn int8_value(code: i8, scale: f32) -> f32 {
    f32::from(code) * scale / 127.0
}
