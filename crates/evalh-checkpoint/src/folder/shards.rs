//! Tensors of one or several safetensors files.

use super::{MappedFile, duplicates::UniqueEntries, index::Index};
use crate::{CheckpointError, StoredDtype, TensorInfo, error::FETCH_AGAIN, float};
use rayon::prelude::*;
use safetensors::{Dtype, SafeTensorError, SafeTensors};
use serde::de::IgnoredAny;
use std::{
    collections::HashMap,
    ops::Range,
    path::{Path, PathBuf},
};

const SINGLE: &str = "model.safetensors";
const INDEX: &str = "model.safetensors.index.json";

/// Values that one thread converts at a time.
const VALUES_A_TASK: usize = 1 << 16;

/// All tensors of a folder.
#[derive(Debug)]
pub(super) struct Shards {
    files: Vec<MappedFile>,
    index: Option<PathBuf>,
    tensors: Vec<Tensor>,
    by_name: HashMap<String, usize>,
}

#[derive(Debug)]
struct Tensor {
    name: String,
    file: usize,
    info: TensorInfo,
    data: Range<usize>,
}

impl Shards {
    /// Opens `model.safetensors`, or else the shards that the index names (transformers' order of preference).
    pub(super) fn open(folder: &Path) -> Result<Self, CheckpointError> {
        let (single, index) = (folder.join(SINGLE), folder.join(INDEX));
        if single.is_file() {
            let mut shards = Self {
                files: Vec::new(),
                index: None,
                tensors: Vec::new(),
                by_name: HashMap::new(),
            };
            shards.add(MappedFile::open(&single)?)?;
            Ok(shards)
        } else if index.is_file() {
            Self::from_index(folder, index)
        } else {
            Err(no_weights(folder))
        }
    }

