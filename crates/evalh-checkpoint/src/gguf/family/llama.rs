//! Llama and its mixture of experts: Llama 2 and 3, Mistral, Yi, `SmolLM2`, and Mixtral.
//!
//! llama.cpp writes Mistral's models as `llama` and keeps no sliding window, which it does not apply to them either.

use super::{Family, Form, INTERLEAVED_QKV, OUTER, OUTPUT_AND_GATED, PRE_NORMS, Row};
use crate::gguf::{FormatError, facts::Facts};
use serde_json::{Value, json};

pub(super) const LLAMA: Family = Family {
    architecture: "llama",
    experts: false,
    model_type: "llama",
    class: "LlamaForCausalLM",
    settings: |facts| {
        let mut settings = shared(facts)?;
        settings["attention_bias"] = json!(facts.qkv_bias());
        settings["mlp_bias"] = json!(facts.has("blk.0.ffn_gate.bias"));
        Ok(settings)
    },
    renamed: &[],
    outer: OUTER,
    layers: "model.layers",
    modules: &[INTERLEAVED_QKV, OUTPUT_AND_GATED, PRE_NORMS],
};

pub(super) const MIXTRAL: Family = Family {
    architecture: "llama",
    experts: true,
    model_type: "mixtral",
    class: "MixtralForCausalLM",
    settings: |facts| {
        let mut settings = shared(facts)?;
        let experts = facts.size("expert_count")?;
        let used = facts.size("expert_used_count")?;
        if used > experts {
            return Err(FormatError::new(
                &facts.key("expert_used_count"),
                format!("is {used} of {experts} experts"),
            ));
        }
        settings["num_local_experts"] = json!(experts);
        settings["num_experts_per_tok"] = json!(used);
        settings["sliding_window"] = Value::Null;
        Ok(settings)
    },
    renamed: &[],
    outer: OUTER,
    layers: "model.layers",
    modules: &[
        INTERLEAVED_QKV,
        PRE_NORMS,
        &[
            Row("attn_output", "self_attn.o_proj", Form::Plain),
            Row("ffn_gate_inp", "block_sparse_moe.gate", Form::Plain),
            Row(
                "ffn_gate_exps",
                "block_sparse_moe.experts.{}.w1",
                Form::StackedExperts,
            ),
            Row(
                "ffn_down_exps",
                "block_sparse_moe.experts.{}.w2",
                Form::StackedExperts,
            ),
            Row(
                "ffn_up_exps",
                "block_sparse_moe.experts.{}.w3",
                Form::StackedExperts,
            ),
            // Files from before April 2024 have a tensor an expert.
            Row("ffn_gate.{}", "block_sparse_moe.experts.{}.w1", Form::Plain),
            Row("ffn_down.{}", "block_sparse_moe.experts.{}.w2", Form::Plain),
            Row("ffn_up.{}", "block_sparse_moe.experts.{}.w3", Form::Plain),
        ],
    ],
};

fn shared(facts: &Facts<'_>) -> Result<Value, FormatError> {
    let rotary = facts.rotary()?;
    let mut settings = json!({
        "num_key_value_heads": facts.kv_heads,
        "head_dim": facts.head_dim,
        "hidden_act": "silu",
        "rms_norm_eps": facts.rms_epsilon()?,
        "rope_theta": rotary.theta,
        "rope_scaling": facts.rope_scaling(rotary)?,
    });
    if rotary.dimensions != facts.head_dim {
        settings["partial_rotary_factor"] = json!(facts.rotary_share(rotary));
    }
    Ok(settings)
}
