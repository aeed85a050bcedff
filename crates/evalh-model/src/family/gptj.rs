//! GPT-J: attention and MLP side by side behind one layer norm, neighbouring values of a head rotated together.

use super::{Family, Names};
use crate::config::{Keys, Norms, Positions, Residual, Spelling, like_llama};
use crate::rope::{RopeConfig, RopeScaling};
use crate::{DecoderConfig, ModelError};
use evalh_kernel::Pairing;

pub(super) const FAMILY: Family = Family {
    model_type: "gptj",
    config,
    names: Names {
        prefix: "transformer.",
        embedding: "transformer.wte",
        final_norm: "transformer.ln_f",
        attention_norm: Some("transformer.h.{}.ln_1"),
        qkv: &[
            "transformer.h.{}.attn.q_proj",
            "transformer.h.{}.attn.k_proj",
            "transformer.h.{}.attn.v_proj",
        ],
        attention_output: "transformer.h.{}.attn.out_proj",
        mlp_norm: None,
        gate_up: &["transformer.h.{}.mlp.fc_in"],
        down: "transformer.h.{}.mlp.fc_out",
        unused: &[".attn.bias", ".attn.masked_bias", ".attn.embed_positions"],
        ..Names::LLAMA
    },
    defaults: &[],
};

fn config(keys: &Keys<'_>) -> Result<DecoderConfig, ModelError> {
    let mut config = like_llama(
        keys,
        &Spelling {
            family: FAMILY.model_type,
            default_positions: 2048,
            ..Spelling::GPT
        },
    )?;
    config.norm = Norms::Layer;
    config.residual = Residual::Parallel { shared_norm: true };
    (config.mlp.gated, config.mlp.bias) = (false, true);
    config.head_bias = true;
    let (head, dim) = (
        config.attention.head_dim,
        keys.usize("rotary_dim")?.unwrap_or(64),
    );
    if dim == 0 || dim > head || !dim.is_multiple_of(2) {
        let problem = format!("{dim} values of a head of {head} are no pairs");
        return Err(keys.invalid("rotary_dim", &problem));
    }
    config.positions = Positions::Rotary {
        ropes: vec![RopeConfig {
            theta: 10_000.0,
            dim,
            pairing: Pairing::Neighbours,
            max_positions: config.max_positions,
            scaling: RopeScaling::Default,
        }],
        layers: vec![0; config.layers],
    };
    config.checked(keys)
}
