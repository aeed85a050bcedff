//! GPT-NeoX and Pythia: one module for queries, keys and values, head by head; attention and MLP side by side, each
//! behind its layer norm.

use super::{Family, Names};
use crate::config::{Keys, Norms, Residual, Spelling, like_llama};
use crate::rope::RopeDefaults;
use crate::{DecoderConfig, ModelError};
use evalh_kernel::QkvLayout;

pub(super) const FAMILY: Family = Family {
    model_type: "gpt_neox",
    config,
    names: Names {
        prefix: "gpt_neox.",
        embedding: "gpt_neox.embed_in",
        final_norm: "gpt_neox.final_layer_norm",
        head: "embed_out",
        attention_norm: Some("gpt_neox.layers.{}.input_layernorm"),
        qkv: &["gpt_neox.layers.{}.attention.query_key_value"],
        attention_output: "gpt_neox.layers.{}.attention.dense",
        mlp_norm: Some("gpt_neox.layers.{}.post_attention_layernorm"),
        gate_up: &["gpt_neox.layers.{}.mlp.dense_h_to_4h"],
        down: "gpt_neox.layers.{}.mlp.dense_4h_to_h",
        unused: &[
            ".attention.bias",
            ".attention.masked_bias",
            ".rotary_emb.inv_freq",
        ],
        ..Names::LLAMA
    },
    defaults: &[],
};

fn config(keys: &Keys<'_>) -> Result<DecoderConfig, ModelError> {
    let mut config = like_llama(
        keys,
        &Spelling {
            family: FAMILY.model_type,
            default_activation: "gelu",
            eps: "layer_norm_eps",
            default_eps: 1e-5,
            rope: RopeDefaults {
                theta_key: "rotary_emb_base",
                share_key: "rotary_pct",
                share: 0.25,
                ..RopeDefaults::PLAIN
            },
            ..Spelling::LLAMA
        },
    )?;
    config.norm = Norms::Layer;
    config.attention.layout = QkvLayout::Interleaved;
    config.attention.kv_heads = config.attention.heads;
    let bias = keys.switch("attention_bias")?.unwrap_or(true);
    (config.attention.qkv_bias, config.attention.output_bias) = (bias, bias);
    (config.mlp.gated, config.mlp.bias) = (false, true);
    if keys.switch("use_parallel_residual")?.unwrap_or(true) {
        config.residual = Residual::Parallel { shared_norm: false };
    }
    config.checked(keys)
}
