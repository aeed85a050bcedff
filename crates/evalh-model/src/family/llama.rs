//! Llama 2 and 3, SmolLM2, TinyLlama, Yi: root-mean-square norms, rotary positions, grouped heads, a gated MLP.

use super::{Family, Names};
use crate::config::Keys;
use crate::{DecoderConfig, ModelError, RopeConfig};

pub(super) const FAMILY: Family = Family {
    model_type: "llama",
    config,
    names: Names {
        embedding: "model.embed_tokens",
        final_norm: "model.norm",
        head: "lm_head",
        attention_norm: "model.layers.{}.input_layernorm",
        query: "model.layers.{}.self_attn.q_proj",
        key: "model.layers.{}.self_attn.k_proj",
        value: "model.layers.{}.self_attn.v_proj",
        attention_output: "model.layers.{}.self_attn.o_proj",
        mlp_norm: "model.layers.{}.post_attention_layernorm",
        gate: "model.layers.{}.mlp.gate_proj",
        up: "model.layers.{}.mlp.up_proj",
        down: "model.layers.{}.mlp.down_proj",
        unused: &[".rotary_emb.inv_freq"],
    },
};

fn config(keys: &Keys<'_>) -> Result<DecoderConfig, ModelError> {
    if let Some(act) = keys
        .get("hidden_act")
        .filter(|act| !matches!(act.as_str(), Some("silu" | "swish")))
    {
        return Err(keys.unsupported("hidden_act", act, "a llama model uses silu"));
    }
    if let Some(found) = keys.get("quantization_config") {
        let method = found.get("quant_method").unwrap_or(found);
        return Err(keys.unsupported(
            "quantization_config",
            method,
            "use the unquantised checkpoint, or a GGUF file",
        ));
    }
    let (hidden_size, heads) = (
        keys.require("hidden_size")?,
        keys.require("num_attention_heads")?,
    );
    DecoderConfig {
        family: FAMILY.model_type,
        vocab_size: keys.require("vocab_size")?,
        hidden_size,
        intermediate_size: keys.require("intermediate_size")?,
        layers: keys.require("num_hidden_layers")?,
        heads,
        kv_heads: keys.usize("num_key_value_heads")?.unwrap_or(heads),
        head_dim: keys
            .usize("head_dim")?
            .unwrap_or(hidden_size.checked_div(heads).unwrap_or(0)),
        max_positions: keys.usize("max_position_embeddings")?.unwrap_or(2048),
        norm_eps: keys.f32("rms_norm_eps")?.unwrap_or(1e-6),
        rope: RopeConfig::read(keys)?,
        tied_embeddings: keys.flag("tie_word_embeddings")?,
        attention_bias: keys.flag("attention_bias")?,
        mlp_bias: keys.flag("mlp_bias")?,
    }
    .checked(keys)
}
