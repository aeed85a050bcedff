//! Mistral and Codestral: a llama whose tokens may see a window only.

use super::{Family, Names};
use crate::config::{Keys, Spelling, like_llama};
use crate::{DecoderConfig, ModelError};

pub(super) const FAMILY: Family = Family {
    model_type: "mistral",
    config,
    names: Names::LLAMA,
    defaults: &[
        ("vocab_size", 32_000),
        ("hidden_size", 4096),
        ("intermediate_size", 14_336),
        ("num_hidden_layers", 32),
        ("num_attention_heads", 32),
    ],
};

fn config(keys: &Keys<'_>) -> Result<DecoderConfig, ModelError> {
    let mut config = like_llama(
        keys,
        &Spelling {
            family: FAMILY.model_type,
            default_positions: 4096 * 32,
            ..Spelling::LLAMA
        },
    )?;
    if !keys.has("num_key_value_heads") {
        config.attention.kv_heads = 8;
    }
    config.window_everywhere(keys.window(4096)?);
    config.checked(keys)
}
