//! Phi-1, Phi-1.5 and Phi-2: attention and MLP side by side behind one layer norm, biases everywhere, a part of each
//! head rotated.

use super::{Family, HeadNormNames, Names};
use crate::config::{HeadNorms, Keys, Norms, Residual, Spelling, like_llama};
use crate::rope::RopeDefaults;
use crate::{DecoderConfig, ModelError};

pub(super) const FAMILY: Family = Family {
    model_type: "phi",
    config,
    names: Names {
        final_norm: "model.final_layernorm",
        head_norms: Some(HeadNormNames {
            query: "model.layers.{}.self_attn.q_layernorm",
            key: "model.layers.{}.self_attn.k_layernorm",
        }),
        attention_output: "model.layers.{}.self_attn.dense",
        mlp_norm: None,
        gate_up: &["model.layers.{}.mlp.fc1"],
        down: "model.layers.{}.mlp.fc2",
        ..Names::LLAMA
    },
    defaults: &[],
};

fn config(keys: &Keys<'_>) -> Result<DecoderConfig, ModelError> {
    let mut config = like_llama(
        keys,
        &Spelling {
            family: FAMILY.model_type,
            default_activation: "gelu_new",
            eps: "layer_norm_eps",
            default_eps: 1e-5,
            rope: RopeDefaults {
                share: 0.5,
                ..RopeDefaults::PLAIN
            },
            ..Spelling::LLAMA
        },
    )?;
    config.norm = Norms::Layer;
    config.residual = Residual::Parallel { shared_norm: true };
    (config.attention.qkv_bias, config.attention.output_bias) = (true, true);
    (config.mlp.gated, config.mlp.bias) = (false, true);
    config.head_bias = true;
    if keys.flag("qk_layernorm")? {
        config.attention.head_norm = Some(HeadNorms::Shared(Norms::Layer));
    }
    config.checked(keys)
}
