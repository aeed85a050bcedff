//! Tensors of a file, in f32, before anything is made of their keys.

use super::tensor_error;
use crate::AdapterError;
use evalh_checkpoint::{StoredDtype, TensorFile};
use std::path::{Path, PathBuf};

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

impl NonFinite {
    /// The count of a tensor's values that are no numbers, if there is one.
    pub fn count(tensor: &str, values: &[f32]) -> Option<NonFinite> {
        let nan = values.iter().filter(|value| value.is_nan()).count();
        let infinite = values.iter().filter(|value| value.is_infinite()).count();
        (nan + infinite > 0).then(|| NonFinite {
            tensor: tensor.to_owned(),
            nan,
            infinite,
            values: values.len(),
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
    Ok(tensors
        .iter()
        .filter_map(|tensor| NonFinite::count(&tensor.key, &tensor.values))
        .collect())
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

/// The tensors of a file, sorted by key, whether safetensors or what `torch.save` wrote.
///
/// # Errors
/// When it cannot be read, is damaged, does more than describe tensors, or has a tensor that is not of f32, f16 or bf16.
pub fn read_file(path: &Path) -> Result<Vec<RawTensor>, AdapterError> {
    let file = TensorFile::open(path)?;
    let mut tensors = file
        .names()
        .filter_map(|key| Some((key, file.info(key)?)))
        .map(|(key, info)| {
            if !matches!(
                info.dtype,
                StoredDtype::F32 | StoredDtype::F16 | StoredDtype::BF16
            ) {
                return Err(tensor_error(
                    path,
                    key,
                    format!("has dtype {}", info.dtype),
                    "store the adapter in float32, float16 or bfloat16",
                ));
            }
            Ok(RawTensor {
                key: key.to_owned(),
                shape: info.shape,
                values: file.read_f32(key)?,
            })
        })
        .collect::<Result<Vec<_>, AdapterError>>()?;
    tensors.sort_by(|left, right| left.key.cmp(&right.key));
    Ok(tensors)
}
