//! An adapter's updates, by what they change.

use crate::ModelError;
use evalh_adapter::{AdapterUpdate, LoraUpdate, ModelLayout, SavedTensor, TargetModule};
use std::collections::HashMap;

/// The updates of an adapter, each known to fit the model.
#[derive(Debug)]
pub(crate) struct Updates<'a> {
    lora: HashMap<&'a str, Vec<&'a LoraUpdate>>,
    saved: HashMap<&'a str, &'a SavedTensor>,
}

impl<'a> Updates<'a> {
    /// Sorts an adapter's updates.
    ///
    /// # Errors
    /// When one names what the model does not have, or has another shape.
    pub(crate) fn new(update: &'a AdapterUpdate, layout: &ModelLayout) -> Result<Self, ModelError> {
        let modules: HashMap<&str, &TargetModule> = layout
            .modules
            .iter()
            .map(|module| (module.name.as_str(), module))
            .collect();
        let wrong = |module: &str, problem: String| ModelError::Update {
            module: module.to_owned(),
            problem,
        };
        let mut lora = HashMap::<_, Vec<_>>::new();
        for update in &update.lora {
            let name = update.module.as_str();
            let Some(module) = modules.get(name) else {
                return Err(wrong(name, "the model has no such module".into()));
            };
            let shape = [module.out_features, module.in_features];
            let found = [update.out_features(), update.in_features()];
            if found != shape || update.rank == 0 {
                let problem = format!("the update is {found:?}, the module {shape:?}");
                return Err(wrong(name, problem));
            }
            lora.entry(name).or_default().push(update);
        }
        let mut saved = HashMap::new();
        for tensor in &update.saved {
            let name = tensor.name.as_str();
            match layout.tensors.get(name) {
                None => return Err(wrong(name, "the model has no such tensor".into())),
                Some(shape) if *shape != tensor.shape => {
                    let problem =
                        format!("the tensor is {:?}, the model's {shape:?}", tensor.shape);
                    return Err(wrong(name, problem));
                }
                Some(_) => {}
            }
            saved.insert(name, tensor);
        }
        Ok(Self { lora, saved })
    }

    /// The low-rank updates of a module.
    pub(crate) fn lora(&self, module: &str) -> &[&'a LoraUpdate] {
        self.lora.get(module).map_or(&[], Vec::as_slice)
    }

    /// The values that take the place of a tensor.
    pub(crate) fn saved(&self, tensor: &str) -> Option<&'a [f32]> {
        self.saved.get(tensor).map(|saved| saved.values.as_slice())
    }
}
