//! What the merged checkpoint will hold, and each tensor of it on demand.

use super::encode;
use crate::{AdapterError, AdapterUpdate, BaseModel};
use evalh_checkpoint::StoredDtype;
use serde_json::Value;

/// A tensor of the merged checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MergedTensor {
    /// Its name, as in the base's checkpoint.
    pub name: String,
    /// Its shape.
    pub shape: Vec<usize>,
    /// The type it is stored in, that of the base.
    pub dtype: StoredDtype,
    /// Whether the adapter changes it.
    pub changed: bool,
    /// The base's tensor that it begins as: its own, or the table of a head that was tied to it.
    from: String,
}

impl MergedTensor {
    /// Bytes of the values.
    pub fn bytes(&self) -> usize {
        self.shape.iter().product::<usize>() * encode::width(self.dtype).unwrap_or(0)
    }
}

/// A base with an adapter merged into it: planned at once, its tensors computed one at a time.
///
/// What PEFT's `merge_and_unload` gives, each tensor in the base's type, rounded once. A head that is tied to the embeddings
/// stays so where both come out the same or an update touches the embeddings alone (PEFT merges in place, so the head moves
/// with them); it gets values of its own, and `tie_word_embeddings` becomes false, where the adapter changes the head or
/// replaces the embeddings.
#[derive(Debug)]
pub struct MergedCheckpoint<'a> {
    base: BaseModel<'a>,
    update: &'a AdapterUpdate,
    tensors: Vec<MergedTensor>,
    untied: bool,
    left_out: Vec<String>,
}

impl<'a> MergedCheckpoint<'a> {
    /// Plans the merge of an update that was resolved with the layout of `base`.
    ///
    /// # Errors
    /// When the base is quantised, or has no tensor for something that the adapter changes.
    pub fn plan(
        base: BaseModel<'a>,
        update: &'a AdapterUpdate,
    ) -> Result<MergedCheckpoint<'a>, AdapterError> {
        let source = base.source();
        if source
            .config()
            .get("quantization_config")
            .is_some_and(|settings| !settings.is_null())
        {
            return Err(quantised("its config.json has a quantization_config"));
        }
        let mut merged = MergedCheckpoint {
            base,
            update,
            tensors: Vec::new(),
            untied: false,
            left_out: Vec::new(),
        };
        for name in source.tensor_names() {
            merged.add(&name)?;
        }
        merged.add_head()?;
        merged.check_complete()?;
        Ok(merged)
    }

    /// The tensors, in the order of the base.
    pub fn tensors(&self) -> &[MergedTensor] {
        &self.tensors
    }

    /// Whether a head that was tied to the embeddings has values of its own now.
    pub fn untied(&self) -> bool {
        self.untied
    }

    /// Tensors of the base that are no weights (of whole numbers, as positions are) and are left out.
    pub fn left_out(&self) -> &[String] {
        &self.left_out
    }

    /// The config of the base, with `tie_word_embeddings` off where the head was untied.
    pub fn config(&self) -> Value {
        let mut config = self.base.source().config().clone();
        if self.untied
            && let Some(fields) = config.as_object_mut()
        {
            fields.insert("tie_word_embeddings".into(), Value::Bool(false));
        }
        config
    }

    /// The merged values of one of [`MergedCheckpoint::tensors`], before they are rounded to its type.
    ///
    /// # Errors
    /// When the base's tensor cannot be read.
    pub fn values(&self, tensor: &MergedTensor) -> Result<Vec<f32>, AdapterError> {
        let mut saved = self.update.saved.iter();
        let mut values = match saved.find(|saved| saved.name == tensor.name) {
            Some(saved) => saved.values.clone(),
            None => self.base.source().read_f32(&tensor.from)?,
        };
        self.update
            .merge_tensor(self.base.layout(), &tensor.name, &mut values);
        Ok(values)
    }

    /// The same as little-endian bytes of its type.
    ///
    /// # Errors
    /// When the base's tensor cannot be read.
    pub fn read(&self, tensor: &MergedTensor) -> Result<Vec<u8>, AdapterError> {
        Ok(encode::encode(tensor.dtype, &self.values(tensor)?))
    }

    fn add(&mut self, name: &str) -> Result<(), AdapterError> {
        let Some(info) = self.base.source().tensor(name) else {
            return Ok(());
        };
        let changed = self.update.changes(name);
        if encode::width(info.dtype).is_none() {
            if matches!(info.dtype, StoredDtype::Unreadable(_)) && !changed {
                self.left_out.push(name.to_owned());
                return Ok(());
            }
            return Err(quantised(&format!(
                "its tensor `{name}` is stored as {}",
                info.dtype
            )));
        }
        self.tensors.push(MergedTensor {
            name: name.to_owned(),
            shape: info.shape,
            dtype: info.dtype,
            changed,
            from: name.to_owned(),
        });
        Ok(())
    }

    /// A tied head that the adapter sets apart from the embeddings.
    fn add_head(&mut self) -> Result<(), AdapterError> {
        let Some(head) = &self.base.layout().output_head else {
            return Ok(());
        };
        let name = format!("{head}.weight");
        let tied =
            self.base.source().config().get("tie_word_embeddings") == Some(&Value::Bool(true));
        match self.base.tied_table(&name) {
            None => {
                // Stored twice although it is tied: a reader would drop what was merged into the head.
                self.untied =
                    tied && self.base.table_like(&name).is_some() && self.update.changes(&name);
                Ok(())
            }
            Some(table) => {
                let replaced = self.update.saved.iter().any(|saved| saved.name == table);
                if !replaced && !self.update.changes(&name) {
                    return Ok(());
                }
                let Some(first) = self.tensors.iter().find(|tensor| tensor.name == table) else {
                    return Ok(());
                };
                let own = MergedTensor {
                    name,
                    changed: true,
                    from: table,
                    ..first.clone()
                };
                if self.read(&own)? != self.read(first)? {
                    self.untied = true;
                    self.tensors.push(own);
                }
                Ok(())
            }
        }
    }

    /// Refuses what would be lost.
    fn check_complete(&self) -> Result<(), AdapterError> {
        let source = self.base.source();
        let is_there =
            |name: &str| source.tensor(name).is_some() || self.base.tied_table(name).is_some();
        for update in &self.update.lora {
            let weight = format!("{}.weight", update.module);
            let bias = format!("{}.bias", update.module);
            if !is_there(&weight) {
                return Err(missing(&weight));
            }
            if update.bias.is_some() && !is_there(&bias) {
                return Err(AdapterError::Merge {
                    problem: format!(
                        "the adapter has a bias for module `{}`, which has none in the base",
                        update.module
                    ),
                    remedy: "apply it unmerged: PEFT cannot merge it either".into(),
                });
            }
        }
        match self
            .update
            .saved
            .iter()
            .find(|saved| !is_there(&saved.name))
        {
            Some(saved) => Err(missing(&saved.name)),
            None => Ok(()),
        }
    }
}

fn missing(tensor: &str) -> AdapterError {
    AdapterError::Merge {
        problem: format!(
            "the adapter changes `{tensor}`, which the base's checkpoint does not have"
        ),
        remedy: "merge into a checkpoint that has it, for example one saved with its head".into(),
    }
}

fn quantised(what: &str) -> AdapterError {
    AdapterError::Merge {
        problem: format!(
            "the base is quantised: {what}; rounding to it would lose most of the update"
        ),
        remedy:
            "merge into the checkpoint in full precision (F32, F16 or BF16) and quantise the result"
                .into(),
    }
}
