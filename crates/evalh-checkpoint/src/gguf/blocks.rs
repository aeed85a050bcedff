//! Block types of ggml and their values in f32.
//!
//! Layouts and the order of operations are those of ggml's `dequantize_row_*` reference functions
//! (<https://github.com/ggml-org/ggml/blob/master/src/ggml-quants.c>).

use super::FormatError;
use crate::{StoredDtype, float};
use half::f16;

/// How a tensor's values are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(non_camel_case_types, reason = "the names are ggml's")]
pub(crate) enum BlockType {
    F32,
    F16,
    BF16,
    Q4_0,
    Q4_1,
    Q5_0,
    Q5_1,
    Q8_0,
    Q2_K,
    Q3_K,
    Q4_K,
    Q5_K,
    Q6_K,
    IQ4_NL,
    IQ4_XS,
}

/// Types that are refused by name, by their number in the file.
const REFUSED: &[(u32, &str)] = &[
    (9, "Q8_1"),
    (15, "Q8_K"),
    (16, "IQ2_XXS"),
    (17, "IQ2_XS"),
    (18, "IQ3_XXS"),
    (19, "IQ1_S"),
    (21, "IQ3_S"),
    (22, "IQ2_S"),
    (24, "I8"),
    (25, "I16"),
    (26, "I32"),
    (27, "I64"),
    (28, "F64"),
    (29, "IQ1_M"),
    (34, "TQ1_0"),
    (35, "TQ2_0"),
    (39, "MXFP4"),
    (40, "NVFP4"),
];

impl BlockType {
    const ALL: [Self; 15] = [
        Self::F32,
        Self::F16,
        Self::BF16,
        Self::Q4_0,
        Self::Q4_1,
        Self::Q5_0,
        Self::Q5_1,
        Self::Q8_0,
        Self::Q2_K,
        Self::Q3_K,
        Self::Q4_K,
        Self::Q5_K,
        Self::Q6_K,
        Self::IQ4_NL,
        Self::IQ4_XS,
    ];

    /// Number in the file, dtype, values a block, bytes a block.
    const fn spec(self) -> (u32, StoredDtype, usize, usize) {
        match self {
            Self::F32 => (0, StoredDtype::F32, 1, 4),
            Self::F16 => (1, StoredDtype::F16, 1, 2),
            Self::BF16 => (30, StoredDtype::BF16, 1, 2),
            Self::Q4_0 => (2, StoredDtype::Q4_0, 32, 18),
            Self::Q4_1 => (3, StoredDtype::Q4_1, 32, 20),
            Self::Q5_0 => (6, StoredDtype::Q5_0, 32, 22),
            Self::Q5_1 => (7, StoredDtype::Q5_1, 32, 24),
            Self::Q8_0 => (8, StoredDtype::Q8_0, 32, 34),
            Self::Q2_K => (10, StoredDtype::Q2_K, 256, 84),
            Self::Q3_K => (11, StoredDtype::Q3_K, 256, 110),
            Self::Q4_K => (12, StoredDtype::Q4_K, 256, 144),
            Self::Q5_K => (13, StoredDtype::Q5_K, 256, 176),
            Self::Q6_K => (14, StoredDtype::Q6_K, 256, 210),
            Self::IQ4_NL => (20, StoredDtype::IQ4_NL, 32, 18),
            Self::IQ4_XS => (23, StoredDtype::IQ4_XS, 256, 136),
        }
    }

    /// The type with a number of the file format.
    pub(super) fn from_id(id: u32, tensor: &str) -> Result<Self, FormatError> {
        Self::ALL
            .into_iter()
            .find(|block| block.spec().0 == id)
            .ok_or_else(|| {
                let name = REFUSED
                    .iter()
                    .find(|(known, _)| *known == id)
                    .map_or("an unknown type", |(_, name)| name);
                let supported = Self::ALL.map(Self::name).join(", ");
                FormatError::unsupported(
                    tensor,
                    format!("{name} (type {id})"),
                    format!("{supported} are; quantise the model to one of these"),
                )
            })
    }

    pub(super) const fn dtype(self) -> StoredDtype {
        self.spec().1
    }

