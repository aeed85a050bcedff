//! Writes a merged checkpoint to a folder, and reads it back.

use super::{MergedCheckpoint, MergedTensor, encode, files};
use crate::{AdapterError, NonFinite};
use evalh_checkpoint::TensorFile;
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::{
    fs::{self, File},
    hash::{DefaultHasher, Hasher},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MergeReport {
    /// The files of weights.
    pub weights: Vec<PathBuf>,
    /// Tensors written.
    pub tensors: usize,
    /// Tensors that the adapter changed.
    pub changed: usize,
    /// Bytes of the files of weights.
    pub bytes: u64,
    /// Whether a head that was tied to the embeddings was written apart.
    pub untied: bool,
    /// Tensors of the base that are no weights and were left out.
    pub left_out: Vec<String>,
    /// Tensors with values that are NaN or infinite once rounded to the base's type.
    pub non_finite: Vec<NonFinite>,
    /// Files copied from the base.
    pub copied: Vec<String>,
}

/// The largest file of weights, as transformers has it; a larger tensor has a file of its own.
const LARGEST_FILE: usize = 5_000_000_000;
const NAME: &str = "model.safetensors";
const INDEX: &str = "model.safetensors.index.json";

impl MergedCheckpoint<'_> {
    /// Writes `model.safetensors` (above 5 GB several files with their index) and the other files of the base's folder
    /// `from` to the folder `out`, which must not exist or be empty, holding one tensor at a time; then reads the files back
    /// and compares every byte of every tensor.
    ///
    /// # Errors
    /// When the folder is not empty, a file cannot be read or written, or what was read back is not what was written.
    pub fn write(&self, from: &Path, out: &Path) -> Result<MergeReport, AdapterError> {
        self.write_in_files_of(LARGEST_FILE, from, out)
    }

    /// [`MergedCheckpoint::write`] with files of weights of at most so many bytes of values.
    ///
    /// # Errors
    /// As [`MergedCheckpoint::write`].
    pub fn write_in_files_of(
        &self,
        largest: usize,
        from: &Path,
        out: &Path,
    ) -> Result<MergeReport, AdapterError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| AdapterError::Write { path, source }
        };
        fs::create_dir_all(out).map_err(failed(out))?;
        if fs::read_dir(out).map_err(failed(out))?.next().is_some() {
            return Err(AdapterError::Write {
                path: out.to_owned(),
                source: io::ErrorKind::DirectoryNotEmpty.into(),
            });
        }
        let copied = files::copy(from, out).map_err(failed(out))?;
        let path = out.join("config.json");
        let config = self.config();
        // The file is kept to the byte where it says the same.
        let copied_config = fs::read(&path).ok();
        let copied_config = copied_config.and_then(|json| serde_json::from_slice(&json).ok());
        if self.untied() || copied_config.is_some_and(|copied: Value| copied != config) {
            let mut json = serde_json::to_vec_pretty(&config)
                .map_err(io::Error::other)
                .map_err(failed(&path))?;
            json.push(b'\n');
            fs::write(&path, json).map_err(failed(&path))?;
        }

        let parts = parts(self.tensors(), largest);
        let mut weights = Vec::with_capacity(parts.len());
        let (mut bytes, mut non_finite) = (0, Vec::new());
        for (number, tensors) in parts.iter().enumerate() {
            let path = out.join(file_name(number, parts.len()));
            let hashes = self.write_file(&path, tensors, &mut non_finite)?;
            bytes += fs::metadata(&path).map_err(failed(&path))?.len();
            check(&path, tensors, &hashes)?;
            weights.push(path);
        }
        if parts.len() > 1 {
            let path = out.join(INDEX);
            fs::write(&path, index(&parts)).map_err(failed(&path))?;
        }

        Ok(MergeReport {
            tensors: self.tensors().len(),
            changed: self.tensors().iter().filter(|t| t.changed).count(),
            bytes,
            untied: self.untied(),
            left_out: self.left_out().to_vec(),
            non_finite,
            copied,
            weights,
        })
    }

    /// Writes one file, under another name until it is whole, and gives the hash of each tensor's bytes.
    fn write_file(
        &self,
        path: &Path,
        tensors: &[MergedTensor],
        non_finite: &mut Vec<NonFinite>,
    ) -> Result<Vec<u64>, AdapterError> {
        let partial = path.with_extension("safetensors.partial");
        let failed = |source| AdapterError::Write {
            path: partial.clone(),
            source,
        };
        let mut hashes = Vec::with_capacity(tensors.len());
        let mut file = BufWriter::new(File::create(&partial).map_err(failed)?);
        file.write_all(&header(tensors)).map_err(failed)?;
        for tensor in tensors {
            let data = self.read(tensor)?;
            non_finite.extend(count(tensor, &data));
            hashes.push(hash(&data));
            file.write_all(&data).map_err(failed)?;
        }
        let file = file
            .into_inner()
            .map_err(io::IntoInnerError::into_error)
            .map_err(failed)?;
        file.sync_all().map_err(failed)?;
        fs::rename(&partial, path).map_err(failed)?;
        Ok(hashes)
    }
}

