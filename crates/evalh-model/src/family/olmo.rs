//! `OLMo`: a llama with layer norms that have no weights. `OLMo` 2: norms after attention and MLP instead of before,
//! and one over all queries and all keys.

use super::{Family, Names};
use crate::config::{HeadNorms, Keys, Norms, Spelling, like_llama};
use crate::{DecoderConfig, ModelError};

pub(super) const OLMO: Family = Family {
    model_type: "olmo",
    config: olmo,
    names: Names::LLAMA,
    defaults: &[],
};

pub(super) const OLMO2: Family = Family {
    model_type: "olmo2",
    config: olmo2,
    names: Names {
        attention_norm: None,
        attention_post_norm: Some("model.layers.{}.post_attention_layernorm"),
        head_norms: Some(Names::QK_NORM),
        mlp_norm: None,
        mlp_post_norm: Some("model.layers.{}.post_feedforward_layernorm"),
        ..Names::LLAMA
    },
    defaults: &[],
};

fn olmo(keys: &Keys<'_>) -> Result<DecoderConfig, ModelError> {
    let mut config = common(keys, OLMO.model_type)?;
    config.norm = Norms::LayerPlain;
    config.norm_eps = 1e-5;
    config.attention.clip = keys.f32("clip_qkv")?;
    config.checked(keys)
}

fn olmo2(keys: &Keys<'_>) -> Result<DecoderConfig, ModelError> {
    let mut config = common(keys, OLMO2.model_type)?;
    config.attention.head_norm = Some(HeadNorms::Whole);
    config.checked(keys)
}

fn common(keys: &Keys<'_>, family: &'static str) -> Result<DecoderConfig, ModelError> {
    let mut config = like_llama(
        keys,
        &Spelling {
            family,
            default_eps: 1e-5,
            ..Spelling::LLAMA
        },
    )?;
    let bias = keys.flag("attention_bias")?;
    (config.attention.qkv_bias, config.attention.output_bias) = (bias, bias);
    Ok(config)
}