    pub(super) const fn name(self) -> &'static str {
        self.dtype().name()
    }

    /// Values a block.
    pub(super) const fn len(self) -> usize {
        self.spec().2
    }

    /// Bytes a block.
    pub(super) const fn bytes(self) -> usize {
        self.spec().3
    }

    /// The values of whole blocks; `out` has [`len`](Self::len) values for every [`bytes`](Self::bytes) of `data`.
    pub(super) fn dequantise(self, data: &[u8], out: &mut [f32]) {
        match self {
            Self::F32 => float::f32_from_le(data, out),
            Self::F16 => float::f16_from_le(data, out),
            Self::BF16 => float::bf16_from_le(data, out),
            Self::Q4_0 => each(data, out, q4_0),
            Self::Q4_1 => each(data, out, q4_1),
            Self::Q5_0 => each(data, out, q5_0),
            Self::Q5_1 => each(data, out, q5_1),
            Self::Q8_0 => each(data, out, q8_0),
            Self::Q2_K => each(data, out, q2_k),
            Self::Q3_K => each(data, out, q3_k),
            Self::Q4_K => each(data, out, q4_k),
            Self::Q5_K => each(data, out, q5_k),
            Self::Q6_K => each(data, out, q6_k),
            Self::IQ4_NL => each(data, out, iq4_nl),
            Self::IQ4_XS => each(data, out, iq4_xs),
        }
    }
}

/// Unpacks block after block.
fn each<const BYTES: usize, const LEN: usize>(
    data: &[u8],
    out: &mut [f32],
    unpack: impl Fn(&[u8; BYTES], &mut [f32; LEN]),
) {
    for (block, values) in data.as_chunks().0.iter().zip(out.as_chunks_mut().0) {
        unpack(block, values);
    }
}

/// The half-precision number at a fixed place of a block.
fn half<const N: usize>(block: &[u8; N], at: usize) -> f32 {
    f16::from_le_bytes([block[at], block[at + 1]]).to_f32()
}

fn q4_0(block: &[u8; 18], out: &mut [f32; 32]) {
    let scale = half(block, 0);
    let (low, high) = out.split_at_mut(16);
    for ((&q, low), high) in block[2..].iter().zip(low).zip(high) {
        *low = (i32::from(q & 0xF) - 8) as f32 * scale;
        *high = (i32::from(q >> 4) - 8) as f32 * scale;
    }
}

fn q4_1(block: &[u8; 20], out: &mut [f32; 32]) {
    let (scale, minimum) = (half(block, 0), half(block, 2));
    let (low, high) = out.split_at_mut(16);
    for ((&q, low), high) in block[4..].iter().zip(low).zip(high) {
        *low = f32::from(q & 0xF) * scale + minimum;
        *high = f32::from(q >> 4) * scale + minimum;
    }
}

/// The fifth bits of a block of 32.
fn fifth_bits<const N: usize>(block: &[u8; N], at: usize) -> u32 {
    u32::from_le_bytes([block[at], block[at + 1], block[at + 2], block[at + 3]])
}

fn q5_0(block: &[u8; 22], out: &mut [f32; 32]) {
    let (scale, fifths) = (half(block, 0), fifth_bits(block, 2));
    let (low, high) = out.split_at_mut(16);
    for (j, ((&q, low), high)) in block[6..].iter().zip(low).zip(high).enumerate() {
        let (first, second) = (
            ((fifths >> j) & 1) as i32,
            ((fifths >> (j + 16)) & 1) as i32,
        );
        *low = ((i32::from(q & 0xF) | first << 4) - 16) as f32 * scale;
        *high = ((i32::from(q >> 4) | second << 4) - 16) as f32 * scale;
    }
}

fn q5_1(block: &[u8; 24], out: &mut [f32; 32]) {
    let (scale, minimum, fifths) = (half(block, 0), half(block, 2), fifth_bits(block, 4));
    let (low, high) = out.split_at_mut(16);
    for (j, ((&q, low), high)) in block[8..].iter().zip(low).zip(high).enumerate() {
        let (first, second) = ((fifths >> j) & 1, (fifths >> (j + 16)) & 1);
        *low = (u32::from(q & 0xF) | first << 4) as f32 * scale + minimum;
        *high = (u32::from(q >> 4) | second << 4) as f32 * scale + minimum;
    }
}

fn q8_0(block: &[u8; 34], out: &mut [f32; 32]) {
    let scale = half(block, 0);
    for (&q, value) in block[2..].iter().zip(out) {
        *value = f32::from(q as i8) * scale;
    }
}

