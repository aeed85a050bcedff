//! What a model offers to an adapter: its modules, its tensors and its output head.

use std::collections::BTreeMap;

/// How a module holds its weight, which decides how an update is laid over it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum ModuleKind {
    /// A linear module; the checkpoint stores `[out, in]`.
    #[default]
    Linear,
    /// The `Conv1D` of transformers (GPT-2), a linear module whose checkpoint stores `[in, out]`.
    Conv1d,
    /// A table of embeddings, stored `[in, out]` = `[vocabulary, width]`.
    Embedding,
}

/// A module that an adapter can attach to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetModule {
    /// The name in the Hugging Face model, e.g. `model.layers.0.self_attn.q_proj`.
    pub name: String,
    /// Rows of the weight as `y = W x` has it; the width of an embedding.
    pub out_features: usize,
    /// Columns of the weight as `y = W x` has it; the vocabulary of an embedding.
    pub in_features: usize,
    /// How the checkpoint stores the weight.
    pub kind: ModuleKind,
}

impl TargetModule {
    /// Shape of the weight in the checkpoint.
    pub fn stored_shape(&self) -> [usize; 2] {
        match self.kind {
            ModuleKind::Linear => [self.out_features, self.in_features],
            ModuleKind::Conv1d | ModuleKind::Embedding => [self.in_features, self.out_features],
        }
    }
}

/// Everything of a model that an adapter's settings can name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ModelLayout {
    /// The modules in the model's order.
    pub modules: Vec<TargetModule>,
    /// Every tensor by its Hugging Face name, with its Hugging Face shape; a tied head is listed too.
    pub tensors: BTreeMap<String, Vec<usize>>,
    /// The module that is the output head, which `all-linear` leaves out.
    pub output_head: Option<String>,
    /// Number of layers.
    pub layers: usize,
}

impl ModelLayout {
    /// The module of this name.
    pub fn module(&self, name: &str) -> Option<&TargetModule> {
        self.modules.iter().find(|module| module.name == name)
    }
}
