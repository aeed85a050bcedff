//! The parts of one module's update, put together from their tensors.

use super::{
    RawTensor,
    keys::{PREFIX, Part},
    tensor_error,
};
use crate::{AdapterError, LoraUpdate};
use std::path::Path;

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

/// What was found of them so far.
#[derive(Default)]
pub struct Parts {
    a: Option<(Matrix, bool)>,
    b: Option<(Matrix, bool)>,
    magnitude: Option<Vec<f32>>,
    bias: Option<Vec<f32>>,
}

impl Parts {
    /// Takes a tensor in.
    ///
    /// # Errors
    /// When it is there already, or has the wrong number of dimensions.
    pub fn put(&mut self, path: &Path, part: Part, tensor: RawTensor) -> Result<(), AdapterError> {
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

    /// All parts together.
    ///
    /// # Errors
    /// When a factor is missing, or the shapes disagree.
    pub fn join(self, path: &Path, module: &str) -> Result<Factors, AdapterError> {
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
