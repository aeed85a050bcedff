//! What an adapter does to a model: low-rank updates of modules, and tensors it replaces.

/// All that an adapter changes in a model.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AdapterUpdate {
    /// Low-rank updates; several may name one module, and then add up.
    pub lora: Vec<LoraUpdate>,
    /// Tensors of the model that are replaced, before the updates are laid over them.
    pub saved: Vec<SavedTensor>,
}

impl AdapterUpdate {
    /// Parameters of all updates and tensors together.
    pub fn parameters(&self) -> usize {
        let lora: usize = self.lora.iter().map(LoraUpdate::parameters).sum();
        lora + self
            .saved
            .iter()
            .map(|tensor| tensor.values.len())
            .sum::<usize>()
    }
}

/// A tensor of the model that the adapter replaces, in f32.
#[derive(Debug, Clone, PartialEq)]
pub struct SavedTensor {
    /// The Hugging Face name of the tensor it replaces, e.g. `classifier.out_proj.weight`.
    pub name: String,
    /// Its shape as the checkpoint has it.
    pub shape: Vec<usize>,
    /// Its values, row-major.
    pub values: Vec<f32>,
}

/// The update of one module's weight, in f32: `W + scale * B A`, with DoRA's magnitude `m` each row of that times
/// `m / ||row||`.
///
/// The weight is that of `y = W x`, `[out_features, in_features]`, whatever way the checkpoint stores it: a `Conv1D` and
/// an embedding's table hold its transpose.
#[derive(Debug, Clone, PartialEq)]
pub struct LoraUpdate {
    /// The module's name in the model, e.g. `model.layers.0.self_attn.q_proj`.
    pub module: String,
    /// Rank `r` of the update.
    pub rank: usize,
    /// `alpha / r`, or `alpha / sqrt(r)` where rank-stabilised, times the weight of the adapter in a mix.
    pub scale: f32,
    /// `A`, row-major `[rank, in_features]`; of an embedding `[rank, vocabulary]`.
    pub a: Vec<f32>,
    /// `B`, row-major `[out_features, rank]`; of an embedding `[width, rank]`.
    pub b: Vec<f32>,
    /// DoRA's magnitude `m`, `[out_features]`.
    pub magnitude: Option<Vec<f32>>,
    /// What is added to the module's bias, `[out_features]`: the bias of `lora_bias`, times the scale.
    pub bias: Option<Vec<f32>>,
}

impl LoraUpdate {
    /// Columns of the weight that is updated.
    pub fn in_features(&self) -> usize {
        self.a.len().checked_div(self.rank).unwrap_or(0)
    }

    /// Rows of the weight that is updated.
    pub fn out_features(&self) -> usize {
        self.b.len().checked_div(self.rank).unwrap_or(0)
    }

    /// Parameters of the update: those of A, of B, of the magnitude and of the bias.
    pub fn parameters(&self) -> usize {
        let optional = |values: &Option<Vec<f32>>| values.as_ref().map_or(0, Vec::len);
        self.a.len() + self.b.len() + optional(&self.magnitude) + optional(&self.bias)
    }
}
