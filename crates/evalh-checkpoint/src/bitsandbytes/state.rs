//! The JSON text that bitsandbytes stores beside a 4-bit weight.

use super::{four_bit::CodeBook, round_trip::FloatType};
use serde::Deserialize;

/// Blocks that bitsandbytes makes.
const BLOCKS: [usize; 8] = [32, 64, 128, 256, 512, 1024, 2048, 4096];

/// The longest text that is parsed; bitsandbytes writes less than 200 bytes.
const LONGEST: usize = 4096;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    quant_type: String,
    blocksize: usize,
    dtype: String,
    shape: Vec<usize>,
    nested_blocksize: Option<usize>,
    nested_dtype: Option<String>,
    nested_offset: Option<f64>,
}

/// How a 4-bit tensor was quantised.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct QuantState {
    pub(crate) book: CodeBook,
    pub(crate) block: usize,
    /// The type that the weight had.
    pub(crate) dtype: FloatType,
    pub(crate) shape: Vec<usize>,
    /// The number of values, which can be held in f32.
    pub(crate) elements: usize,
    pub(crate) nested: Option<NestedState>,
}

/// How the block scales were quantised.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct NestedState {
    pub(crate) block: usize,
    pub(crate) offset: f32,
}

impl QuantState {
    /// Reads the text, or says what is wrong with it.
    pub(crate) fn parse(text: &[u8]) -> Result<Self, String> {
        if text.len() > LONGEST {
            return Err(format!("has {} bytes, more than {LONGEST}", text.len()));
        }
        let text: Text = serde_json::from_slice(text).map_err(|e| e.to_string())?;
        let book = [CodeBook::Nf4, CodeBook::Fp4]
            .into_iter()
            .find(|book| book.name() == text.quant_type)
            .ok_or_else(|| {
                format!(
                    "has the quant_type {:?}, none of nf4 and fp4",
                    text.quant_type
                )
            })?;
        let dtype = match text.dtype.as_str() {
            "float32" => FloatType::F32,
            "float16" => FloatType::F16,
            "bfloat16" => FloatType::BF16,
            other => {
                return Err(format!(
                    "has the dtype {other:?}, none of float32, float16 and bfloat16"
                ));
            }
        };
        let block = block_size("blocksize", text.blocksize)?;
        let elements = text
            .shape
            .iter()
            .try_fold(1usize, |product, n| product.checked_mul(*n))
            .filter(|n| n.checked_mul(size_of::<f32>()).is_some())
            .ok_or_else(|| format!("has the impossible shape {:?}", text.shape))?;
        let nested = match (text.nested_blocksize, text.nested_dtype, text.nested_offset) {
            (None, None, None) => None,
            (Some(nested_block), Some(dtype), Some(offset)) => {
                if dtype != "float32" {
                    return Err(format!("has the nested_dtype {dtype:?} instead of float32"));
                }
                Some(NestedState {
                    block: block_size("nested_blocksize", nested_block)?,
                    offset: offset as f32,
                })
            }
            _ => {
                return Err(
                    "has only some of nested_blocksize, nested_dtype and nested_offset".to_owned(),
                );
            }
        };
        Ok(Self {
            book,
            block,
            dtype,
            shape: text.shape,
            elements,
            nested,
        })
    }

    /// The number of blocks, and so of block scales.
    pub(crate) fn blocks(&self) -> usize {
        self.elements.div_ceil(self.block)
    }
}

fn block_size(field: &str, value: usize) -> Result<usize, String> {
    BLOCKS
        .contains(&value)
        .then_some(value)
        .ok_or_else(|| format!("has the {field} {value}, none of {BLOCKS:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PLAIN: &str =
        r#"{"quant_type": "nf4", "blocksize": 64, "dtype": "bfloat16", "shape": [40, 96]}"#;
    const NESTED: &str = r#"{"quant_type": "fp4", "blocksize": 128, "dtype": "float16", "shape": [7, 33], "nested_blocksize": 256, "nested_dtype": "float32", "nested_offset": 0.1280323714017868}"#;

    #[test]
    fn what_bitsandbytes_writes_is_read() {
        let plain = QuantState::parse(PLAIN.as_bytes()).unwrap();
        assert_eq!(
            (plain.elements, plain.blocks(), plain.nested),
            (3840, 60, None)
        );
        let nested = QuantState::parse(NESTED.as_bytes()).unwrap();
        assert_eq!((nested.elements, nested.blocks()), (231, 2));
        assert_eq!(
            nested.nested.unwrap().offset.to_bits(),
            0.128_032_37_f32.to_bits()
        );
    }

    #[test]
    fn what_is_not_honoured_is_named() {
        for (from, to, words) in [
            ("nf4", "af4", "the quant_type \"af4\""),
            ("64", "65", "the blocksize 65"),
            ("64", "0", "the blocksize 0"),
            ("bfloat16", "float8_e4m3fn", "the dtype \"float8_e4m3fn\""),
            (
                "[40, 96]",
                "[4294967296, 4294967296]",
                "the impossible shape",
            ),
            ("[40, 96]", "null", "invalid type: null"),
            ("[40, 96]", "[-1]", "invalid value: integer `-1`"),
            ("\"shape\"", "\"form\"", "unknown field `form`"),
            ("\"shape\"", "\"dtype\"", "duplicate field `dtype`"),
            (
                "[40, 96]",
                "[40], \"nested_blocksize\": 256",
                "only some of nested_blocksize",
            ),
        ] {
            let error = QuantState::parse(PLAIN.replace(from, to).as_bytes()).unwrap_err();
            assert!(error.contains(words), "{words} in {error}");
        }
        let half = NESTED.replace("float32", "float16");
        assert!(
            QuantState::parse(half.as_bytes())
                .unwrap_err()
                .contains("nested_dtype \"float16\"")
        );
        let infinite = NESTED.replace("0.1280323714017868", "Infinity");
        assert!(QuantState::parse(infinite.as_bytes()).is_err());
        assert!(
            QuantState::parse(&vec![b' '; 5000])
                .unwrap_err()
                .contains("has 5000 bytes")
        );
    }

    proptest! {
        #[test]
        fn mutated_texts_never_panic(at in 0..NESTED.len(), byte: u8, cut in 0..NESTED.len()) {
            let mut text = NESTED.as_bytes().to_vec();
            text[at] = byte;
            let _ = QuantState::parse(&text);
            let _ = QuantState::parse(&text[..cut]);
        }
    }
}
