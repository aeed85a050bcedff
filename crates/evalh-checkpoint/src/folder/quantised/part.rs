//! One of the tensors that make up a quantised weight.

use crate::{
    CheckpointError,
    error::FETCH_AGAIN,
    folder::shards::Shards,
    tensors::{StoredTensor, TensorFile},
};
use safetensors::Dtype;
use std::path::Path;

/// A part of a quantised weight, with the file and name for messages.
pub(super) struct Part<'a> {
    pub(super) file: &'a TensorFile,
    pub(super) tensor: &'a StoredTensor,
    pub(super) bytes: &'a [u8],
}

/// Little-endian values.
pub(super) fn f32s(bytes: &[u8]) -> impl Iterator<Item = f32> {
    bytes
        .as_chunks()
        .0
        .iter()
        .map(|value| f32::from_le_bytes(*value))
}

/// A tensor that a quantised weight needs.
pub(super) fn part<'a>(
    shards: &'a Shards,
    weight: &str,
    name: &str,
) -> Result<Part<'a>, CheckpointError> {
    let Some((file, tensor)) = shards.find(name) else {
        return Err(CheckpointError::Malformed {
            path: shards
                .files()
                .first()
                .map_or(Path::new(""), TensorFile::path)
                .to_owned(),
            field: name.to_owned(),
            problem: format!("is missing, but {weight} is quantised"),
            remedy: FETCH_AGAIN,
        });
    };
    let part = |bytes| Part {
        file,
        tensor,
        bytes,
    };
    file.contents(tensor)
        .map(part)
        .ok_or_else(|| part(&[]).malformed("has strides, but quantised weights are contiguous"))
}

impl Part<'_> {
    pub(super) fn malformed(&self, problem: impl Into<String>) -> CheckpointError {
        CheckpointError::Malformed {
            path: self.file.path().to_owned(),
            field: self.tensor.name.clone(),
            problem: problem.into(),
            remedy: FETCH_AGAIN,
        }
    }

    /// Checks type and, where it is known, the number of values.
    pub(super) fn expect(
        &self,
        dtype: Dtype,
        values: Option<usize>,
    ) -> Result<(), CheckpointError> {
        if self.tensor.dtype != dtype {
            return Err(self.malformed(format!(
                "has the type {:?} instead of {dtype:?}",
                self.tensor.dtype
            )));
        }
        match values {
            Some(values) if values != self.tensor.elements() => Err(self.malformed(format!(
                "has {} values instead of {values}",
                self.tensor.elements()
            ))),
            _ => Ok(()),
        }
    }
}
