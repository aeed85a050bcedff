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
    /// The file of weights.
    pub weights: PathBuf,
    /// Tensors written.
    pub tensors: usize,
    /// Tensors that the adapter changed.
    pub changed: usize,
    /// Bytes of the file of weights.
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

const NAME: &str = "model.safetensors";

impl MergedCheckpoint<'_> {
    /// Writes `model.safetensors` and the other files of the base's folder `from` to the folder `out`, which must not exist
    /// or be empty, holding one tensor at a time; then reads the file back and compares every byte of every tensor.
    ///
    /// # Errors
    /// When the folder is not empty, a file cannot be read or written, or what was read back is not what was written.
    pub fn write(&self, from: &Path, out: &Path) -> Result<MergeReport, AdapterError> {
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
        if self.untied() {
            let path = out.join("config.json");
            let mut json = serde_json::to_vec_pretty(&self.config())
                .map_err(io::Error::other)
                .map_err(failed(&path))?;
            json.push(b'\n');
            fs::write(&path, json).map_err(failed(&path))?;
        }

        let weights = out.join(NAME);
        let partial = out.join(format!("{NAME}.partial"));
        let header = header(self.tensors());
        let mut bytes = header.len() as u64;
        let mut hashes = Vec::with_capacity(self.tensors().len());
        let mut non_finite = Vec::new();
        let mut file = BufWriter::new(File::create(&partial).map_err(failed(&partial))?);
        file.write_all(&header).map_err(failed(&partial))?;
        for tensor in self.tensors() {
            let data = self.read(tensor)?;
            non_finite.extend(count(tensor, &data));
            hashes.push(hash(&data));
            bytes += data.len() as u64;
            file.write_all(&data).map_err(failed(&partial))?;
        }
        let file = file
            .into_inner()
            .map_err(io::IntoInnerError::into_error)
            .map_err(failed(&partial))?;
        file.sync_all().map_err(failed(&partial))?;
        fs::rename(&partial, &weights).map_err(failed(&weights))?;
        self.check(&weights, &hashes)?;

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

    fn check(&self, weights: &Path, hashes: &[u64]) -> Result<(), AdapterError> {
        let file = TensorFile::open(weights)?;
        for (tensor, written) in self.tensors().iter().zip(hashes) {
            let same_kind = file
                .info(&tensor.name)
                .is_some_and(|info| info.shape == tensor.shape && info.dtype == tensor.dtype);
            let data = encode::encode(tensor.dtype, &file.read_f32(&tensor.name)?);
            if !same_kind || hash(&data) != *written {
                return Err(AdapterError::Write {
                    path: weights.to_owned(),
                    source: io::Error::other(format!(
                        "tensor `{}` reads back as something else than was written",
                        tensor.name
                    )),
                });
            }
        }
        Ok(())
    }
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
