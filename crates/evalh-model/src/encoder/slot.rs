//! A part of the model, and what adapters put in its place.

use crate::LoraId;

/// Where an adapter goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Into the weights, for every input.
    Merged,
    /// Beside the weights, for inputs that choose it.
    Attached(LoraId),
}

/// A part as loaded, and its replacements.
#[derive(Debug)]
pub(super) struct Slot<T> {
    /// `None` where the checkpoint has no such part and an adapter must bring it.
    base: Option<T>,
    merged: Option<T>,
    attached: Vec<(LoraId, T)>,
}

impl<T> Slot<T> {
    pub(super) fn new(base: Option<T>) -> Self {
        Self {
            base,
            merged: None,
            attached: Vec::new(),
        }
    }

    /// The part as loaded.
    pub(super) fn base(&self) -> Option<&T> {
        self.base.as_ref()
    }

    /// The part as loaded.
    pub(super) fn base_mut(&mut self) -> Option<&mut T> {
        self.base.as_mut()
    }

    /// The part for an input with the given adapter.
    pub(super) fn get(&self, adapter: Option<LoraId>) -> Option<&T> {
        let attached = self.attached.iter().find(|(id, _)| Some(*id) == adapter);
        attached
            .map(|(_, part)| part)
            .or(self.merged.as_ref())
            .or(self.base.as_ref())
    }

    /// Puts an adapter's part there.
    pub(super) fn put(&mut self, place: Place, part: T) {
        match place {
            Place::Merged => self.merged = Some(part),
            Place::Attached(id) => self.attached.push((id, part)),
        }
    }

    /// Forgets the merged part.
    pub(super) fn restore(&mut self) {
        self.merged = None;
    }

    /// Forgets every attached part.
    pub(super) fn detach(&mut self) {
        self.attached.clear();
    }

    /// Every part that an adapter brought.
    pub(super) fn extra(&self) -> impl Iterator<Item = &T> {
        self.merged
            .iter()
            .chain(self.attached.iter().map(|(_, part)| part))
    }
}
