//! Qwen 2 and 2.5: a llama with biases on queries, keys and values. Qwen 3: norms of queries and keys instead.

use super::{Family, Names};
use crate::config::{HeadNorms, Keys, Norms, Spelling, like_llama};
use crate::{DecoderConfig, ModelError};

pub(super) const QWEN2: Family = Family {
    model_type: "qwen2",
    config: qwen2,
    names: Names::LLAMA,
    defaults: &[],
};

pub(super) const QWEN3: Family = Family {
    model_type: "qwen3",
    config: qwen3,
    names: Names {
        head_norms: Some(Names::QK_NORM),
        ..Names::LLAMA
    },
    defaults: &[],
};

fn qwen2(keys: &Keys<'_>) -> Result<DecoderConfig, ModelError> {
    let mut config = common(keys, QWEN2.model_type)?;
    config.attention.qkv_bias = true;
    config.checked(keys)
}

fn qwen3(keys: &Keys<'_>) -> Result<DecoderConfig, ModelError> {
    let mut config = common(keys, QWEN3.model_type)?;
    let bias = keys.flag("attention_bias")?;
    (config.attention.qkv_bias, config.attention.output_bias) = (bias, bias);
    config.attention.head_norm = Some(HeadNorms::Shared(Norms::Rms));
    config.checked(keys)
}

fn common(keys: &Keys<'_>, family: &'static str) -> Result<DecoderConfig, ModelError> {
    let mut config = like_llama(
        keys,
        &Spelling {
            family,
            default_positions: 32_768,
            ..Spelling::LLAMA
        },
    )?;
    let window = if keys.flag("use_sliding_window")? {
        keys.window(4096)?
    } else {
        None
    };
    let first = keys.usize("max_window_layers")?.unwrap_or(28);
    config.window_by_layer(keys, window, |layer| window.is_some() && layer >= first)?;
    Ok(config)
}
