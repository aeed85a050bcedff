//! Phi (1, 1.5 and 2; llama.cpp's `phi2`) and Phi-3 (3.5 and 4 too).

use super::{Family, Form, OUTER, PRE_NORMS, QKV, Row};
use serde_json::{Value, json};

pub(super) const PHI2: Family = Family {
    architecture: "phi2",
    experts: false,
    model_type: "phi",
    class: "PhiForCausalLM",
    settings: |facts| {
        facts.even_heads()?;
        let rotary = facts.rotary()?;
        Ok(json!({
            "num_key_value_heads": facts.kv_heads,
            "hidden_act": "gelu_new",
            "layer_norm_eps": facts.norm_epsilon()?,
            "partial_rotary_factor": facts.rotary_share(rotary),
            "rope_theta": rotary.theta,
            "rope_scaling": facts.rope_scaling(rotary)?,
            "qk_layernorm": false,
        }))
    },
    renamed: &[],
    outer: &[
        Row("token_embd", "model.embed_tokens", Form::Plain),
        Row("output_norm", "model.final_layernorm", Form::Plain),
        Row("output", "lm_head", Form::Plain),
    ],
    layers: "model.layers",
    modules: &[
        QKV,
        &[
            Row("attn_norm", "input_layernorm", Form::Plain),
            Row("attn_output", "self_attn.dense", Form::Plain),
            Row("ffn_up", "mlp.fc1", Form::Plain),
            Row("ffn_down", "mlp.fc2", Form::Plain),
        ],
    ],
};

pub(super) const PHI3: Family = Family {
    architecture: "phi3",
    experts: false,
    model_type: "phi3",
    class: "Phi3ForCausalLM",
    settings: |facts| {
        facts.even_heads()?;
        let rotary = facts.rotary()?;
        let original = facts
            .optional("rope.scaling.original_context_length")?
            .filter(|n| *n > 0)
            .unwrap_or(rotary.positions);
        let window = facts.optional("attention.sliding_window")?;
        // Files from before July 2024 do not say; of the models published then, only those for 4096 positions had one.
        let window = window.or((rotary.positions == 4096).then_some(2047));
        Ok(json!({
            "num_key_value_heads": facts.kv_heads,
            "hidden_act": "silu",
            "rms_norm_eps": facts.rms_epsilon()?,
            "partial_rotary_factor": facts.rotary_share(rotary),
            "rope_theta": rotary.theta,
            "rope_scaling": facts.long_rope(rotary, original)?,
            "original_max_position_embeddings": original,
            "sliding_window": window.filter(|n| *n > 0).map_or(Value::Null, Value::from),
            "attention_bias": false,
        }))
    },
    renamed: &[],
    outer: OUTER,
    layers: "model.layers",
    modules: &[
        PRE_NORMS,
        &[
            Row("attn_qkv", "self_attn.qkv_proj", Form::Plain),
            Row("attn_output", "self_attn.o_proj", Form::Plain),
            Row("ffn_up", "mlp.gate_up_proj", Form::Plain),
            Row("ffn_down", "mlp.down_proj", Form::Plain),
        ],
    ],
};
