//! `StableLM` (3B-4E1T, 2-1.6B, 2-12B).

use super::{Family, Form, OUTER, OUTPUT_AND_GATED, PRE_NORMS, QKV, Row};
use serde_json::json;

pub(super) const STABLELM: Family = Family {
    architecture: "stablelm",
    experts: false,
    model_type: "stablelm",
    class: "StableLmForCausalLM",
    settings: |facts| {
        facts.even_heads()?;
        let rotary = facts.rotary()?;
        // llama.cpp looks for the second norm and for nothing else.
        let parallel = !facts.has("blk.0.ffn_norm.weight");
        Ok(json!({
            "num_key_value_heads": facts.kv_heads,
            "hidden_act": "silu",
            "layer_norm_eps": facts.norm_epsilon()?,
            "partial_rotary_factor": facts.rotary_share(rotary),
            "rope_theta": rotary.theta,
            "rope_scaling": facts.rope_scaling(rotary)?,
            "use_qkv_bias": facts.qkv_bias(),
            "qk_layernorm": facts.has("blk.0.attn_q_norm.weight"),
            "use_parallel_residual": facts.bool("use_parallel_residual")?.unwrap_or(parallel),
        }))
    },
    renamed: &[],
    outer: OUTER,
    layers: "model.layers",
    modules: &[
        QKV,
        OUTPUT_AND_GATED,
        PRE_NORMS,
        &[
            Row(
                "attn_q_norm",
                "self_attn.q_layernorm.norms.{}",
                Form::StackedHeads,
            ),
            Row(
                "attn_k_norm",
                "self_attn.k_layernorm.norms.{}",
                Form::StackedHeads,
            ),
        ],
    ],
};
