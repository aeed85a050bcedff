//! Qwen2 (and 2.5) and Qwen3.

use super::{Family, Form, OUTER, OUTPUT_AND_GATED, PRE_NORMS, QKV, Row};
use crate::gguf::{FormatError, facts::Facts};
use serde_json::{Value, json};

pub(super) const QWEN2: Family = Family {
    architecture: "qwen2",
    experts: false,
    model_type: "qwen2",
    class: "Qwen2ForCausalLM",
    settings: |facts| {
        facts.even_heads()?;
        shared(facts)
    },
    renamed: &[],
    outer: OUTER,
    layers: "model.layers",
    modules: &[QKV, OUTPUT_AND_GATED, PRE_NORMS],
};

pub(super) const QWEN3: Family = Family {
    architecture: "qwen3",
    experts: false,
    model_type: "qwen3",
    class: "Qwen3ForCausalLM",
    settings: |facts| {
        let mut settings = shared(facts)?;
        settings["head_dim"] = json!(facts.head_dim);
        settings["attention_bias"] = json!(facts.qkv_bias());
        Ok(settings)
    },
    renamed: &[],
    outer: OUTER,
    layers: "model.layers",
    modules: &[
        QKV,
        OUTPUT_AND_GATED,
        PRE_NORMS,
        &[
            Row("attn_q_norm", "self_attn.q_norm", Form::Plain),
            Row("attn_k_norm", "self_attn.k_norm", Form::Plain),
        ],
    ],
};

/// Both families. The published models use no sliding window, and llama.cpp keeps none.
fn shared(facts: &Facts<'_>) -> Result<Value, FormatError> {
    let rotary = facts.full_rotary()?;
    Ok(json!({
        "num_key_value_heads": facts.kv_heads,
        "hidden_act": "silu",
        "rms_norm_eps": facts.rms_epsilon()?,
        "rope_theta": rotary.theta,
        "rope_scaling": facts.rope_scaling(rotary)?,
        "use_sliding_window": false,
    }))
}
