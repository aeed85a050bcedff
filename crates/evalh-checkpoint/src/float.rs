//! Little-endian floats of any width to f32.

use half::{bf16, f16, slice::HalfFloatSliceExt};

/// Reads `out.len()` single-precision values.
pub(crate) fn f32_from_le(data: &[u8], out: &mut [f32]) {
    for (bytes, value) in data.as_chunks().0.iter().zip(out) {
        *value = f32::from_le_bytes(*bytes);
    }
}

/// Reads `out.len()` bfloat16 values.
pub(crate) fn bf16_from_le(data: &[u8], out: &mut [f32]) {
    for (bytes, value) in data.as_chunks().0.iter().zip(out) {
        *value = bf16::from_le_bytes(*bytes).to_f32();
    }
}

/// Reads `out.len()` half-precision values.
pub(crate) fn f16_from_le(data: &[u8], out: &mut [f32]) {
    /// Through a buffer that stays in the first-level cache, so that whole slices convert with the processor's own
    /// instruction.
    const BUFFER: usize = 1024;
    let mut buffer = [f16::ZERO; BUFFER];
    for (data, out) in data.chunks(2 * BUFFER).zip(out.chunks_mut(BUFFER)) {
        let halves = &mut buffer[..out.len()];
        for (bytes, half) in data.as_chunks().0.iter().zip(halves.iter_mut()) {
            *half = f16::from_le_bytes(*bytes);
        }
        halves.convert_to_f32_slice(out);
    }
}
