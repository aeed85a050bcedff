//! Tensors of a file, in f32, before anything is made of their keys.

use super::tensor_error;
use crate::AdapterError;
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// A tensor of the file.
#[derive(Debug, Clone)]
pub struct RawTensor {
    /// Its key.
    pub key: String,
    /// Its shape.
    pub shape: Vec<usize>,
    /// Its values, row-major.
    pub values: Vec<f32>,
}

/// How many values of a tensor are no numbers.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct NonFinite {
    /// The tensor's key.
    pub tensor: String,
    /// Values that are NaN.
    pub nan: usize,
    /// Values that are infinite, as after an overflow of f16.
    pub infinite: usize,
    /// All values of the tensor.
    pub values: usize,
}

impl RawTensor {
    /// The count of values that are no numbers, if there is one.
    pub fn non_finite(&self) -> Option<NonFinite> {
        let nan = self.values.iter().filter(|value| value.is_nan()).count();
        let infinite = self
            .values
            .iter()
            .filter(|value| value.is_infinite())
            .count();
        (nan + infinite > 0).then(|| NonFinite {
            tensor: self.key.clone(),
            nan,
            infinite,
            values: self.values.len(),
        })
    }
}

/// The tensors of the adapter in `dir` that hold NaN or infinite values, which [`Adapter::open`](crate::Adapter::open)
/// refuses.
///
/// # Errors
/// When the file of weights is missing or damaged.
pub fn non_finite(dir: &Path) -> Result<Vec<NonFinite>, AdapterError> {
    let tensors = read_file(&weights_file(dir)?)?;
    Ok(tensors.iter().filter_map(RawTensor::non_finite).collect())
}

/// The file of weights in the folder: `adapter_model.safetensors`, else `adapter_model.bin`, in the order PEFT looks.
///
/// # Errors
/// When there is neither.
pub fn weights_file(dir: &Path) -> Result<PathBuf, AdapterError> {
    let names = ["adapter_model.safetensors", "adapter_model.bin"].map(|name| dir.join(name));
    match names.iter().find(|path| path.exists()) {
        Some(path) => Ok(path.clone()),
        None => Err(AdapterError::Read {
            path: names[0].clone(),
            source: std::io::ErrorKind::NotFound.into(),
            remedy: REMEDY.into(),
        }),
    }
}

const REMEDY: &str = "give the folder that PEFT's save_pretrained wrote, with adapter_config.json and \
                      adapter_model.safetensors or adapter_model.bin";

/// The tensors of a file, sorted by key.
///
/// # Errors
/// When it cannot be read, is damaged, or has a tensor that is not of f32, f16 or bf16.
pub fn read_file(path: &Path) -> Result<Vec<RawTensor>, AdapterError> {
    let bytes = fs::read(path).map_err(|source| AdapterError::Read {
        path: path.to_owned(),
        source,
        remedy: REMEDY.into(),
    })?;
    let file = SafeTensors::deserialize(&bytes).map_err(|error| AdapterError::Weights {
        path: path.to_owned(),
        problem: error.to_string(),
    })?;
    let mut tensors = file
        .iter()
        .map(|(key, view)| {
            Ok(RawTensor {
                key: key.to_owned(),
                shape: view.shape().to_vec(),
                values: to_f32(&view).ok_or_else(|| {
                    tensor_error(
                        path,
                        key,
                        format!("has dtype {:?}", view.dtype()),
                        "store the adapter in float32, float16 or bfloat16",
                    )
                })?,
            })
        })
        .collect::<Result<Vec<_>, AdapterError>>()?;
    tensors.sort_by(|left, right| left.key.cmp(&right.key));
    Ok(tensors)
}

fn to_f32(view: &TensorView<'_>) -> Option<Vec<f32>> {
    let data = view.data();
    let values = match view.dtype() {
        Dtype::F32 => data
            .as_chunks::<4>()
            .0
            .iter()
            .map(|&bytes| f32::from_le_bytes(bytes))
            .collect(),
        Dtype::F16 => data
            .as_chunks::<2>()
            .0
            .iter()
            .map(|&bytes| half::f16::from_le_bytes(bytes).to_f32())
            .collect(),
        Dtype::BF16 => data
            .as_chunks::<2>()
            .0
            .iter()
            .map(|&bytes| half::bf16::from_le_bytes(bytes).to_f32())
            .collect(),
        _ => return None,
    };
    Some(values)
}
