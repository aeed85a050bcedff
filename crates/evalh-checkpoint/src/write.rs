//! Plain safetensors checkpoints, written tensor by tensor.

use crate::{CheckpointError, StoredDtype};
use half::{bf16, f16};
use serde_json::{Map, Value, json};
use std::{
    fs::File,
    io::{self, BufWriter, Write as _},
    path::{Path, PathBuf},
};

/// A tensor that is to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedTensor {
    /// Its Hugging Face name.
    pub name: String,
    /// Its shape, outermost first.
    pub shape: Vec<usize>,
    /// The type to store it in: F32, F16 or BF16.
    pub dtype: StoredDtype,
}

impl PlannedTensor {
    fn bytes(&self) -> u64 {
        let values = self
            .shape
            .iter()
            .map(|&extent| extent as u64)
            .product::<u64>();
        values * value_bytes(self.dtype)
    }
}

/// Writes the weights of a Hugging Face folder: `model.safetensors`, or shards of at most a given size with their index.
///
/// Only one tensor is in memory at a time.
#[derive(Debug)]
pub struct WeightWriter {
    folder: PathBuf,
    shards: Vec<Vec<PlannedTensor>>,
}

impl WeightWriter {
    /// Deals the tensors out, in their order, to shards of at most `shard_bytes`; a larger tensor has one of its own.
    pub fn plan(folder: &Path, tensors: Vec<PlannedTensor>, shard_bytes: u64) -> WeightWriter {
        let mut shards: Vec<Vec<PlannedTensor>> = Vec::new();
        let mut room = 0;
        for tensor in tensors {
            let bytes = tensor.bytes();
            if shards.is_empty() || bytes > room {
                shards.push(Vec::new());
                room = shard_bytes;
            }
            room = room.saturating_sub(bytes);
            if let Some(shard) = shards.last_mut() {
                shard.push(tensor);
            }
        }
        WeightWriter {
            folder: folder.to_owned(),
            shards,
        }
    }

    /// The files that will be written, the index last where there is one.
    pub fn files(&self) -> Vec<PathBuf> {
        let shards = (0..self.shards.len()).map(|shard| self.folder.join(self.name(shard)));
        let index = (self.shards.len() > 1).then(|| self.folder.join(INDEX));
        shards.chain(index).collect()
    }

    /// Writes every tensor with the values that `values` gives for it, and the index.
    ///
    /// # Errors
    /// When a file cannot be written, a value cannot be given, does not fit its type, or there are more or fewer of them
    /// than the shape says.
    pub fn write<E: From<CheckpointError>>(
        &self,
        mut values: impl FnMut(&PlannedTensor) -> Result<Vec<f32>, E>,
    ) -> Result<(), E> {
        for (number, shard) in self.shards.iter().enumerate() {
            let path = self.folder.join(self.name(number));
            let io = |source| CheckpointError::Write {
                path: path.clone(),
                source,
            };
            let mut file = BufWriter::new(File::create(&path).map_err(io)?);
            file.write_all(&header(shard)).map_err(io)?;
            for tensor in shard {
                let values = values(tensor)?;
                let bytes = encode(tensor, &values).map_err(|problem| CheckpointError::Store {
                    path: path.clone(),
                    tensor: tensor.name.clone(),
                    problem,
                })?;
                file.write_all(&bytes).map_err(io)?;
            }
            file.into_inner()
                .map_err(io::IntoInnerError::into_error)
                .and_then(|file| file.sync_all())
                .map_err(io)?;
        }
        if self.shards.len() > 1 {
            self.write_index()?;
        }
        Ok(())
    }

    fn name(&self, shard: usize) -> String {
        match self.shards.len() {
            1 => "model.safetensors".to_owned(),
            all => format!("model-{:05}-of-{all:05}.safetensors", shard + 1),
        }
    }

    fn write_index(&self) -> Result<(), CheckpointError> {
        let mut map = Map::new();
        for (number, shard) in self.shards.iter().enumerate() {
            for tensor in shard {
                map.insert(tensor.name.clone(), self.name(number).into());
            }
        }
        let total: u64 = self.shards.iter().flatten().map(PlannedTensor::bytes).sum();
        let index = json!({ "metadata": { "total_size": total }, "weight_map": map });
        let path = self.folder.join(INDEX);
        std::fs::write(&path, format!("{index:#}\n"))
            .map_err(|source| CheckpointError::Write { path, source })
    }
}

const INDEX: &str = "model.safetensors.index.json";

/// The length and the JSON of a shard's header, filled up so that the values are aligned.
fn header(shard: &[PlannedTensor]) -> Vec<u8> {
    let mut entries = Map::new();
    entries.insert("__metadata__".to_owned(), json!({ "format": "pt" }));
    let mut at = 0;
    for tensor in shard {
        let end = at + tensor.bytes();
        let entry: Value = json!({
            "dtype": tensor.dtype.to_string(),
            "shape": tensor.shape,
            "data_offsets": [at, end],
        });
        entries.insert(tensor.name.clone(), entry);
        at = end;
    }
    let mut json = Value::Object(entries).to_string().into_bytes();
    json.resize(json.len().next_multiple_of(8), b' ');
    let mut bytes = (json.len() as u64).to_le_bytes().to_vec();
    bytes.extend(json);
    bytes
}

