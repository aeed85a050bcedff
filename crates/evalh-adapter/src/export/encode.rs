//! f32 values to the bytes of a checkpoint.

use evalh_checkpoint::StoredDtype;
use half::{bf16, f16};

/// The bytes of one value of this type, where it is one that is written.
pub fn width(dtype: StoredDtype) -> Option<usize> {
    match dtype {
        StoredDtype::F32 => Some(4),
        StoredDtype::F16 | StoredDtype::BF16 => Some(2),
        _ => None,
    }
}

/// The values as little-endian bytes, rounded to nearest, ties to even. Only for types that have a [`width`].
pub fn encode(dtype: StoredDtype, values: &[f32]) -> Vec<u8> {
    match dtype {
        StoredDtype::F16 => values
            .iter()
            .flat_map(|&value| f16::from_f32(value).to_le_bytes())
            .collect(),
        StoredDtype::BF16 => values
            .iter()
            .flat_map(|&value| bf16::from_f32(value).to_le_bytes())
            .collect(),
        _ => values
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect(),
    }
}

/// The values of bytes that [`encode`] made.
pub fn decode(dtype: StoredDtype, data: &[u8]) -> Vec<f32> {
    let halves = data.as_chunks::<2>().0.iter();
    match dtype {
        StoredDtype::F16 => halves
            .map(|&bytes| f16::from_le_bytes(bytes).to_f32())
            .collect(),
        StoredDtype::BF16 => halves
            .map(|&bytes| bf16::from_le_bytes(bytes).to_f32())
            .collect(),
        _ => data
            .as_chunks::<4>()
            .0
            .iter()
            .map(|&bytes| f32::from_le_bytes(bytes))
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_round_to_nearest_and_ties_to_even() {
        // bf16 has 8 bits of precision: 1 + 2^-8 lies between 1 and 1 + 2^-7, 1 + 3 * 2^-8 between that and the next.
        let ties = [1.0 + 2f32.powi(-8), 1.0 + 3.0 * 2f32.powi(-8)];
        let expected: Vec<u8> = [0x3f80u16, 0x3f82]
            .iter()
            .flat_map(|bits| bits.to_le_bytes())
            .collect();
        assert_eq!(encode(StoredDtype::BF16, &ties), expected);
        // f16 has 11, and overflows past 65504 + 16.
        let values = [1.0 + 2f32.powi(-11), 65519.0, 65520.0];
        let expected: Vec<u8> = [0x3c00u16, 0x7bff, 0x7c00]
            .iter()
            .flat_map(|bits| bits.to_le_bytes())
            .collect();
        assert_eq!(encode(StoredDtype::F16, &values), expected);
    }
}