fn q2_k(block: &[u8; 84], out: &mut [f32; 256]) {
    let (scale, minimum) = (half(block, 80), half(block, 82));
    for (group, values) in out.as_chunks_mut::<16>().0.iter_mut().enumerate() {
        // Groups of 16: of each half of the block, four times two neighbours that share their bytes' bit pair.
        let (side, pair, within) = (group / 8, group % 8 / 2, group % 2);
        let packed = block[group];
        let scale = scale * f32::from(packed & 0xF);
        let minimum = minimum * f32::from(packed >> 4);
        let quants = &block[16 + 32 * side + 16 * within..];
        for (value, q) in values.iter_mut().zip(quants) {
            *value = scale * f32::from((q >> (2 * pair)) & 3) - minimum;
        }
    }
}

fn q3_k(block: &[u8; 110], out: &mut [f32; 256]) {
    let scale = half(block, 108);
    let (thirds, packed) = (&block[..32], &block[96..108]);
    for (group, values) in out.as_chunks_mut::<16>().0.iter_mut().enumerate() {
        let (side, pair, within) = (group / 8, group % 8 / 2, group % 2);
        let low = (packed[group % 8] >> (4 * (group / 8))) & 0xF;
        let high = (packed[8 + group % 4] >> (2 * (group / 4))) & 3;
        let scale = scale * (i32::from(low | high << 4) - 32) as f32;
        let quants = &block[32 + 32 * side + 16 * within..];
        let thirds = &thirds[16 * within..];
        for ((value, q), third) in values.iter_mut().zip(quants).zip(thirds) {
            let low = i32::from((q >> (2 * pair)) & 3);
            let high = i32::from((third >> (4 * side + pair)) & 1);
            *value = scale * (low - 4 * (1 - high)) as f32;
        }
    }
}

/// What the 4 bits of the non-linear types stand for.
const NON_LINEAR: [i8; 16] = [
    -127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113,
];

fn non_linear(quants: &[u8], scale: f32, out: &mut [f32]) {
    let (low, high) = out.split_at_mut(16);
    for ((&q, low), high) in quants.iter().zip(low).zip(high) {
        *low = scale * f32::from(NON_LINEAR[usize::from(q & 0xF)]);
        *high = scale * f32::from(NON_LINEAR[usize::from(q >> 4)]);
    }
}

fn iq4_nl(block: &[u8; 18], out: &mut [f32; 32]) {
    non_linear(&block[2..], half(block, 0), out);
}

fn iq4_xs(block: &[u8; 136], out: &mut [f32; 256]) {
    let (scale, highs) = (half(block, 0), u16::from_le_bytes([block[2], block[3]]));
    let groups = block[8..].as_chunks::<16>().0;
    let values = out.as_chunks_mut::<32>().0;
    for (i, (quants, values)) in groups.iter().zip(values).enumerate() {
        let low = (block[4 + i / 2] >> (4 * (i % 2))) & 0xF;
        let high = ((highs >> (2 * i)) & 3) as u8;
        let scale = scale * (i32::from(low | high << 4) - 32) as f32;
        non_linear(quants, scale, values);
    }
}

/// The scale and minimum of the `j`th of 8 groups of 32: 6 bits each, packed into 12 bytes.
fn scale_and_minimum(packed: &[u8], j: usize) -> (f32, f32) {
    let (scale, minimum) = if j < 4 {
        (packed[j] & 63, packed[j + 4] & 63)
    } else {
        (
            (packed[j + 4] & 0xF) | (packed[j - 4] >> 6) << 4,
            (packed[j + 4] >> 4) | (packed[j] >> 6) << 4,
        )
    };
    (scale.into(), minimum.into())
}

fn q4_k(block: &[u8; 144], out: &mut [f32; 256]) {
    let (scale, minimum, packed) = (half(block, 0), half(block, 2), &block[4..16]);
    let pairs = block[16..]
        .as_chunks::<32>()
        .0
        .iter()
        .zip(out.as_chunks_mut::<64>().0);
    for (pair, (quants, values)) in pairs.enumerate() {
        let (s1, m1) = scale_and_minimum(packed, 2 * pair);
        let (s2, m2) = scale_and_minimum(packed, 2 * pair + 1);
        let (s1, m1, s2, m2) = (scale * s1, minimum * m1, scale * s2, minimum * m2);
        let (low, high) = values.split_at_mut(32);
        for ((&q, low), high) in quants.iter().zip(low).zip(high) {
            *low = s1 * f32::from(q & 0xF) - m1;
            *high = s2 * f32::from(q >> 4) - m2;
        }
    }
}

