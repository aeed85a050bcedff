//! The parts of an encoder, as its whole sees them.

use crate::LoraId;
use crate::part::{Embedding, Held, Linear, Norm, Scope, Target, Updates};
use evalh_adapter::TargetModule;
use evalh_kernel::{Compute, Weight};

/// A part that holds weights.
pub(super) trait Part: Held + Send {
    /// Takes over what an adapter brings for this part.
    fn apply(&mut self, compute: &Compute, target: Target, updates: &Updates<'_>);

    /// What adapters can attach to.
    fn modules(&self) -> Vec<TargetModule> {
        Vec::new()
    }

    /// Its matrix, unless that is another part's.
    fn weight(&self) -> Option<&Weight> {
        None
    }

    /// Values of its vectors.
    fn vectors(&self) -> usize {
        0
    }
}

impl Part for Linear {
    fn apply(&mut self, compute: &Compute, target: Target, updates: &Updates<'_>) {
        Linear::apply(self, compute, target, updates);
    }

    fn modules(&self) -> Vec<TargetModule> {
        Linear::modules(self).collect()
    }

    fn weight(&self) -> Option<&Weight> {
        self.base()
    }

    fn vectors(&self) -> usize {
        self.biases()
    }
}

impl Part for Embedding {
    fn apply(&mut self, compute: &Compute, target: Target, updates: &Updates<'_>) {
        Embedding::apply(self, compute, target, updates);
    }

    fn modules(&self) -> Vec<TargetModule> {
        vec![self.module()]
    }

    fn weight(&self) -> Option<&Weight> {
        Some(self.base())
    }
}

impl Part for Norm {
    fn apply(&mut self, compute: &Compute, target: Target, updates: &Updates<'_>) {
        Norm::apply(self, compute, target, updates);
    }

    fn vectors(&self) -> usize {
        self.parameters()
    }
}

/// So many tokens, all with the same adapter or none.
pub(super) fn scope(tokens: usize, adapter: Option<LoraId>) -> Scope {
    let mut scope = Scope {
        runs: Vec::new(),
        whole: adapter,
    };
    scope.push(0..tokens, adapter);
    scope
}
