//! GPT-2. Hugging Face stores its projections as `[in, out]`.

use super::{Family, Form, Row};
use serde_json::json;

pub(super) const GPT2: Family = Family {
    architecture: "gpt2",
    experts: false,
    model_type: "gpt2",
    class: "GPT2LMHeadModel",
    settings: |facts| {
        facts.even_heads()?;
        facts.equal_heads()?;
        Ok(json!({
            "activation_function": "gelu_new",
            "layer_norm_epsilon": facts.norm_epsilon()?,
            "scale_attn_weights": true,
            "scale_attn_by_inverse_layer_idx": false,
            "reorder_and_upcast_attn": false,
        }))
    },
    renamed: &[
        ("hidden_size", "n_embd"),
        ("intermediate_size", "n_inner"),
        ("num_hidden_layers", "n_layer"),
        ("num_attention_heads", "n_head"),
        ("max_position_embeddings", "n_positions"),
    ],
    outer: &[
        Row("token_embd", "transformer.wte", Form::Plain),
        Row("position_embd", "transformer.wpe", Form::Plain),
        Row("output_norm", "transformer.ln_f", Form::Plain),
        Row("output", "lm_head", Form::Plain),
    ],
    layers: "transformer.h",
    modules: &[&[
        Row("attn_norm", "ln_1", Form::Plain),
        Row("attn_qkv", "attn.c_attn", Form::Conv1d),
        Row("attn_output", "attn.c_proj", Form::Conv1d),
        Row("ffn_norm", "ln_2", Form::Plain),
        Row("ffn_up", "mlp.c_fc", Form::Conv1d),
        Row("ffn_down", "mlp.c_proj", Form::Conv1d),
    ]],
};
