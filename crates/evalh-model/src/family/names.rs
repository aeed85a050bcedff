//! What a family calls its modules.

/// Module names of a family. Weights are at `.weight`, biases at `.bias`; `{}` stands for the layer's number.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Names {
    /// What a checkpoint of the bare model, without its head, leaves out in front of every name.
    pub prefix: &'static str,
    pub embedding: &'static str,
    /// The table of learned positions.
    pub positions: Option<&'static str>,
    pub final_norm: &'static str,
    pub head: &'static str,
    pub attention_norm: Option<&'static str>,
    /// Norm of what attention gives, before it is added to the stream.
    pub attention_post_norm: Option<&'static str>,
    /// Queries, keys and values, or one module for all.
    pub qkv: &'static [&'static str],
    pub head_norms: Option<HeadNormNames>,
    pub attention_output: &'static str,
    pub mlp_norm: Option<&'static str>,
    /// Norm of what the MLP gives, before it is added to the stream.
    pub mlp_post_norm: Option<&'static str>,
    /// Gate and up, or one module for both, or the only one where nothing is gated.
    pub gate_up: &'static [&'static str],
    pub down: &'static str,
    pub experts: Option<ExpertNames>,
    /// Whether the linears of the layers are stored `[inputs, outputs]`.
    pub conv1d: bool,
    /// Ends of the names of tensors that checkpoints hold and no forward pass needs.
    pub unused: &'static [&'static str],
}

/// Norms of queries and keys. `{h}` stands for the head's number, where each has its own.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HeadNormNames {
    pub query: &'static str,
    pub key: &'static str,
}

/// A mixture of experts. `{e}` stands for the expert's number.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ExpertNames {
    pub router: &'static str,
    pub gate: &'static str,
    pub up: &'static str,
    pub down: &'static str,
}

impl Names {
    /// The names of llama and most of its kin.
    pub(crate) const LLAMA: Self = Self {
        prefix: "model.",
        embedding: "model.embed_tokens",
        positions: None,
        final_norm: "model.norm",
        head: "lm_head",
        attention_norm: Some("model.layers.{}.input_layernorm"),
        attention_post_norm: None,
        qkv: &[
            "model.layers.{}.self_attn.q_proj",
            "model.layers.{}.self_attn.k_proj",
            "model.layers.{}.self_attn.v_proj",
        ],
        head_norms: None,
        attention_output: "model.layers.{}.self_attn.o_proj",
        mlp_norm: Some("model.layers.{}.post_attention_layernorm"),
        mlp_post_norm: None,
        gate_up: &[
            "model.layers.{}.mlp.gate_proj",
            "model.layers.{}.mlp.up_proj",
        ],
        down: "model.layers.{}.mlp.down_proj",
        experts: None,
        conv1d: false,
        unused: &[".rotary_emb.inv_freq"],
    };

    /// Norms of queries and keys as Qwen 3, Gemma 3 and `OLMo` 2 name them.
    pub(crate) const QK_NORM: HeadNormNames = HeadNormNames {
        query: "model.layers.{}.self_attn.q_norm",
        key: "model.layers.{}.self_attn.k_norm",
    };
}