fn q5_k(block: &[u8; 176], out: &mut [f32; 256]) {
    let (scale, minimum, packed) = (half(block, 0), half(block, 2), &block[4..16]);
    let fifths = &block[16..48];
    let pairs = block[48..]
        .as_chunks::<32>()
        .0
        .iter()
        .zip(out.as_chunks_mut::<64>().0);
    for (pair, (quants, values)) in pairs.enumerate() {
        let (s1, m1) = scale_and_minimum(packed, 2 * pair);
        let (s2, m2) = scale_and_minimum(packed, 2 * pair + 1);
        let (s1, m1, s2, m2) = (scale * s1, minimum * m1, scale * s2, minimum * m2);
        let (low, high) = values.split_at_mut(32);
        for (((&q, &fifth), low), high) in quants.iter().zip(fifths).zip(low).zip(high) {
            let (first, second) = ((fifth >> (2 * pair)) & 1, (fifth >> (2 * pair + 1)) & 1);
            *low = s1 * f32::from((q & 0xF) | first << 4) - m1;
            *high = s2 * f32::from((q >> 4) | second << 4) - m2;
        }
    }
}

fn q6_k(block: &[u8; 210], out: &mut [f32; 256]) {
    let scale = half(block, 208);
    let lows = block[..128].as_chunks::<64>().0;
    let highs = block[128..192].as_chunks::<32>().0;
    let scales = block[192..208].as_chunks::<8>().0;
    let halves = lows
        .iter()
        .zip(highs)
        .zip(scales)
        .zip(out.as_chunks_mut::<128>().0);
    for (((low, high), scales), values) in halves {
        for l in 0..32 {
            let quarter =
                |bits: u8, shift: u32| i32::from(bits | ((high[l] >> shift) & 3) << 4) - 32;
            let quants = [
                quarter(low[l] & 0xF, 0),
                quarter(low[l + 32] & 0xF, 2),
                quarter(low[l] >> 4, 4),
                quarter(low[l + 32] >> 4, 6),
            ];
            for (i, q) in quants.into_iter().enumerate() {
                let group = f32::from(scales[l / 16 + 2 * i] as i8);
                values[l + 32 * i] = scale * group * q as f32;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIXTURE: &str = include_str!(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/data/blocks.json"
    ));

    fn bytes(hex: &serde_json::Value) -> Vec<u8> {
        let digits = hex.as_str().unwrap();
        (0..digits.len())
            .step_by(2)
            .map(|i| u8::from_str_radix(&digits[i..i + 2], 16).unwrap())
            .collect()
    }

    #[test]
    fn random_blocks_have_the_values_of_the_gguf_package() {
        let fixture: serde_json::Value = serde_json::from_str(FIXTURE).unwrap();
        let cases = fixture.as_object().unwrap();
        assert_eq!(cases.len(), 12);
        for (name, case) in cases {
            let block = BlockType::ALL
                .into_iter()
                .find(|block| block.name() == name)
                .unwrap();
            let (data, values) = (bytes(&case["data"]), bytes(&case["values"]));
            assert_eq!(
                data.len() / block.bytes() * block.len(),
                values.len() / 4,
                "{name}"
            );
            let mut out = vec![f32::NAN; values.len() / 4];
            block.dequantise(&data, &mut out);
            for (i, (read, expected)) in out.iter().zip(values.as_chunks().0).enumerate() {
                assert_eq!(
                    read.to_bits(),
                    f32::from_le_bytes(*expected).to_bits(),
                    "{name} value {i}"
                );
            }
        }
    }

    #[test]
    #[allow(clippy::float_cmp, reason = "conversions are exact")]
    fn plain_types_are_ieee() {
        let mut out = [0.0; 2];
        BlockType::F16.dequantise(&[0x00, 0x3C, 0x00, 0xFC], &mut out);
        assert_eq!(out, [1.0, f32::NEG_INFINITY]);
        BlockType::BF16.dequantise(&[0x80, 0x3F, 0x49, 0x40], &mut out);
        assert_eq!(out, [1.0, 3.140_625]);
        BlockType::F32.dequantise(&[0, 0, 0x80, 0x3F, 0xDB, 0x0F, 0x49, 0x40], &mut out);
        assert_eq!(out, [1.0, std::f32::consts::PI]);
    }
}
