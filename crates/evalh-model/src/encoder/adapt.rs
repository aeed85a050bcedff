//! What every part of the model does with an adapter.

use super::slot::Place;
use crate::linear::Linear;
use crate::{LoraId, ModelError};
use evalh_adapter::{AdapterUpdate, LoraUpdate, ModelLayout, SavedTensor, TargetModule};
use evalh_kernel::Compute;
use std::collections::HashMap;
use std::ops::Range;

/// A part that holds weights.
pub(super) trait Part: Send {
    /// What adapters can attach to.
    fn modules(&self) -> Vec<TargetModule> {
        Vec::new()
    }

    /// Puts what concerns this part in its place.
    fn apply(
        &mut self,
        compute: &Compute,
        place: Place,
        changes: &Changes<'_>,
    ) -> Result<(), ModelError>;

    /// The base weights again, bit for bit.
    fn restore(&mut self);

    /// Forgets every attached adapter.
    fn detach(&mut self);

    /// What the part takes.
    fn size(&self) -> Size;
}

/// What a part takes.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Size {
    /// Values of the weights as loaded.
    pub parameters: usize,
    /// Bytes held for them.
    pub bytes: usize,
    /// Bytes held for adapters.
    pub adapter_bytes: usize,
    /// The type they are held in, where they are a matrix.
    pub dtype: Option<&'static str>,
}

/// An adapter's update by the names it concerns, checked against the model.
pub(super) struct Changes<'a> {
    lora: HashMap<&'a str, Vec<&'a LoraUpdate>>,
    saved: HashMap<&'a str, &'a SavedTensor>,
}

impl<'a> Changes<'a> {
    /// Sorts an update by name.
    ///
    /// # Errors
    /// When it names a module or tensor that the model does not have, or one of another shape.
    pub(super) fn new(update: &'a AdapterUpdate, layout: &ModelLayout) -> Result<Self, ModelError> {
        let wrong = |name: &str, problem: String| ModelError::Update {
            module: name.to_owned(),
            problem,
        };
        let mut lora = HashMap::<_, Vec<_>>::new();
        for own in &update.lora {
            let module = layout
                .module(&own.module)
                .ok_or_else(|| wrong(&own.module, "the model has no such module".into()))?;
            let shape = [own.out_features(), own.in_features()];
            let expected = [module.out_features, module.in_features];
            if shape != expected || own.rank == 0 {
                let problem = format!("the update is {shape:?}, the module {expected:?}");
                return Err(wrong(&own.module, problem));
            }
            lora.entry(own.module.as_str()).or_default().push(own);
        }
        let mut saved = HashMap::new();
        for tensor in &update.saved {
            let expected = layout
                .tensors
                .get(&tensor.name)
                .ok_or_else(|| wrong(&tensor.name, "the model has no such tensor".into()))?;
            if tensor.shape != *expected
                || tensor.values.len() != expected.iter().product::<usize>()
            {
                let problem = format!(
                    "the saved tensor is {:?}, the model's {expected:?}",
                    tensor.shape
                );
                return Err(wrong(&tensor.name, problem));
            }
            saved.insert(tensor.name.as_str(), tensor);
        }
        Ok(Self { lora, saved })
    }

    /// Low-rank updates of a module.
    pub(super) fn lora(&self, module: &str) -> &[&'a LoraUpdate] {
        self.lora.get(module).map_or(&[], Vec::as_slice)
    }

    /// The values that replace a tensor.
    pub(super) fn saved(&self, tensor: &str) -> Option<&'a [f32]> {
        self.saved
            .get(tensor)
            .map(|tensor| tensor.values.as_slice())
    }
}

/// The runs of tokens that a linear applies an adapter to: all of them, or none.
pub(super) fn adapted(tokens: usize, adapter: Option<LoraId>) -> Vec<(Range<usize>, LoraId)> {
    adapter.map(|id| (0..tokens, id)).into_iter().collect()
}

impl Part for Linear {
    fn modules(&self) -> Vec<TargetModule> {
        Linear::modules(self).collect()
    }

    fn apply(
        &mut self,
        compute: &Compute,
        place: Place,
        changes: &Changes<'_>,
    ) -> Result<(), ModelError> {
        let names: Vec<TargetModule> = Linear::modules(self).collect();
        let own: Vec<&LoraUpdate> = names
            .iter()
            .flat_map(|module| changes.lora(&module.name))
            .copied()
            .collect();
        match place {
            Place::Merged => self.merge(compute, &own),
            Place::Attached(id) => self.attach(compute, id, &own),
        }
    }

    fn restore(&mut self) {
        Linear::restore(self);
    }

    fn detach(&mut self) {
        Linear::detach(self);
    }

    fn size(&self) -> Size {
        let base = self.base();
        Size {
            parameters: base.outputs() * base.inputs(),
            bytes: base.bytes(),
            adapter_bytes: self.extra_bytes(),
            dtype: Some(base.dtype()),
        }
    }
}
