//! GPT-NeoX (Pythia).

use super::{Family, Form, Row};
use crate::gguf::FormatError;
use serde_json::json;

pub(super) const GPT_NEOX: Family = Family {
    architecture: "gptneox",
    experts: false,
    model_type: "gpt_neox",
    class: "GPTNeoXForCausalLM",
    settings: |facts| {
        const PARALLEL: &str = "use_parallel_residual";
        facts.even_heads()?;
        facts.equal_heads()?;
        let rotary = facts.rotary()?;
        let parallel = facts
            .bool(PARALLEL)?
            .ok_or_else(|| FormatError::missing(&facts.key(PARALLEL)))?;
        Ok(json!({
            "hidden_act": "gelu",
            "layer_norm_eps": facts.norm_epsilon()?,
            "rotary_pct": facts.rotary_share(rotary),
            "rotary_emb_base": rotary.theta,
            "rope_scaling": facts.rope_scaling(rotary)?,
            "use_parallel_residual": parallel,
            "attention_bias": facts.has("blk.0.attn_qkv.bias"),
        }))
    },
    renamed: &[],
    outer: &[
        Row("token_embd", "gpt_neox.embed_in", Form::Plain),
        Row("output_norm", "gpt_neox.final_layer_norm", Form::Plain),
        Row("output", "embed_out", Form::Plain),
    ],
    layers: "gpt_neox.layers",
    modules: &[&[
        Row("attn_norm", "input_layernorm", Form::Plain),
        Row("ffn_norm", "post_attention_layernorm", Form::Plain),
        Row(
            "attn_qkv",
            "attention.query_key_value",
            Form::QueriesKeysValues,
        ),
        Row("attn_output", "attention.dense", Form::Plain),
        Row("ffn_up", "mlp.dense_h_to_4h", Form::Plain),
        Row("ffn_down", "mlp.dense_4h_to_h", Form::Plain),
    ]],
};
