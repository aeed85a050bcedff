//! What the tensors of a file say: the parts of updates put together, and tensors saved whole.

use super::{
    NonFinite, RawTensor,
    keys::{Key, PREFIX, Part},
    tensor_error,
};
use crate::{AdapterError, LoraConfig, LoraUpdate, SavedTensor};
use std::{collections::BTreeMap, path::Path};

/// A matrix in f32, row-major.
#[derive(Debug, Clone, PartialEq)]
pub struct Matrix {
    pub rows: usize,
    pub columns: usize,
    pub values: Vec<f32>,
}

/// The parts of one module's update.
#[derive(Debug, Clone, PartialEq)]
pub struct Factors {
    /// `[rank, in]`, of an embedding `[rank, vocabulary]`
    pub a: Matrix,
    /// `[out, rank]`, of an embedding `[width, rank]`
    pub b: Matrix,
    /// The factors are those of an embedding.
    pub embedding: bool,
    /// `[out]`
    pub magnitude: Option<Vec<f32>>,
    /// `[out]`, not scaled
    pub bias: Option<Vec<f32>>,
}

impl Factors {
    /// The update of the module of this name, at this scale.
    pub fn update(&self, module: &str, scale: f32) -> LoraUpdate {
        LoraUpdate {
            module: module.to_owned(),
            rank: self.a.rows,
            scale,
            a: self.a.values.clone(),
            b: self.b.values.clone(),
            magnitude: self.magnitude.clone(),
            bias: self
                .bias
                .as_ref()
                .map(|bias| bias.iter().map(|value| value * scale).collect()),
        }
    }

    /// Parameters of all parts.
    pub fn parameters(&self) -> usize {
        let optional = |part: &Option<Vec<f32>>| part.as_ref().map_or(0, Vec::len);
        self.a.values.len() + self.b.values.len() + optional(&self.magnitude) + optional(&self.bias)
    }
}

/// All that the file holds.
#[derive(Debug, Clone, Default)]
pub struct Contents {
    /// Updates by module.
    pub factors: BTreeMap<String, Factors>,
    /// Tensors of the model by name.
    pub saved: BTreeMap<String, SavedTensor>,
}

#[derive(Default)]
struct Parts {
    a: Option<(Matrix, bool)>,
    b: Option<(Matrix, bool)>,
    magnitude: Option<Vec<f32>>,
    bias: Option<Vec<f32>>,
}

impl Contents {
    /// Sorts the tensors of a file.
    ///
    /// # Errors
    /// When there is none, a key is unknown, a part of an update is missing or there twice, parts disagree, or a tensor
    /// has no values, or values that are not finite.
    pub fn of(
        path: &Path,
        config: &LoraConfig,
        tensors: Vec<RawTensor>,
    ) -> Result<Contents, AdapterError> {
        if tensors.is_empty() {
            return Err(AdapterError::Empty {
                path: path.to_owned(),
            });
        }
        let mut parts: BTreeMap<String, Parts> = BTreeMap::new();
        let mut direct = BTreeMap::new();
        let mut wrapped = BTreeMap::new();
        for tensor in tensors {
            match Key::read(&tensor.key) {
                Key::Update { module, part } => {
                    parts
                        .entry(module)
                        .or_default()
                        .put(path, part, checked(path, tensor)?)?;
                }
                Key::Saved {
                    tensor: name,
                    wrapped: is_wrapped,
                } => {
                    let tensor = checked(path, tensor)?;
                    let saved = SavedTensor {
                        name: name.clone(),
                        shape: tensor.shape,
                        values: tensor.values,
                    };
                    (if is_wrapped {
                        &mut wrapped
                    } else {
                        &mut direct
                    })
                    .insert(name, saved);
                }
                Key::Replaced => {}
                Key::Training if config.training_state => {}
                Key::Training => {
                    return Err(foreign(
                        path,
                        &tensor.key,
                        "is of a method that adapter_config.json does not name",
                    ));
                }
                Key::Foreign(meaning) => return Err(foreign(path, &tensor.key, meaning)),
            }
        }
        // PEFT reads the key without the wrapper; with bias "all" it saves some under both.
        wrapped.append(&mut direct);
        let factors = parts
            .into_iter()
            .map(|(module, parts)| Ok((module.clone(), parts.join(path, &module)?)))
            .collect::<Result<_, AdapterError>>()?;
        Ok(Contents {
            factors,
            saved: wrapped,
        })
    }
}

