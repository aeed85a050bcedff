//! What the tensors of a file say: the parts of updates put together, and tensors saved whole.

use super::{
    NonFinite, RawTensor,
    keys::Key,
    parts::{Factors, Parts},
    tensor_error,
};
use crate::{AdapterError, LoraConfig, SavedTensor};
use std::{collections::BTreeMap, path::Path};

/// All that the file holds.
#[derive(Debug, Clone, Default)]
pub struct Contents {
    /// Updates by module.
    pub factors: BTreeMap<String, Factors>,
    /// Tensors of the model by name.
    pub saved: BTreeMap<String, SavedTensor>,
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
