//! Gemma, Gemma 2 and the text model of Gemma 3. Their norms multiply by one more than their weight, which the
//! converter adds to it.

use super::{Family, Form, OUTPUT_AND_GATED, QKV, Row};
use crate::gguf::{FormatError, facts::Facts};
use serde_json::{Value, json};

const OUTER: &[Row] = &[
    Row("token_embd", "model.embed_tokens", Form::Plain),
    Row("output_norm", "model.norm", Form::PlusOne),
    Row("output", "lm_head", Form::Plain),
];

const NORMS: &[Row] = &[
    Row("attn_norm", "input_layernorm", Form::PlusOne),
    Row(
        "post_attention_norm",
        "post_attention_layernorm",
        Form::PlusOne,
    ),
    Row("ffn_norm", "pre_feedforward_layernorm", Form::PlusOne),
    Row("post_ffw_norm", "post_feedforward_layernorm", Form::PlusOne),
];

pub(super) const GEMMA: Family = Family {
    architecture: "gemma",
    experts: false,
    model_type: "gemma",
    class: "GemmaForCausalLM",
    settings: |facts| {
        let mut settings = shared(facts)?;
        settings["hidden_act"] = json!("gelu_pytorch_tanh");
        Ok(settings)
    },
    renamed: &[],
    outer: OUTER,
    layers: "model.layers",
    modules: &[
        QKV,
        OUTPUT_AND_GATED,
        &[
            Row("attn_norm", "input_layernorm", Form::PlusOne),
            Row("ffn_norm", "post_attention_layernorm", Form::PlusOne),
        ],
    ],
};

pub(super) const GEMMA2: Family = Family {
    architecture: "gemma2",
    experts: false,
    model_type: "gemma2",
    class: "Gemma2ForCausalLM",
    settings: |facts| {
        let mut settings = shared(facts)?;
        // llama.cpp's defaults and transformers' are the same.
        let window = facts.optional("attention.sliding_window")?.unwrap_or(4096);
        let attention = facts.float("attn_logit_softcapping")?.unwrap_or(50.0);
        let output = facts.float("final_logit_softcapping")?.unwrap_or(30.0);
        settings["sliding_window"] = json!(window);
        settings["layer_types"] = facts.layer_types(2)?;
        settings["attn_logit_softcapping"] = json!(attention);
        settings["final_logit_softcapping"] = json!(output);
        settings["query_pre_attn_scalar"] = json!(query_scalar(facts, 46));
        Ok(settings)
    },
    renamed: &[],
    outer: OUTER,
    layers: "model.layers",
    modules: &[QKV, OUTPUT_AND_GATED, NORMS],
};

pub(super) const GEMMA3: Family = Family {
    architecture: "gemma3",
    experts: false,
    model_type: "gemma3_text",
    class: "Gemma3ForCausalLM",
    settings: |facts| {
        let mut settings = shared(facts)?;
        let window = facts
            .optional("attention.sliding_window")?
            .filter(|n| *n > 0);
        settings["sliding_window"] = json!(window);
        settings["layer_types"] = match window {
            Some(_) => facts.layer_types(6)?,
            None => facts.layer_types(1)?,
        };
        settings["rope_local_base_freq"] =
            json!(facts.float("rope.freq_base_swa")?.unwrap_or(10_000.0));
        settings["attn_logit_softcapping"] = Value::Null;
        settings["final_logit_softcapping"] = json!(facts.float("final_logit_softcapping")?);
        settings["query_pre_attn_scalar"] = json!(query_scalar(facts, 62));
        settings["use_bidirectional_attention"] = json!(false);
        Ok(settings)
    },
    renamed: &[],
    outer: OUTER,
    layers: "model.layers",
    modules: &[
        QKV,
        OUTPUT_AND_GATED,
        NORMS,
        &[
            Row("attn_q_norm", "self_attn.q_norm", Form::PlusOne),
            Row("attn_k_norm", "self_attn.k_norm", Form::PlusOne),
        ],
    ],
};

fn shared(facts: &Facts<'_>) -> Result<Value, FormatError> {
    let rotary = facts.full_rotary()?;
    Ok(json!({
        "num_key_value_heads": facts.kv_heads,
        "head_dim": facts.head_dim,
        "hidden_activation": "gelu_pytorch_tanh",
        "rms_norm_eps": facts.rms_epsilon()?,
        "rope_theta": rotary.theta,
        "rope_scaling": facts.rope_scaling(rotary)?,
        "attention_bias": facts.qkv_bias(),
    }))
}

/// What queries are divided by the root of. No metadata says; as llama.cpp has it, it is the head's size except in the
/// published models of 27 billion parameters, which are known by their number of layers.
fn query_scalar(facts: &Facts<'_>, layers_of_27b: u64) -> u64 {
    if facts.layers == layers_of_27b {
        facts.hidden / facts.heads
    } else {
        facts.head_dim
    }
}
