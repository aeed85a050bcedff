//! Gemma: scaled embeddings, norms that add one to their weight, a tanh-approximated gate. Gemma 2: norms around
//! attention and MLP, soft caps, a window in every second layer. Gemma 3: norms of queries and keys, and another
//! rotation where attention slides.

use super::{Family, Names};
use crate::config::{HeadNorms, Keys, Norms, Positions, Spelling, like_llama};
use crate::rope::{RopeConfig, RopeDefaults};
use crate::{DecoderConfig, ModelError};
use evalh_kernel::Activation;

pub(super) const GEMMA: Family = Family {
    model_type: "gemma",
    config: gemma,
    names: Names::LLAMA,
    defaults: &[],
};

const SANDWICH: Names = Names {
    attention_post_norm: Some("model.layers.{}.post_attention_layernorm"),
    mlp_norm: Some("model.layers.{}.pre_feedforward_layernorm"),
    mlp_post_norm: Some("model.layers.{}.post_feedforward_layernorm"),
    ..Names::LLAMA
};

pub(super) const GEMMA2: Family = Family {
    model_type: "gemma2",
    config: gemma2,
    names: SANDWICH,
    defaults: &[],
};

pub(super) const GEMMA3: Family = Family {
    model_type: "gemma3_text",
    config: gemma3,
    names: Names {
        head_norms: Some(Names::QK_NORM),
        ..SANDWICH
    },
    defaults: &[
        ("vocab_size", 262_208),
        ("hidden_size", 2304),
        ("intermediate_size", 9216),
        ("num_hidden_layers", 26),
        ("num_attention_heads", 8),
        ("num_key_value_heads", 4),
        ("head_dim", 256),
    ],
};

fn gemma(keys: &Keys<'_>) -> Result<DecoderConfig, ModelError> {
    let mut config = common(keys, GEMMA.model_type, "hidden_act", 8192)?;
    // The first configs say `gelu` and mean its approximation, as the reference implementation takes it.
    if config.mlp.activation == Activation::Gelu {
        config.mlp.activation = Activation::GeluTanh;
    }
    config.checked(keys)
}

fn gemma2(keys: &Keys<'_>) -> Result<DecoderConfig, ModelError> {
    let mut config = common(keys, GEMMA2.model_type, "hidden_activation", 8192)?;
    second_generation(&mut config, keys, 50.0, 30.0)?;
    let window = keys.window(4096)?;
    config.window_by_layer(keys, window, |layer| layer % 2 == 0)?;
    config.checked(keys)
}

fn gemma3(keys: &Keys<'_>) -> Result<DecoderConfig, ModelError> {
    let mut config = common(keys, GEMMA3.model_type, "hidden_activation", 131_072)?;
    second_generation(&mut config, keys, 0.0, 0.0)?;
    // The reference implementation reads the key of the scores' bound and never uses it.
    config.attention.soft_cap = None;
    config.attention.head_norm = Some(HeadNorms::Shared(Norms::RmsPlusOne));
    let pattern = ["sliding_window_pattern", "_sliding_window_pattern"]
        .into_iter()
        .find_map(|key| keys.usize(key).transpose())
        .transpose()?
        .unwrap_or(6);
    if pattern == 0 {
        return Err(keys.invalid("sliding_window_pattern", "it must be positive"));
    }
    let window = keys.window(4096)?;
    let sliding = config.window_by_layer(keys, window, |layer| (layer + 1) % pattern != 0)?;
    config.positions = Positions::Rotary {
        ropes: rotations(keys, config.attention.head_dim, config.max_positions)?,
        layers: sliding.into_iter().map(usize::from).collect(),
    };
    config.checked(keys)
}

/// The rotation of full and of sliding attention.
fn rotations(
    keys: &Keys<'_>,
    head_dim: usize,
    max_positions: usize,
) -> Result<Vec<RopeConfig>, ModelError> {
    const NOTHING: &serde_json::Value = &serde_json::Value::Null;
    let table = |kind: &str| {
        let nested = keys.get("rope_parameters").and_then(|all| all.get(kind));
        match (nested, kind) {
            (Some(found), _) => keys.nested(&format!("rope_parameters.{kind}"), found),
            // Before the tables were kept apart, only full attention was ever scaled.
            (None, "full_attention") => {
                keys.nested("rope_scaling", keys.get("rope_scaling").unwrap_or(NOTHING))
            }
            (None, _) => keys.nested("rope_parameters", NOTHING),
        }
    };
    let defaults = |theta_key, theta| RopeDefaults {
        theta_key,
        theta,
        ..RopeDefaults::PLAIN
    };
    [
        ("full_attention", defaults("rope_theta", 1e6)),
        ("sliding_attention", defaults("rope_local_base_freq", 1e4)),
    ]
    .into_iter()
    .map(|(kind, defaults)| {
        RopeConfig::parse(keys, &table(kind), defaults, head_dim, max_positions)
    })
    .collect()
}

fn common(
    keys: &Keys<'_>,
    family: &'static str,
    activation: &'static str,
    default_positions: usize,
) -> Result<DecoderConfig, ModelError> {
    keys.must_be_off(
        "use_bidirectional_attention",
        "only causal attention is, as in a language model",
    )?;
    let mut config = like_llama(
        keys,
        &Spelling {
            family,
            default_positions,
            activation,
            default_activation: "gelu_pytorch_tanh",
            tied: true,
            ..Spelling::LLAMA
        },
    )?;
    let bias = keys.flag("attention_bias")?;
    (config.attention.qkv_bias, config.attention.output_bias) = (bias, bias);
    config.norm = Norms::RmsPlusOne;
    config.embedding_scale = (config.hidden_size as f32).sqrt();
    if !keys.has("head_dim") {
        return Err(keys.invalid("head_dim", "it is missing"));
    }
    Ok(config)
}

/// What Gemma 2 brought: another factor of the scores, and soft caps (0 for none).
fn second_generation(
    config: &mut DecoderConfig,
    keys: &Keys<'_>,
    attention_cap: f32,
    logit_cap: f32,
) -> Result<(), ModelError> {
    let scalar = keys.f32("query_pre_attn_scalar")?.unwrap_or(256.0);
    if !(scalar > 0.0 && scalar.is_finite()) {
        return Err(keys.invalid("query_pre_attn_scalar", "it must be positive"));
    }
    config.attention.scales.fill(1.0 / scalar.sqrt());
    let cap = |key: &str, default: f32| match keys.f32(key)? {
        None if !keys.has(key) && default > 0.0 => Ok(Some(default)),
        found => Ok::<_, ModelError>(found),
    };
    config.attention.soft_cap = cap("attn_logit_softcapping", attention_cap)?;
    config.logit_soft_cap = cap("final_logit_softcapping", logit_cap)?;
    Ok(())
}
