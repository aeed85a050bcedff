//! Phi-3 and Phi-3.5: a llama with one module for queries, keys and values and one for gate and up.

use super::{Family, Names};
use crate::config::{Keys, Spelling, like_llama};
use crate::rope::RopeDefaults;
use crate::{DecoderConfig, ModelError};

pub(super) const FAMILY: Family = Family {
    model_type: "phi3",
    config,
    names: Names {
        qkv: &["model.layers.{}.self_attn.qkv_proj"],
        gate_up: &["model.layers.{}.mlp.gate_up_proj"],
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
            default_eps: 1e-5,
            rope: RopeDefaults {
                original: Some(4096),
                only_longrope: true,
                ..RopeDefaults::PLAIN
            },
            ..Spelling::LLAMA
        },
    )?;
    config.window_everywhere(keys.usize("sliding_window")?);
    config.checked(keys)
}
