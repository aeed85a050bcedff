//! Block types of ggml and their values in f32.
//!
//! Layouts and the order of operations are those of ggml's `dequantize_row_*` reference functions
//! (<https://github.com/ggml-org/ggml/blob/master/src/ggml-quants.c>).

mod coding;
mod unpack;

use super::FormatError;
use crate::{StoredDtype, float};
pub(super) use coding::{Coding, Factors};

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

    /// How values are coded, unless they are numbers of their own.
    pub(super) fn coding(self) -> Option<Coding> {
        Coding::of(self)
    }

    /// The values of whole blocks; `out` has [`len`](Self::len) values for every [`bytes`](Self::bytes) of `data`.
    pub(super) fn dequantise(self, data: &[u8], out: &mut [f32]) {
        match (self, self.coding()) {
            (_, Some(coding)) => coding.dequantise(data, out),
            (Self::F16, None) => float::f16_from_le(data, out),
            (Self::BF16, None) => float::bf16_from_le(data, out),
            (_, None) => float::f32_from_le(data, out),
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
