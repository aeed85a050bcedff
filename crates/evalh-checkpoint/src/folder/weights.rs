//! A folder's tensors as a model sees them: quantised weights as one tensor each, their scales and maps hidden.

use super::{quantised::Quantised, quantization_config::QuantizationConfig, shards::Shards};
use crate::{CheckpointError, TensorInfo, tensors::TensorFile};
use std::{
    collections::{HashMap, HashSet},
    path::{Path, PathBuf},
};

/// All tensors of a folder.
#[derive(Debug)]
pub(super) struct Weights {
    shards: Shards,
    names: Vec<String>,
    quantised: HashMap<String, Quantised>,
    /// Tensors that belong to a quantised weight, with that weight itself.
    parts: HashSet<String>,
}

impl Weights {
    /// Opens the folder's weights. `quantization` is what the config says of them.
    pub(super) fn open(
        folder: &Path,
        quantization: Option<&QuantizationConfig>,
    ) -> Result<Self, CheckpointError> {
        let shards = Shards::open(folder)?;
        let quantised = Quantised::find_all(&shards)?;
        super::quantised::check(quantization, &quantised, &folder.join("config.json"))?;
        let parts: HashSet<String> = quantised
            .iter()
            .flat_map(|(name, weight)| weight.parts(name))
            .collect();
        let names = shards
            .files()
            .iter()
            .flat_map(TensorFile::names)
            .filter(|name| !parts.contains(*name) || quantised.contains_key(*name))
            .map(str::to_owned)
            .collect();
        Ok(Self {
            shards,
            names,
            quantised,
            parts,
        })
    }

    /// The weight files and their index.
    pub(super) fn paths(&self) -> impl Iterator<Item = PathBuf> {
        self.shards.paths()
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    pub(super) fn tensor(&self, name: &str) -> Option<TensorInfo> {
        if let Some(weight) = self.quantised.get(name) {
            return Some(weight.info());
        }
        if self.parts.contains(name) {
            return None;
        }
        self.shards.find(name).map(|(_, tensor)| tensor.info())
    }

    /// Shape, type and bytes of everything that is stored; values with several names once.
    pub(super) fn stored(&self) -> impl Iterator<Item = (TensorInfo, usize)> {
        self.shards
            .files()
            .iter()
            .flat_map(TensorFile::own_values)
            .filter_map(|tensor| match self.quantised.get(&tensor.name) {
                Some(weight) => Some((weight.info(), weight.bytes(&tensor.name, &self.shards))),
                None => {
                    (!self.parts.contains(&tensor.name)).then(|| (tensor.info(), tensor.data.len()))
                }
            })
    }

    pub(super) fn read_f32(&self, name: &str) -> Option<Result<Vec<f32>, CheckpointError>> {
        if let Some(weight) = self.quantised.get(name) {
            return Some(weight.values(name, &self.shards));
        }
        if self.parts.contains(name) {
            return None;
        }
        self.shards.find(name).map(|(file, _)| file.read_f32(name))
    }
}
