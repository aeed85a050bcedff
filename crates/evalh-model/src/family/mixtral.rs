//! Mixtral: a mistral with a mixture of experts for an MLP.

use super::{ExpertNames, Family, Names};
use crate::config::{ExpertsConfig, Keys, Spelling, like_llama};
use crate::rope::RopeDefaults;
use crate::{DecoderConfig, ModelError};

pub(super) const FAMILY: Family = Family {
    model_type: "mixtral",
    config,
    names: Names {
        experts: Some(ExpertNames {
            router: "model.layers.{}.block_sparse_moe.gate",
            gate: "model.layers.{}.block_sparse_moe.experts.{e}.w1",
            up: "model.layers.{}.block_sparse_moe.experts.{e}.w3",
            down: "model.layers.{}.block_sparse_moe.experts.{e}.w2",
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
            default_positions: 4096 * 32,
            default_eps: 1e-5,
            rope: RopeDefaults {
                theta: 1e6,
                ..RopeDefaults::PLAIN
            },
            ..Spelling::LLAMA
        },
    )?;
    config.window_everywhere(keys.usize("sliding_window")?);
    config.mlp.experts = Some(ExpertsConfig {
        count: keys.usize("num_local_experts")?.unwrap_or(8),
        active: keys.usize("num_experts_per_tok")?.unwrap_or(2),
    });
    config.checked(keys)
}
