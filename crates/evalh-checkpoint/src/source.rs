//! What a model reads: named tensors and a config, whatever file they came from.

use crate::{CheckpointError, CodedTensor};
use std::fmt;

/// A checkpoint as a model sees it: Hugging Face names and keys, whatever the storage format.
pub trait WeightSource: Send + Sync {
    /// The keys of a Hugging Face `config.json`, in the style of transformers v4 or v5 as the file has it.
    ///
    /// Metadata of a GGUF file is translated to v4 keys.
    fn config(&self) -> &serde_json::Value;

    /// Every tensor's Hugging Face name, such as `model.layers.0.self_attn.q_proj.weight`, in the file's order.
    fn tensor_names(&self) -> Vec<String>;

    /// Shape and storage of one tensor, or `None` where the checkpoint has no such tensor.
    fn tensor(&self, name: &str) -> Option<TensorInfo>;

    /// One tensor's values, row-major in the shape of [`TensorInfo`], dequantised in f32.
    ///
    /// What llama.cpp's converter does to values (it reorders rows, transposes, adds one to norms) is undone.
    ///
    /// # Errors
    /// When the checkpoint has no such tensor, or stores it in a type that has no conversion to f32.
    fn read_f32(&self, name: &str) -> Result<Vec<f32>, CheckpointError>;

    /// One matrix's codes, where it is stored as such and in rows of whole groups; `None` where only
    /// [`read_f32`](Self::read_f32) gives its values, as of a source that says nothing else. Both give the same values.
    ///
    /// # Errors
    /// When the checkpoint has no such tensor.
    fn read_codes(&self, _name: &str) -> Result<Option<CodedTensor>, CheckpointError> {
        Ok(None)
    }
}

/// Shape and storage of one tensor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TensorInfo {
    /// Extents in Hugging Face order, outermost first: a linear weight is `[out, in]`.
    pub shape: Vec<usize>,
    /// How the values are stored.
    pub dtype: StoredDtype,
}

impl TensorInfo {
    /// The number of values. The product cannot overflow: it was checked when the file was opened.
    pub fn elements(&self) -> usize {
        self.shape.iter().product()
    }
}

/// How a tensor's values are stored in its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(
    non_camel_case_types,
    reason = "the names of the block types are ggml's"
)]
pub enum StoredDtype {
    /// IEEE single precision.
    F32,
    /// IEEE half precision.
    F16,
    /// bfloat16.
    BF16,
    /// ggml: blocks of 32, 4 bits and a scale.
    Q4_0,
    /// ggml: blocks of 32, 4 bits, a scale and a minimum.
    Q4_1,
    /// ggml: blocks of 32, 5 bits and a scale.
    Q5_0,
    /// ggml: blocks of 32, 5 bits, a scale and a minimum.
    Q5_1,
    /// ggml: blocks of 32, 8 bits and a scale.
    Q8_0,
    /// ggml: super-blocks of 256, 2 bits, 4-bit scales and minima.
    Q2_K,
    /// ggml: super-blocks of 256, 3 bits, 6-bit scales.
    Q3_K,
    /// ggml: super-blocks of 256, 4 bits, 6-bit scales and minima.
    Q4_K,
    /// ggml: super-blocks of 256, 5 bits, 6-bit scales and minima.
    Q5_K,
    /// ggml: super-blocks of 256, 6 bits, 8-bit scales.
    Q6_K,
    /// bitsandbytes: 4-bit normal float in flat blocks.
    Nf4,
    /// The same with block scales of 8 bits.
    Nf4Double,
    /// bitsandbytes: 4-bit float in flat blocks.
    Fp4,
    /// The same with block scales of 8 bits.
    Fp4Double,
    /// bitsandbytes: 8-bit integers with a scale a row.
    Int8,
    /// ggml: blocks of 32, 4 bits that index a table, and a scale.
    IQ4_NL,
    /// ggml: super-blocks of 256, 4 bits that index a table, 6-bit scales.
    IQ4_XS,
    /// A type that is listed but cannot be read as f32 (integers, fp8, f64 ...), by the name safetensors gives it.
    Unreadable(&'static str),
}

impl StoredDtype {
    /// Every type that [`WeightSource::read_f32`] reads from a GGUF file.
    pub const BLOCK_TYPES: [Self; 15] = [
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

    /// Whether the values are integers or truth values, as positions and masks are.
    pub(crate) fn is_integer(self) -> bool {
        matches!(self, Self::Unreadable(name) if name.starts_with(['I', 'U']) || name == "BOOL")
    }

    /// The name people know it by.
    pub const fn name(self) -> &'static str {
        match self {
            Self::F32 => "F32",
            Self::F16 => "F16",
            Self::BF16 => "BF16",
            Self::Q4_0 => "Q4_0",
            Self::Q4_1 => "Q4_1",
            Self::Q5_0 => "Q5_0",
            Self::Q5_1 => "Q5_1",
            Self::Q8_0 => "Q8_0",
            Self::Q2_K => "Q2_K",
            Self::Q3_K => "Q3_K",
            Self::Q4_K => "Q4_K",
            Self::Q5_K => "Q5_K",
            Self::Q6_K => "Q6_K",
            Self::Nf4 => "NF4",
            Self::Nf4Double => "NF4-double",
            Self::Fp4 => "FP4",
            Self::Fp4Double => "FP4-double",
            Self::Int8 => "INT8",
            Self::IQ4_NL => "IQ4_NL",
            Self::IQ4_XS => "IQ4_XS",
            Self::Unreadable(name) => name,
        }
    }
}

impl fmt::Display for StoredDtype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The number of values that are NaN or infinite.
///
/// Weights stored in half precision overflow to infinity when they leave its range, and such a checkpoint scores like
/// a broken model without any other sign.
pub fn count_non_finite(values: &[f32]) -> usize {
    values.iter().filter(|v| !v.is_finite()).count()
}
