//! GPT-2: learned positions, layer norms, linears stored transposed.

use super::{Family, Names};
use crate::config::{Keys, Norms, Positions, Spelling, like_llama};
use crate::{DecoderConfig, ModelError};

pub(super) const FAMILY: Family = Family {
    model_type: "gpt2",
    config,
    names: Names {
        prefix: "transformer.",
        embedding: "transformer.wte",
        positions: Some("transformer.wpe"),
        final_norm: "transformer.ln_f",
        attention_norm: Some("transformer.h.{}.ln_1"),
        qkv: &["transformer.h.{}.attn.c_attn"],
        attention_output: "transformer.h.{}.attn.c_proj",
        mlp_norm: Some("transformer.h.{}.ln_2"),
        gate_up: &["transformer.h.{}.mlp.c_fc"],
        down: "transformer.h.{}.mlp.c_proj",
        conv1d: true,
        unused: &[".attn.bias", ".attn.masked_bias"],
        ..Names::LLAMA
    },
    defaults: &[],
};

fn config(keys: &Keys<'_>) -> Result<DecoderConfig, ModelError> {
    keys.must_be_off("add_cross_attention", "only a decoder on its own is")?;
    let mut config = like_llama(
        keys,
        &Spelling {
            tied: true,
            ..Spelling::GPT
        },
    )?;
    config.norm = Norms::Layer;
    config.positions = Positions::Learned;
    (config.attention.qkv_bias, config.attention.output_bias) = (true, true);
    (config.mlp.gated, config.mlp.bias) = (false, true);
    if !keys.switch("scale_attn_weights")?.unwrap_or(true) {
        config.attention.scales.fill(1.0);
    }
    if keys.flag("scale_attn_by_inverse_layer_idx")? {
        for (layer, scale) in config.attention.scales.iter_mut().enumerate() {
            *scale /= (layer + 1) as f32;
        }
    }
    config.checked(keys)
}