/// Reads a file back.
fn check(path: &Path, tensors: &[MergedTensor], hashes: &[u64]) -> Result<(), AdapterError> {
    let file = TensorFile::open(path)?;
    for (tensor, written) in tensors.iter().zip(hashes) {
        let same_kind = file
            .info(&tensor.name)
            .is_some_and(|info| info.shape == tensor.shape && info.dtype == tensor.dtype);
        let data = encode::encode(tensor.dtype, &file.read_f32(&tensor.name)?);
        if !same_kind || hash(&data) != *written {
            return Err(AdapterError::Write {
                path: path.to_owned(),
                source: io::Error::other(format!(
                    "tensor `{}` reads back as something else than was written",
                    tensor.name
                )),
            });
        }
    }
    Ok(())
}

/// The tensors in their order, dealt out to files of at most `largest` bytes.
fn parts(tensors: &[MergedTensor], largest: usize) -> Vec<&[MergedTensor]> {
    let mut parts = Vec::new();
    let (mut first, mut held) = (0, 0usize);
    for (place, tensor) in tensors.iter().enumerate() {
        if place > first && held.saturating_add(tensor.bytes()) > largest {
            parts.push(&tensors[first..place]);
            (first, held) = (place, 0);
        }
        held = held.saturating_add(tensor.bytes());
    }
    parts.push(&tensors[first..]);
    parts
}

fn file_name(number: usize, all: usize) -> String {
    match all {
        1 => NAME.to_owned(),
        _ => format!("model-{:05}-of-{all:05}.safetensors", number + 1),
    }
}

fn index(parts: &[&[MergedTensor]]) -> String {
    let mut files = Map::new();
    for (number, tensors) in parts.iter().enumerate() {
        for tensor in *tensors {
            files.insert(tensor.name.clone(), file_name(number, parts.len()).into());
        }
    }
    let total: usize = parts
        .iter()
        .copied()
        .flatten()
        .map(MergedTensor::bytes)
        .sum();
    let index = json!({"metadata": {"total_size": total}, "weight_map": files});
    format!("{index:#}\n")
}

/// The length and the JSON that a safetensors file begins with, filled up so that the values are aligned.
fn header(tensors: &[MergedTensor]) -> Vec<u8> {
    let mut fields = Map::new();
    fields.insert("__metadata__".into(), json!({"format": "pt"}));
    let mut start = 0;
    for tensor in tensors {
        let end = start + tensor.bytes();
        fields.insert(
            tensor.name.clone(),
            json!({"dtype": tensor.dtype.to_string(), "shape": tensor.shape, "data_offsets": [start, end]}),
        );
        start = end;
    }
    let mut json = Value::Object(fields).to_string().into_bytes();
    json.resize(json.len().next_multiple_of(8), b' ');
    let mut header = (json.len() as u64).to_le_bytes().to_vec();
    header.append(&mut json);
    header
}

fn hash(data: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(data);
    hasher.finish()
}

/// Values that are no numbers in the type they are stored in, where f16 may have overflowed.
fn count(tensor: &MergedTensor, data: &[u8]) -> Option<NonFinite> {
    NonFinite::count(&tensor.name, &encode::decode(tensor.dtype, data))
}
