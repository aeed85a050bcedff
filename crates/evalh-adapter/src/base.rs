//! The base model that an adapter is seen against.

use crate::{ModelLayout, ModuleKind, TargetModule};
use evalh_checkpoint::{CheckpointError, WeightSource};

/// A model's layout, its number of parameters, and its weights, read when they are asked for.
#[derive(Clone, Copy)]
pub struct BaseModel<'a> {
    layout: &'a ModelLayout,
    source: &'a dyn WeightSource,
}

impl<'a> BaseModel<'a> {
    /// The model with this layout, whose weights are in `source`.
    pub fn new(layout: &'a ModelLayout, source: &'a dyn WeightSource) -> Self {
        BaseModel { layout, source }
    }

    /// The layout.
    pub fn layout(&self) -> &'a ModelLayout {
        self.layout
    }

    /// Where the weights are read from.
    pub fn source(&self) -> &'a dyn WeightSource {
        self.source
    }

    /// Parameters of the model; a tied head counts once.
    pub fn parameters(&self) -> usize {
        self.layout
            .tensors
            .iter()
            .filter(|(name, _)| self.tied_table(name).is_none())
            .map(|(_, shape)| shape.iter().product::<usize>())
            .sum()
    }

    /// The weight of a module, as the checkpoint stores it; a tied head has the table of the embeddings.
    ///
    /// # Errors
    /// When the checkpoint has no such tensor or cannot give its values.
    pub fn weight(&self, module: &TargetModule) -> Result<Vec<f32>, CheckpointError> {
        let name = format!("{}.weight", module.name);
        self.source
            .read_f32(self.tied_table(&name).as_deref().unwrap_or(&name))
    }

    /// The tensor whose values a head shares that has none of its own in the checkpoint.
    pub fn tied_table(&self, tensor: &str) -> Option<String> {
        if self.source.tensor(tensor).is_some() {
            return None;
        }
        self.table_like(tensor)
    }

    /// The table of the embeddings that a head could share its values with.
    pub(crate) fn table_like(&self, tensor: &str) -> Option<String> {
        let head = self.layout.module(tensor.strip_suffix(".weight")?)?;
        let is_table = |module: &&TargetModule| {
            module.kind == ModuleKind::Embedding
                && (module.in_features, module.out_features)
                    == (head.out_features, head.in_features)
        };
        (self.layout.output_head.as_deref() == Some(head.name.as_str()))
            .then(|| self.layout.modules.iter().find(is_table))
            .flatten()
            .map(|table| format!("{}.weight", table.name))
    }
}

impl std::fmt::Debug for BaseModel<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BaseModel")
            .field("layout", self.layout)
            .finish_non_exhaustive()
    }
}