fn value_bytes(dtype: StoredDtype) -> u64 {
    match dtype {
        StoredDtype::F16 | StoredDtype::BF16 => 2,
        _ => 4,
    }
}

fn encode(tensor: &PlannedTensor, values: &[f32]) -> Result<Vec<u8>, String> {
    let expected: usize = tensor.shape.iter().product();
    if values.len() != expected {
        return Err(format!(
            "it has {} values, and its shape {expected}",
            values.len()
        ));
    }
    let rounded = |to_bits: fn(f32) -> u16, back: fn(u16) -> f32| {
        let mut bytes = Vec::with_capacity(values.len() * 2);
        for &value in values {
            let bits = to_bits(value);
            if value.is_finite() && !back(bits).is_finite() {
                return Err(format!(
                    "{value} is too large for {}; store it in F32",
                    tensor.dtype
                ));
            }
            bytes.extend(bits.to_le_bytes());
        }
        Ok(bytes)
    };
    match tensor.dtype {
        StoredDtype::F32 => Ok(values
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect()),
        StoredDtype::F16 => rounded(
            |value| f16::from_f32(value).to_bits(),
            |bits| f16::from_bits(bits).to_f32(),
        ),
        StoredDtype::BF16 => rounded(
            |value| bf16::from_f32(value).to_bits(),
            |bits| bf16::from_bits(bits).to_f32(),
        ),
        other => Err(format!(
            "{other} cannot be written; store it in F32, F16 or BF16"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TensorFile;

    fn tensor(name: &str, shape: &[usize], dtype: StoredDtype) -> PlannedTensor {
        PlannedTensor {
            name: name.to_owned(),
            shape: shape.to_vec(),
            dtype,
        }
    }

    fn values(tensor: &PlannedTensor) -> Result<Vec<f32>, CheckpointError> {
        Ok((0..tensor.shape.iter().product::<usize>())
            .map(|i| i as f32 * 0.3 - 1.0)
            .collect())
    }

    #[test]
    fn what_is_written_is_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let plan = vec![
            tensor("a", &[2, 3], StoredDtype::F32),
            tensor("b", &[5], StoredDtype::BF16),
            tensor("c", &[0, 4], StoredDtype::F16),
            tensor("d", &[4], StoredDtype::F16),
        ];
        let writer = WeightWriter::plan(folder.path(), plan.clone(), 1 << 20);
        writer.write(values).unwrap();
        assert_eq!(writer.files(), [folder.path().join("model.safetensors")]);
        let file = TensorFile::open(&writer.files()[0]).unwrap();
        assert_eq!(file.names().collect::<Vec<_>>(), ["a", "b", "c", "d"]);
        for tensor in plan {
            let info = file.info(&tensor.name).unwrap();
            assert_eq!(
                (info.shape, info.dtype),
                (tensor.shape.clone(), tensor.dtype)
            );
            let round: fn(f32) -> f32 = match tensor.dtype {
                StoredDtype::BF16 => |value| bf16::from_f32(value).to_f32(),
                StoredDtype::F16 => |value| f16::from_f32(value).to_f32(),
                _ => |value| value,
            };
            let expected: Vec<f32> = values(&tensor).unwrap().into_iter().map(round).collect();
            assert_eq!(file.read_f32(&tensor.name).unwrap(), expected);
        }
    }

    #[test]
    fn shards_are_full_but_not_too_large() {
        let folder = tempfile::tempdir().unwrap();
        let sizes = [10, 10, 30, 4, 4];
        let plan = sizes.iter().enumerate();
        let plan = plan.map(|(i, &size)| tensor(&format!("t{i}"), &[size], StoredDtype::F32));
        let writer = WeightWriter::plan(folder.path(), plan.collect(), 80);
        let names: Vec<Vec<&str>> = writer
            .shards
            .iter()
            .map(|shard| shard.iter().map(|t| t.name.as_str()).collect())
            .collect();
        assert_eq!(names, [vec!["t0", "t1"], vec!["t2"], vec!["t3", "t4"]]);
        writer.write(values).unwrap();
        let index: Value =
            serde_json::from_slice(&std::fs::read(folder.path().join(INDEX)).unwrap()).unwrap();
        assert_eq!(index["metadata"]["total_size"], 58 * 4);
        assert_eq!(
            index["weight_map"]["t2"],
            "model-00002-of-00003.safetensors"
        );
        assert!(writer.files().iter().all(|file| file.is_file()));
    }

    #[test]
    fn a_value_that_does_not_fit_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        for (dtype, value, said) in [
            (StoredDtype::F16, 70_000.0, "too large for F16"),
            (StoredDtype::Q4_0, 1.0, "cannot be written"),
        ] {
            let plan = vec![tensor("w", &[1], dtype)];
            let writer = WeightWriter::plan(folder.path(), plan, 80);
            let error = writer
                .write(|_| Ok::<_, CheckpointError>(vec![value]))
                .unwrap_err()
                .to_string();
            assert!(error.contains("`w`") && error.contains(said), "{error}");
        }
        let writer =
            WeightWriter::plan(folder.path(), vec![tensor("w", &[2], StoredDtype::F32)], 80);
        let error = writer
            .write(|_| Ok::<_, CheckpointError>(vec![1.0]))
            .unwrap_err();
        assert!(error.to_string().contains("1 values"), "{error}");
    }
}
