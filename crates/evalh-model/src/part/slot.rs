//! A value of the model, and what adapters put in its place.

use super::ParameterSlot;
use crate::LoraId;
use std::ops::Range;

/// A value and its replacements.
#[derive(Debug)]
pub(crate) struct Slot<T> {
    base: T,
    merged: Option<T>,
    attached: Vec<(LoraId, T)>,
}

/// Where an adapter goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    /// Into the weights, in place of an earlier merge.
    Merged,
    /// Beside the weights.
    Attached(LoraId),
}

/// The tokens of a batch and their adapters.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scope {
    /// Tokens with an adapter attached, in order.
    pub runs: Vec<(Range<usize>, LoraId)>,
    /// The adapter of all tokens, where it replaces whole values; batches of such an adapter are not mixed.
    pub whole: Option<LoraId>,
}

impl Scope {
    /// No adapter for any token.
    pub(crate) const NONE: &'static Self = &Self {
        runs: Vec::new(),
        whole: None,
    };

    /// Adds tokens, which follow those added before.
    pub(crate) fn push(&mut self, tokens: Range<usize>, adapter: Option<LoraId>) {
        let Some(adapter) = adapter else { return };
        match self.runs.last_mut() {
            Some((run, last)) if *last == adapter && run.end == tokens.start => {
                run.end = tokens.end;
            }
            _ => self.runs.push((tokens, adapter)),
        }
    }

    /// The scope of the tokens at `places` only, renumbered in that order.
    pub(crate) fn at(&self, places: &[usize]) -> Self {
        let mut scope = Self {
            runs: Vec::new(),
            whole: self.whole,
        };
        for (index, place) in places.iter().enumerate() {
            let run = self.runs.iter().find(|(run, _)| run.contains(place));
            scope.push(index..index + 1, run.map(|(_, adapter)| *adapter));
        }
        scope
    }
}

impl<T> Slot<T> {
    pub(crate) fn new(base: T) -> Self {
        Self {
            base,
            merged: None,
            attached: Vec::new(),
        }
    }

    /// The value as loaded.
    pub(crate) fn base(&self) -> &T {
        &self.base
    }

    /// The value as loaded, to be changed in training.
    pub(crate) fn base_mut(&mut self) -> &mut T {
        &mut self.base
    }

    /// Another value in place of the loaded one.
    pub(crate) fn set_base(&mut self, value: T) {
        self.base = value;
    }

    /// The value for a batch.
    pub(crate) fn get(&self, scope: &Scope) -> &T {
        let attached = || {
            self.attached
                .iter()
                .find(|(id, _)| Some(*id) == scope.whole)
        };
        match attached() {
            Some((_, value)) => value,
            None => self.merged.as_ref().unwrap_or(&self.base),
        }
    }

    /// Puts a value in the base's place.
    pub(crate) fn put(&mut self, target: Target, value: T) {
        match target {
            Target::Merged => self.merged = Some(value),
            Target::Attached(id) => self.attached.push((id, value)),
        }
    }

    /// Whether an attached adapter replaces the value.
    pub(crate) fn replaced_by(&self, adapter: LoraId) -> bool {
        self.attached.iter().any(|(id, _)| *id == adapter)
    }

    /// The base again in place of what was merged.
    pub(crate) fn restore(&mut self) {
        self.merged = None;
    }

    /// Forgets what attached adapters brought.
    pub(crate) fn detach(&mut self) {
        self.attached.clear();
    }

    /// Every replacement.
    pub(crate) fn extra(&self) -> impl Iterator<Item = &T> {
        let attached = self.attached.iter().map(|(_, value)| value);
        self.merged.iter().chain(attached)
    }
}

/// What all parts can do, whatever they compute.
pub(crate) trait Held {
    /// The base again in place of what was merged.
    fn restore(&mut self);
    /// Forgets what attached adapters brought.
    fn detach(&mut self);
    /// Whether an attached adapter replaces a whole value, so that its tokens cannot share a batch with others.
    fn replaced_by(&self, adapter: LoraId) -> bool;
    /// Bytes held for adapters.
    fn extra_bytes(&self) -> usize;
    /// The base's own parameters.
    fn parameters_mut(&mut self) -> Vec<ParameterSlot<'_>>;
}
