//! `StableLM` 2 and 3B: layer norms around a llama's linears, a part of each head rotated.

use super::{Family, HeadNormNames, Names};
use crate::config::{HeadNorms, Keys, Norms, Residual, Spelling, like_llama};
use crate::rope::RopeDefaults;
use crate::{DecoderConfig, ModelError};

pub(super) const FAMILY: Family = Family {
    model_type: "stablelm",
    config,
    names: Names {
        head_norms: Some(HeadNormNames {
            query: "model.layers.{}.self_attn.q_layernorm.norms.{h}",
            key: "model.layers.{}.self_attn.k_layernorm.norms.{h}",
        }),
        ..Names::LLAMA
    },
    defaults: &[],
};

fn config(keys: &Keys<'_>) -> Result<DecoderConfig, ModelError> {
    let mut config = like_llama(
        keys,
        &Spelling {
            family: FAMILY.model_type,
            default_positions: 4096,
            eps: "layer_norm_eps",
            default_eps: 1e-5,
            rope: RopeDefaults {
                share: 0.25,
                ..RopeDefaults::PLAIN
            },
            ..Spelling::LLAMA
        },
    )?;
    config.norm = Norms::Layer;
    config.attention.qkv_bias = keys.flag("use_qkv_bias")?;
    if keys.flag("qk_layernorm")? {
        config.attention.head_norm = Some(HeadNorms::Own);
    }
    if keys.flag("use_parallel_residual")? {
        config.residual = Residual::Parallel { shared_norm: true };
    }
    config.checked(keys)
}
