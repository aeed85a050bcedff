//! Files of named tensors: safetensors and PyTorch's zip archives, told apart by their content.

mod read;
mod safetensors;
mod stored;
mod torch;

use crate::{CheckpointError, TensorInfo, error::FETCH_AGAIN, map::MappedFile};
use std::{
    collections::{HashMap, HashSet},
    path::Path,
};
pub(crate) use stored::StoredTensor;

/// One file of named tensors, memory-mapped: safetensors, or what `torch.save` wrote (`.bin`, `.pt`, `.pth`).
///
/// The format is taken from the content, not from the name. A PyTorch file is never executed: the few steps that
/// `torch.save` records for a state dict are interpreted, anything else is refused by name. No tensor is read before it
/// is asked for.
#[derive(Debug)]
pub struct TensorFile {
    file: MappedFile,
    tensors: Vec<StoredTensor>,
    by_name: HashMap<String, usize>,
}

impl TensorFile {
    /// Maps a file and checks its directory of tensors against its length.
    ///
    /// # Errors
    /// When the file cannot be read, is damaged, or is of a kind that is not supported: a pickle that does more than
    /// describe tensors, a compressed archive, PyTorch's format from before version 1.6.
    pub fn open(path: &Path) -> Result<Self, CheckpointError> {
        Self::parse(MappedFile::open(path)?)
    }

    /// The same from bytes in memory; `path` is what messages call them.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn from_bytes(path: &Path, bytes: Vec<u8>) -> Result<Self, CheckpointError> {
        Self::parse(MappedFile::from_bytes(path, bytes))
    }

    fn parse(file: MappedFile) -> Result<Self, CheckpointError> {
        if file.bytes().starts_with(b"version https://git-lfs") {
            return Err(CheckpointError::Malformed {
                path: file.path().to_owned(),
                field: "content".to_owned(),
                problem: "is a Git LFS pointer in place of the weights".to_owned(),
                remedy: "fetch the weights with `git lfs pull`",
            });
        }
        let tensors = if torch::is_torch(file.bytes()) {
            torch::directory(file.path(), file.bytes())?
        } else {
            safetensors::directory(file.bytes()).map_err(|(field, problem)| {
                CheckpointError::Malformed {
                    path: file.path().to_owned(),
                    field,
                    problem,
                    remedy: FETCH_AGAIN,
                }
            })?
        };
        let by_name = tensors
            .iter()
            .enumerate()
            .map(|(place, tensor)| (tensor.name.clone(), place))
            .collect();
        Ok(Self {
            file,
            tensors,
            by_name,
        })
    }

    /// The file's path.
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// Every tensor's name, in the file's order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.tensors.iter().map(|tensor| tensor.name.as_str())
    }

    /// Shape and type of one tensor, or `None` where the file has no such tensor.
    pub fn info(&self, name: &str) -> Option<TensorInfo> {
        self.find(name).map(StoredTensor::info)
    }

    /// One tensor's values, row-major in its shape whatever strides it is stored with.
    ///
    /// # Errors
    /// When the file has no such tensor, or stores it as anything but F32, F16 or BF16.
    pub fn read_f32(&self, name: &str) -> Result<Vec<f32>, CheckpointError> {
        let tensor = self
            .find(name)
            .ok_or_else(|| CheckpointError::MissingTensor {
                path: self.path().to_owned(),
                tensor: name.to_owned(),
            })?;
        let values = read::f32s(self.path(), tensor, self.file.bytes());
        self.file.release(tensor.data.clone());
        values
    }

    pub(crate) fn find(&self, name: &str) -> Option<&StoredTensor> {
        self.by_name.get(name).map(|&place| &self.tensors[place])
    }

    /// The bytes of a tensor as they are in the file; `None` where its strides are not those of its shape.
    pub(crate) fn contents(&self, tensor: &StoredTensor) -> Option<&[u8]> {
        tensor
            .strides
            .is_none()
            .then(|| &self.file.bytes()[tensor.data.clone()])
    }

    /// The tensors that hold values of their own: of several names for the same values (a tied head in a PyTorch
    /// file), the first.
    pub(crate) fn own_values(&self) -> impl Iterator<Item = &StoredTensor> {
        let mut seen = HashSet::new();
        self.tensors
            .iter()
            .filter(move |tensor| tensor.data.is_empty() || seen.insert(tensor.data.clone()))
    }
}