impl Parts {
    fn put(&mut self, path: &Path, part: Part, tensor: RawTensor) -> Result<(), AdapterError> {
        let key = tensor.key.clone();
        let twice = match part {
            Part::A => self.a.replace((matrix(path, tensor)?, false)).is_some(),
            Part::EmbeddingA => self.a.replace((matrix(path, tensor)?, true)).is_some(),
            Part::B => self.b.replace((matrix(path, tensor)?, false)).is_some(),
            Part::EmbeddingB => self.b.replace((matrix(path, tensor)?, true)).is_some(),
            Part::Magnitude => self.magnitude.replace(vector(path, tensor)?).is_some(),
            Part::Bias => self.bias.replace(vector(path, tensor)?).is_some(),
        };
        if twice {
            return Err(tensor_error(
                path,
                &key,
                "is there twice, in two spellings".into(),
                SAVE_AGAIN,
            ));
        }
        Ok(())
    }

    fn join(self, path: &Path, module: &str) -> Result<Factors, AdapterError> {
        let missing = |end: &str| {
            tensor_error(
                path,
                &format!("{PREFIX}{module}.{end}"),
                "is missing, its counterpart is there".into(),
                SAVE_AGAIN,
            )
        };
        let kind = match (&self.a, &self.b) {
            (Some((_, embedding)), _) | (None, Some((_, embedding))) => *embedding,
            (None, None) => return Err(missing("lora_A.weight")),
        };
        let names = if kind {
            ["lora_embedding_A", "lora_embedding_B"]
        } else {
            ["lora_A.weight", "lora_B.weight"]
        };
        let (a, _) = self.a.ok_or_else(|| missing(names[0]))?;
        let (b, same) = self.b.ok_or_else(|| missing(names[1]))?;
        if same != kind {
            return Err(missing(names[1]));
        }
        let disagree = |end: &str, problem: String| {
            tensor_error(
                path,
                &format!("{PREFIX}{module}.{end}"),
                problem,
                SAVE_AGAIN,
            )
        };
        if a.rows != b.columns {
            return Err(disagree(
                names[1],
                format!(
                    "has shape [{}, {}], but {} has shape [{}, {}]: the ranks differ",
                    b.rows, b.columns, names[0], a.rows, a.columns
                ),
            ));
        }
        for (part, end) in [
            (&self.magnitude, "lora_magnitude_vector"),
            (&self.bias, "lora_B.bias"),
        ] {
            if let Some(values) = part
                && values.len() != b.rows
            {
                return Err(disagree(
                    end,
                    format!(
                        "has {} values, but {} has {} rows",
                        values.len(),
                        names[1],
                        b.rows
                    ),
                ));
            }
        }
        Ok(Factors {
            a,
            b,
            embedding: kind,
            magnitude: self.magnitude,
            bias: self.bias,
        })
    }
}

const SAVE_AGAIN: &str = "save the adapter again with PEFT's save_pretrained";

fn foreign(path: &Path, key: &str, meaning: &str) -> AdapterError {
    tensor_error(
        path,
        key,
        format!("{meaning} and is not honoured"),
        "train or save the adapter without it, or merge it into the base with PEFT and evaluate the merged checkpoint",
    )
}

/// The tensor, if it has values and all are numbers.
fn checked(path: &Path, tensor: RawTensor) -> Result<RawTensor, AdapterError> {
    if tensor.values.is_empty() {
        return Err(tensor_error(
            path,
            &tensor.key,
            format!("has shape {:?} and so no values", tensor.shape),
            "save the adapter on one process: a sharded optimiser (ZeRO 3, FSDP) saves empty tensors",
        ));
    }
    if let Some(count) = NonFinite::count(&tensor.key, &tensor.values) {
        let at = tensor
            .values
            .iter()
            .position(|value| !value.is_finite())
            .unwrap_or_default();
        let columns = tensor.shape.last().copied().unwrap_or(1).max(1);
        return Err(tensor_error(
            path,
            &tensor.key,
            format!(
                "has {} NaN and {} infinite values among its {}, the first, {}, at row {}, column {}",
                count.nan,
                count.infinite,
                count.values,
                tensor.values[at],
                at / columns,
                at % columns
            ),
            "the training diverged or overflowed: use an earlier checkpoint of it, or train in bfloat16 or float32",
        ));
    }
    Ok(tensor)
}

fn matrix(path: &Path, tensor: RawTensor) -> Result<Matrix, AdapterError> {
    match tensor.shape[..] {
        [rows, columns] => Ok(Matrix {
            rows,
            columns,
            values: tensor.values,
        }),
        _ => Err(tensor_error(
            path,
            &tensor.key,
            format!(
                "has shape {:?}, not the two dimensions of a module's factor",
                tensor.shape
            ),
            "adapt linear modules and embeddings only (target_modules): convolutions are not supported, and a factor of \
             one dimension is a shard (ZeRO 3, FSDP) of a whole",
        )),
    }
}

fn vector(path: &Path, tensor: RawTensor) -> Result<Vec<f32>, AdapterError> {
    match tensor.shape[..] {
        [_] => Ok(tensor.values),
        _ => Err(tensor_error(
            path,
            &tensor.key,
            format!("has shape {:?}, not one dimension", tensor.shape),
            "adapt linear modules and embeddings only (target_modules): convolutions are not supported",
        )),
    }
}
