//! Tensors of one or several weight files.

use super::{index::Index, kind::WeightFiles};
use crate::{
    CheckpointError,
    error::FETCH_AGAIN,
    tensors::{StoredTensor, TensorFile},
};
use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

/// All stored tensors of a folder.
#[derive(Debug, Default)]
pub(super) struct Shards {
    files: Vec<TensorFile>,
    index: Option<PathBuf>,
    file_of: HashMap<String, usize>,
}

impl Shards {
    /// Opens the weights that transformers would take from the folder.
    pub(super) fn open(folder: &Path) -> Result<Self, CheckpointError> {
        match super::kind::weight_files(folder)? {
            WeightFiles::Single(path) => {
                let mut shards = Self::default();
                shards.add(TensorFile::open(&path)?)?;
                Ok(shards)
            }
            WeightFiles::Sharded(index, extension) => Self::from_index(folder, index, extension),
        }
    }

    fn from_index(
        folder: &Path,
        index_path: PathBuf,
        extension: &str,
    ) -> Result<Self, CheckpointError> {
        let index = Index::read(&index_path, extension)?;
        let mut shards = Self::default();
        let mut places = HashMap::new();
        for name in index.shards() {
            let path = folder.join(name);
            // A link that leads to itself is no file either.
            if !path.is_file() {
                return Err(CheckpointError::MissingFile {
                    path,
                    needed_by: format!("{} says that weights are in it", index_path.display()),
                    remedy: "fetch the missing shard",
                });
            }
            places.insert(name, shards.files.len());
            shards.add(TensorFile::open(&path)?)?;
        }
        for (tensor, shard) in index.entries() {
            let found = shards.file_of.get(tensor);
            if found.is_none() || found != places.get(shard.as_str()) {
                return Err(CheckpointError::Malformed {
                    path: index_path,
                    field: tensor.clone(),
                    problem: format!("is said to be in {shard}, which has no such tensor"),
                    remedy: FETCH_AGAIN,
                });
            }
        }
        shards.index = Some(index_path);
        Ok(shards)
    }

    fn add(&mut self, file: TensorFile) -> Result<(), CheckpointError> {
        for name in file.names() {
            if let Some(other) = self.file_of.insert(name.to_owned(), self.files.len()) {
                let other = self.files[other].path().display();
                return Err(CheckpointError::Malformed {
                    path: file.path().to_owned(),
                    field: name.to_owned(),
                    problem: format!("is in {other} too"),
                    remedy: FETCH_AGAIN,
                });
            }
        }
        self.files.push(file);
        Ok(())
    }

    /// The weight files and their index.
    pub(super) fn paths(&self) -> impl Iterator<Item = PathBuf> {
        self.index
            .iter()
            .cloned()
            .chain(self.files.iter().map(|file| file.path().to_owned()))
    }

    pub(super) fn files(&self) -> &[TensorFile] {
        &self.files
    }

    /// The file that holds a tensor, and the tensor.
    pub(super) fn find(&self, name: &str) -> Option<(&TensorFile, &StoredTensor)> {
        let file = &self.files[*self.file_of.get(name)?];
        Some((file, file.find(name)?))
    }
}
