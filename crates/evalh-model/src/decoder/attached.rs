//! Adapters beside the weights, and how far their tokens have the values of others'.

use super::{Decoder, Layer};
use crate::part::{Held, Target};
use crate::{LoraId, ModelError};
use evalh_adapter::AdapterUpdate;
use std::collections::HashSet;

/// What is known of an attached adapter.
#[derive(Debug)]
pub(super) struct AttachedAdapter {
    /// Whether it replaces whole values, so that its sequences cannot share a batch with others.
    alone: bool,
    /// How many of the lowest layers, with the embedding, it leaves as they are.
    unchanged: usize,
}

impl Decoder {
    /// Attaches an adapter beside the weights, to be chosen for each sequence of a [`Session`].
    ///
    /// # Errors
    /// When an update fits nothing in the model; nothing is then attached.
    pub fn attach(&mut self, update: &AdapterUpdate) -> Result<LoraId, ModelError> {
        let id = LoraId(self.attached.len());
        self.apply(Target::Attached(id), update)?;
        self.attached.push(AttachedAdapter {
            alone: self.held().iter().any(|part| part.replaced_by(id)),
            unchanged: self.unchanged_layers(update),
        });
        Ok(id)
    }

    /// Forgets every attached adapter.
    pub fn detach_all(&mut self) {
        self.held_mut().into_iter().for_each(Held::detach);
        self.attached.clear();
    }

    /// Whether an adapter replaces whole values, so that its sequences cannot share a batch with others.
    pub(crate) fn is_alone(&self, adapter: LoraId) -> bool {
        self.attached.get(adapter.0).is_some_and(|of| of.alone)
    }

    /// How many of the lowest layers give a token the same values with either of two adapters (or none), where it has
    /// the same tokens before it: those below the lowest that one of them changes. The last layer is never among them.
    pub fn shared_layers(&self, one: Option<LoraId>, other: Option<LoraId>) -> usize {
        let most = self.layers.len() - 1;
        if one == other {
            return most;
        }
        let unchanged = |adapter: Option<LoraId>| match adapter.map(|id| &self.attached[id.0]) {
            None => most,
            // Its tokens have a batch of their own.
            Some(adapter) if adapter.alone => 0,
            Some(adapter) => adapter.unchanged,
        };
        most.min(unchanged(one)).min(unchanged(other))
    }

    /// How many of the lowest layers, with the embedding, an adapter leaves as they are.
    fn unchanged_layers(&self, update: &AdapterUpdate) -> usize {
        let modules: HashSet<&str> = update
            .lora
            .iter()
            .map(|lora| lora.module.as_str())
            .collect();
        let tensors: HashSet<&str> = update
            .saved
            .iter()
            .map(|saved| saved.name.as_str())
            .collect();
        let tables = || std::iter::once(&self.embedding).chain(&self.positions);
        if tables().any(|table| {
            modules.contains(table.module().name.as_str())
                || tensors.contains(table.tensor().0.as_str())
        }) {
            return 0;
        }
        let changed = |layer: &Layer| {
            layer
                .modules()
                .any(|module| modules.contains(module.name.as_str()))
                || layer
                    .tensors()
                    .any(|(name, _)| tensors.contains(name.as_str()))
        };
        let layers = self.layers.iter();
        layers.take_while(|layer| !changed(layer)).count()
    }
}
