//! The safetensors file of an adapter: keys to pairs of matrices.

use crate::AdapterError;
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use std::{collections::BTreeMap, path::Path};

/// A matrix in f32, row-major.
#[derive(Debug, Clone, PartialEq)]
pub struct Matrix {
    pub rows: usize,
    pub columns: usize,
    pub values: Vec<f32>,
}

/// The two factors of one module's update.
#[derive(Debug, Clone, PartialEq)]
pub struct Pair {
    /// `[rank, in_features]`
    pub a: Matrix,
    /// `[out_features, rank]`
    pub b: Matrix,
}

const PREFIX: &str = "base_model.model.";
const SUFFIX_A: &str = ".lora_A.weight";
const SUFFIX_B: &str = ".lora_B.weight";

/// Parts of keys that PEFT writes for what is not honoured, and what each means.
const KNOWN_PARTS: [(&str, &str); 9] = [
    (
        ".lora_magnitude_vector",
        "is the magnitude of a DoRA adapter",
    ),
    (".lora_embedding_A", "adapts an embedding"),
    (".lora_embedding_B", "adapts an embedding"),
    (
        ".lora_B.bias",
        "is the bias of an adapter trained with lora_bias",
    ),
    (
        ".lora_A.bias",
        "is the bias of an adapter trained with lora_bias",
    ),
    (".modules_to_save.", "is a module saved with the adapter"),
    (".trainable_tokens", "holds retrained token embeddings"),
    (
        ".default.",
        "carries an adapter name, as a training checkpoint does but an adapter that was saved does not",
    ),
    (
        ".bias",
        "is a bias of the base model, saved with the adapter",
    ),
];

/// Reads the file's bytes to one pair of factors a module, keyed by the module's name in the base model.
///
/// # Errors
/// When the file is no safetensors file, a key is unknown, one factor of a pair is missing, the ranks of a pair differ,
/// or a tensor is not a matrix of finite f32, f16 or bf16 values.
pub fn read_pairs(path: &Path, bytes: &[u8]) -> Result<BTreeMap<String, Pair>, AdapterError> {
    let file = SafeTensors::deserialize(bytes).map_err(|error| AdapterError::Weights {
        path: path.to_owned(),
        problem: error.to_string(),
    })?;
    let mut halves: BTreeMap<String, (Option<Matrix>, Option<Matrix>)> = BTreeMap::new();
    let mut tensors = file.tensors();
    tensors.sort_by(|left, right| left.0.cmp(&right.0));
    for (key, view) in tensors {
        let (module, is_a) = module_of(&key).ok_or_else(|| unknown_key(path, &key))?;
        let matrix = read_matrix(path, &key, &view)?;
        let pair = halves.entry(module.to_owned()).or_default();
        *(if is_a { &mut pair.0 } else { &mut pair.1 }) = Some(matrix);
    }
    if halves.is_empty() {
        return Err(AdapterError::Weights {
            path: path.to_owned(),
            problem: "it holds no tensor".into(),
        });
    }
    halves
        .into_iter()
        .map(|(module, halves)| Ok((module.clone(), pair_up(path, &module, halves)?)))
        .collect()
}

/// The module's name and whether the key is that of factor A.
fn module_of(key: &str) -> Option<(&str, bool)> {
    let rest = key.strip_prefix(PREFIX)?;
    let (module, is_a) = match rest.strip_suffix(SUFFIX_A) {
        Some(module) => (module, true),
        None => (rest.strip_suffix(SUFFIX_B)?, false),
    };
    (!module.is_empty()).then_some((module, is_a))
}

fn unknown_key(path: &Path, key: &str) -> AdapterError {
    let meaning = KNOWN_PARTS.iter().find(|(part, _)| key.contains(part)).map_or(
        "is not one of a LoRA adapter (base_model.model.<module>.lora_A.weight or .lora_B.weight)",
        |(_, meaning)| meaning,
    );
    tensor_error(
        path,
        key,
        format!("{meaning} and is not honoured"),
        "train or save the adapter as plain LoRA on linear modules, or merge it into the base with PEFT and evaluate the \
         merged checkpoint",
    )
}

fn pair_up(
    path: &Path,
    module: &str,
    halves: (Option<Matrix>, Option<Matrix>),
) -> Result<Pair, AdapterError> {
    let missing = |suffix: &str| {
        tensor_error(
            path,
            &format!("{PREFIX}{module}{suffix}"),
            "is missing, its counterpart is there".into(),
            "save the adapter again with PEFT's save_pretrained",
        )
    };
    let a = halves.0.ok_or_else(|| missing(SUFFIX_A))?;
    let b = halves.1.ok_or_else(|| missing(SUFFIX_B))?;
    if a.rows != b.columns {
        return Err(tensor_error(
            path,
            &format!("{PREFIX}{module}{SUFFIX_B}"),
            format!(
                "has shape [{}, {}], but lora_A has shape [{}, {}]: the ranks differ",
                b.rows, b.columns, a.rows, a.columns
            ),
            "save the adapter again with PEFT's save_pretrained",
        ));
    }
    Ok(Pair { a, b })
}

fn read_matrix(path: &Path, key: &str, view: &TensorView<'_>) -> Result<Matrix, AdapterError> {
    let &[rows, columns] = view.shape() else {
        return Err(tensor_error(
            path,
            key,
            format!(
                "has shape {:?}, not the two dimensions of a linear module's factor",
                view.shape()
            ),
            "adapt linear modules only (target_modules), convolutions are not supported",
        ));
    };
    if rows == 0 || columns == 0 {
        return Err(tensor_error(
            path,
            key,
            format!("has shape [{rows}, {columns}] and so no values"),
            "save the adapter on one process: a sharded optimiser (ZeRO 3, FSDP) saves empty tensors",
        ));
    }
    let values = to_f32(view).ok_or_else(|| {
        tensor_error(
            path,
            key,
            format!("has dtype {:?}", view.dtype()),
            "store the adapter in float32, float16 or bfloat16",
        )
    })?;
    if let Some(at) = values.iter().position(|value| !value.is_finite()) {
        return Err(tensor_error(
            path,
            key,
            format!(
                "has the non-finite value {} at row {}, column {}",
                values[at],
                at / columns,
                at % columns
            ),
            "the training diverged or overflowed: use an earlier checkpoint of it, or train in bfloat16 or float32",
        ));
    }
    Ok(Matrix {
        rows,
        columns,
        values,
    })
}

fn to_f32(view: &TensorView<'_>) -> Option<Vec<f32>> {
    let data = view.data();
    let values = match view.dtype() {
        Dtype::F32 => data
            .as_chunks::<4>()
            .0
            .iter()
            .map(|&bytes| f32::from_le_bytes(bytes))
            .collect(),
        Dtype::F16 => data
            .as_chunks::<2>()
            .0
            .iter()
            .map(|&bytes| half::f16::from_le_bytes(bytes).to_f32())
            .collect(),
        Dtype::BF16 => data
            .as_chunks::<2>()
            .0
            .iter()
            .map(|&bytes| half::bf16::from_le_bytes(bytes).to_f32())
            .collect(),
        _ => return None,
    };
    Some(values)
}

fn tensor_error(path: &Path, tensor: &str, problem: String, remedy: &str) -> AdapterError {
    AdapterError::Tensor {
        path: path.to_owned(),
        tensor: tensor.to_owned(),
        problem,
        remedy: remedy.to_owned(),
    }
}
