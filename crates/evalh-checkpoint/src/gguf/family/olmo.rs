//! `OLMo`, whose norms have no weights, and `OLMo` 2, which normalises after attention and feed-forward network.

use super::{Family, Form, INTERLEAVED_QKV, OUTER, OUTPUT_AND_GATED, QKV, Row};
use crate::gguf::{FormatError, facts::Facts};
use serde_json::{Value, json};

/// The epsilon that transformers' `OlmoLayerNorm` is written with.
const OLMO_EPSILON: f64 = 1e-5;

pub(super) const OLMO: Family = Family {
    architecture: "olmo",
    experts: false,
    model_type: "olmo",
    class: "OlmoForCausalLM",
    settings: |facts| {
        const EPSILON: &str = "attention.layer_norm_epsilon";
        let epsilon = facts.float(EPSILON)?.unwrap_or(OLMO_EPSILON);
        if (epsilon - OLMO_EPSILON).abs() > 1e-12 {
            return Err(FormatError::unsupported(
                &facts.key(EPSILON),
                epsilon.to_string(),
                format!("{OLMO_EPSILON} is, which is fixed in these models"),
            ));
        }
        // The converter reorders weights only, so rows of a bias would not belong to those of its weight.
        if let Some(bias) = facts.qkv_biases().next() {
            return Err(FormatError::unsupported(
                bias,
                "a bias".to_owned(),
                "models of architecture olmo have none there".to_owned(),
            ));
        }
        let mut settings = shared(facts)?;
        settings["clip_qkv"] = json!(facts.float("attention.clamp_kqv")?.filter(|c| *c > 0.0));
        Ok(settings)
    },
    renamed: &[],
    outer: &[
        Row("token_embd", "model.embed_tokens", Form::Plain),
        Row("output", "lm_head", Form::Plain),
    ],
    layers: "model.layers",
    modules: &[INTERLEAVED_QKV, OUTPUT_AND_GATED],
};

pub(super) const OLMO2: Family = Family {
    architecture: "olmo2",
    experts: false,
    model_type: "olmo2",
    class: "Olmo2ForCausalLM",
    settings: |facts| {
        let mut settings = shared(facts)?;
        settings["rms_norm_eps"] = json!(facts.rms_epsilon()?);
        Ok(settings)
    },
    renamed: &[],
    outer: OUTER,
    layers: "model.layers",
    modules: &[
        QKV,
        OUTPUT_AND_GATED,
        &[
            Row("attn_q_norm", "self_attn.q_norm", Form::Plain),
            Row("attn_k_norm", "self_attn.k_norm", Form::Plain),
            Row(
                "post_attention_norm",
                "post_attention_layernorm",
                Form::Plain,
            ),
            Row("post_ffw_norm", "post_feedforward_layernorm", Form::Plain),
        ],
    ],
};

fn shared(facts: &Facts<'_>) -> Result<Value, FormatError> {
    facts.even_heads()?;
    let rotary = facts.full_rotary()?;
    Ok(json!({
        "num_key_value_heads": facts.kv_heads,
        "hidden_act": "silu",
        "rope_theta": rotary.theta,
        "rope_scaling": facts.rope_scaling(rotary)?,
        "attention_bias": facts.qkv_bias(),
    }))
}
