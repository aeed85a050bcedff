//! Settings of generation that a checkpoint brings along.

/// What a checkpoint says about how to generate with it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct GenerationSettings {
    /// Every id that ends a generation, ascending. Empty where the checkpoint names none.
    pub eos_ids: Vec<u32>,
    /// The id that begins a text, where there is one.
    pub bos_id: Option<u32>,
    /// The id that fills a batch, where there is one.
    pub pad_id: Option<u32>,
    /// The recommended sampling temperature.
    pub temperature: Option<f32>,
    /// The recommended nucleus.
    pub top_p: Option<f32>,
    /// The recommended number of most likely tokens to sample from.
    pub top_k: Option<u32>,
    /// Divides the logits of tokens already seen; transformers applies it to greedy decoding too.
    pub repetition_penalty: Option<f32>,
    /// The longest sequence the model was made for, in tokens.
    pub max_positions: Option<usize>,
    /// Names of further settings of the file that change what is generated and have no field here.
    pub unhonoured: Vec<String>,
}
