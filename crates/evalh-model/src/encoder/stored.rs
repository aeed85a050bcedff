//! What a checkpoint calls the tensors of a model with a head.

use evalh_checkpoint::WeightSource;

/// Names in a checkpoint, which may be of the base model alone, or of `BERT`'s first years.
#[derive(Clone, Copy)]
pub(super) struct StoredNames<'a> {
    pub weights: &'a dyn WeightSource,
    /// What the base model is called within a model with a head, without the dot.
    pub prefix: &'static str,
    /// Whether the checkpoint names the base model's tensors with the prefix.
    prefixed: bool,
}

impl<'a> StoredNames<'a> {
    pub(super) fn new(weights: &'a dyn WeightSource, prefix: &'static str) -> Self {
        let embedding = format!("{prefix}.embeddings.word_embeddings.weight");
        Self {
            weights,
            prefix,
            prefixed: weights.tensor(&embedding).is_some(),
        }
    }

    /// The name without the prefix, unless that is to be kept.
    pub(super) fn stripped(&self, name: &str, keep: bool) -> String {
        let base = name.strip_prefix(self.prefix);
        match base.and_then(|rest| rest.strip_prefix('.')) {
            Some(rest) if !keep => rest.to_owned(),
            _ => name.to_owned(),
        }
    }

    /// The name that the checkpoint should have for a tensor.
    pub(super) fn expected(&self, name: &str) -> String {
        self.stripped(name, self.prefixed)
    }

    /// The checkpoint's name of a tensor that it has. Checkpoints of `BERT`'s first years call a norm's weight and bias
    /// gamma and beta.
    pub(super) fn find(&self, name: &str) -> Option<String> {
        let stored = self.expected(name);
        if self.weights.tensor(&stored).is_some() {
            return Some(stored);
        }
        let old = stored
            .strip_suffix("LayerNorm.weight")
            .map(|stem| format!("{stem}LayerNorm.gamma"))
            .or_else(|| {
                let stem = stored.strip_suffix("LayerNorm.bias")?;
                Some(format!("{stem}LayerNorm.beta"))
            })?;
        self.weights.tensor(&old).is_some().then_some(old)
    }

    /// The name in a model with a head of what the checkpoint calls `name`, but for what it should not be called.
    pub(super) fn whole(&self, name: &str) -> String {
        if self.prefixed {
            name.to_owned()
        } else {
            format!("{}.{name}", self.prefix)
        }
    }
}