    fn from_index(folder: &Path, index_path: PathBuf) -> Result<Self, CheckpointError> {
        let index = Index::read(&index_path)?;
        let mut shards = Self {
            files: Vec::new(),
            index: None,
            tensors: Vec::new(),
            by_name: HashMap::new(),
        };
        let mut places = HashMap::new();
        for name in index.shards() {
            let path = folder.join(name);
            if !path.is_file() {
                return Err(CheckpointError::MissingFile {
                    path,
                    needed_by: format!("{} says that weights are in it", index_path.display()),
                    remedy: "fetch the missing shard",
                });
            }
            places.insert(name, shards.files.len());
            shards.add(MappedFile::open(&path)?)?;
        }
        for (tensor, shard) in index.entries() {
            let found = shards.by_name.get(tensor).map(|&i| shards.tensors[i].file);
            if found.is_none() || found != places.get(shard.as_str()).copied() {
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

    fn add(&mut self, file: MappedFile) -> Result<(), CheckpointError> {
        let place = self.files.len();
        for (name, info, data) in
            directory(file.bytes()).map_err(|(field, problem)| malformed(&file, field, problem))?
        {
            if let Some(other) = self.by_name.insert(name.clone(), self.tensors.len()) {
                let other = self.files[self.tensors[other].file]
                    .path()
                    .display()
                    .to_string();
                return Err(malformed(&file, name, format!("is in {other} too")));
            }
            self.tensors.push(Tensor {
                name,
                file: place,
                info,
                data,
            });
        }
        self.files.push(file);
        Ok(())
    }

    /// The weight files and their index.
    pub(super) fn files(&self) -> impl Iterator<Item = PathBuf> {
        self.index
            .iter()
            .cloned()
            .chain(self.files.iter().map(|file| file.path().to_owned()))
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.tensors.iter().map(|tensor| tensor.name.as_str())
    }

    fn find(&self, name: &str) -> Option<&Tensor> {
        self.by_name.get(name).map(|&i| &self.tensors[i])
    }

    pub(super) fn tensor(&self, name: &str) -> Option<(TensorInfo, usize)> {
        self.find(name)
            .map(|tensor| (tensor.info.clone(), tensor.data.len()))
    }

    pub(super) fn read_f32(&self, name: &str) -> Option<Result<Vec<f32>, CheckpointError>> {
        self.find(name).map(|tensor| {
            let file = &self.files[tensor.file];
            let data = &file.bytes()[tensor.data.clone()];
            let mut out = vec![0.0; tensor.info.elements()];
            match tensor.info.dtype {
                StoredDtype::F32 => convert(data, 4, &mut out, float::f32_from_le),
                StoredDtype::F16 => convert(data, 2, &mut out, float::f16_from_le),
                StoredDtype::BF16 => convert(data, 2, &mut out, float::bf16_from_le),
                other => {
                    return Err(CheckpointError::Unsupported {
                        path: file.path().to_owned(),
                        field: name.to_owned(),
                        found: other.to_string(),
                        supported: "F32, F16 and BF16 are; save the model in one of these"
                            .to_owned(),
                    });
                }
            }
            Ok(out)
        })
    }
}

fn convert(data: &[u8], width: usize, out: &mut [f32], read: impl Fn(&[u8], &mut [f32]) + Sync) {
    out.par_chunks_mut(VALUES_A_TASK)
        .zip(data.par_chunks(VALUES_A_TASK * width))
        .for_each(|(out, data)| read(data, out));
}

/// A tensor of one file: name, shape and type, place in the file.
type Entry = (String, TensorInfo, Range<usize>);

/// The tensors of a safetensors file in the order of their data, or the field that is wrong and how.
fn directory(file: &[u8]) -> Result<Vec<Entry>, (String, String)> {
    let header = |e: SafeTensorError| ("header".to_owned(), e.to_string());
    let (header_len, metadata) = SafeTensors::read_metadata(file).map_err(header)?;
    // The library keeps the last of two tensors of one name.
    let text = file.get(8..8 + header_len).unwrap_or_default();
    serde_json::from_slice::<UniqueEntries<IgnoredAny>>(text)
        .map_err(|e| ("header".to_owned(), e.to_string()))?;
    let start = 8 + header_len;
    metadata
        .offset_keys()
        .into_iter()
        .map(|name| {
            let info = metadata
                .info(&name)
                .ok_or_else(|| (name.clone(), "has no entry".to_owned()))?;
            let dtype = dtype(info.dtype);
            let elements = info
                .shape
                .iter()
                .try_fold(1usize, |product, &n| product.checked_mul(n));
            if elements
                .and_then(|n| n.checked_mul(size_of::<f32>()))
                .is_none()
            {
                return Err((name, format!("has the impossible shape {:?}", info.shape)));
            }
            let (from, to) = info.data_offsets;
            Ok((
                name,
                TensorInfo {
                    shape: info.shape.clone(),
                    dtype,
                },
                start + from..start + to,
            ))
        })
        .collect()
}

fn dtype(dtype: Dtype) -> StoredDtype {
    match dtype {
        Dtype::F32 => StoredDtype::F32,
        Dtype::F16 => StoredDtype::F16,
        Dtype::BF16 => StoredDtype::BF16,
        Dtype::BOOL => StoredDtype::Unreadable("BOOL"),
        Dtype::U8 => StoredDtype::Unreadable("U8"),
        Dtype::I8 => StoredDtype::Unreadable("I8"),
        Dtype::U16 => StoredDtype::Unreadable("U16"),
        Dtype::I16 => StoredDtype::Unreadable("I16"),
        Dtype::U32 => StoredDtype::Unreadable("U32"),
        Dtype::I32 => StoredDtype::Unreadable("I32"),
        Dtype::U64 => StoredDtype::Unreadable("U64"),
        Dtype::I64 => StoredDtype::Unreadable("I64"),
        Dtype::F64 => StoredDtype::Unreadable("F64"),
        Dtype::C64 => StoredDtype::Unreadable("C64"),
        Dtype::F4 => StoredDtype::Unreadable("F4"),
        Dtype::F6_E2M3 => StoredDtype::Unreadable("F6_E2M3"),
        Dtype::F6_E3M2 => StoredDtype::Unreadable("F6_E3M2"),
        Dtype::F8_E5M2 => StoredDtype::Unreadable("F8_E5M2"),
        Dtype::F8_E4M3 => StoredDtype::Unreadable("F8_E4M3"),
        Dtype::F8_E8M0 => StoredDtype::Unreadable("F8_E8M0"),
        Dtype::F8_E4M3FNUZ => StoredDtype::Unreadable("F8_E4M3FNUZ"),
        Dtype::F8_E5M2FNUZ => StoredDtype::Unreadable("F8_E5M2FNUZ"),
        _ => StoredDtype::Unreadable("a type newer than this program"),
    }
}

fn malformed(file: &MappedFile, field: String, problem: String) -> CheckpointError {
    CheckpointError::Malformed {
        path: file.path().to_owned(),
        field,
        problem,
        remedy: FETCH_AGAIN,
    }
}

/// Says what is there instead, where it is something known.
fn no_weights(folder: &Path) -> CheckpointError {
    let present = |name: &str| folder.join(name).is_file();
    if let Some(pickle) = ["pytorch_model.bin", "pytorch_model.bin.index.json"]
        .into_iter()
        .find(|name| present(name))
    {
        return CheckpointError::Unsupported {
            path: folder.to_owned(),
            field: "the weights".to_owned(),
            found: pickle.to_owned(),
            supported: "safetensors are; save the model with safe_serialization=True".to_owned(),
        };
    }
    CheckpointError::MissingFile {
        path: folder.join(SINGLE),
        needed_by: format!("the folder has neither it nor {INDEX}"),
        remedy: "fetch the weights",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use safetensors::tensor::{TensorView, serialize};

    fn good() -> Vec<u8> {
        let data: Vec<u8> = (0..48).collect();
        let tensors = [
            (
                "a",
                TensorView::new(Dtype::F32, vec![2, 3], &data[..24]).unwrap(),
            ),
            (
                "b",
                TensorView::new(Dtype::BF16, vec![4], &data[24..32]).unwrap(),
            ),
        ];
        serialize(tensors, None).unwrap()
    }

    #[test]
    fn a_name_used_twice_is_refused() {
        let header = br#"{"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}"#;
        let file = [&(header.len() as u64).to_le_bytes()[..], header].concat();
        let (field, problem) = directory(&file).unwrap_err();
        assert_eq!(field, "header");
        assert!(problem.contains("\"a\" occurs twice"), "{problem}");
    }

    proptest! {
        #[test]
        fn mutated_files_never_panic_and_stay_in_range(edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4), cut: prop::sample::Index) {
            let mut file = good();
            for (at, byte) in edits {
                let at = at.index(file.len());
                file[at] = byte;
            }
            let len = file.len();
            for bytes in [&file[..], &file[..cut.index(len)]] {
                for (_, _, data) in directory(bytes).unwrap_or_default() {
                    prop_assert!(data.start <= data.end && data.end <= bytes.len());
                }
            }
        }
    }
}
