//! Llama 2 and 3, SmolLM2, TinyLlama, Yi: root-mean-square norms, rotary positions, grouped heads, a gated MLP.

use super::{Family, Names};
use crate::config::{Keys, Spelling, like_llama};
use crate::{DecoderConfig, ModelError};

pub(super) const FAMILY: Family = Family {
    model_type: "llama",
    config,
    names: Names::LLAMA,
    defaults: &[
        ("vocab_size", 32_000),
        ("hidden_size", 4096),
        ("intermediate_size", 11_008),
        ("num_hidden_layers", 32),
        ("num_attention_heads", 32),
    ],
};

fn config(keys: &Keys<'_>) -> Result<DecoderConfig, ModelError> {
    let mut config = like_llama(keys, &Spelling::LLAMA)?;
    let bias = keys.flag("attention_bias")?;
    (config.attention.qkv_bias, config.attention.output_bias) = (bias, bias);
    config.mlp.bias = keys.flag("mlp_bias")?;
    config.checked(keys)
}
