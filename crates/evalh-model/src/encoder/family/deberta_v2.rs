//! `DeBERTa` v2 and v3.

use super::{EncoderFamily, bert};
use crate::ModelError;
use crate::config::Keys;
use crate::encoder::config::{
    Convolution, EncoderConfig, PositionKind, PositionProjections, RelativeAttention, activation,
};
use crate::encoder::names::{MaskedHead, Names, Pooler};
use evalh_kernel::Activation;
use serde_json::Value;

pub(super) const fn family(model_type: &'static str, classifier: &'static str) -> EncoderFamily {
    EncoderFamily {
        model_type,
        classifier,
        config,
        names: Names {
            prefix: "deberta",
            query: "attention.self.query_proj",
            key: "attention.self.key_proj",
            value: "attention.self.value_proj",
            pooler: Pooler {
                module: "pooler.dense",
                in_base: false,
            },
            classifier: "classifier",
            masked: &[
                MaskedHead {
                    reduces: true,
                    ..bert::MASKED
                },
                MaskedHead {
                    dense: "lm_predictions.lm_head.dense",
                    norm: "lm_predictions.lm_head.LayerNorm",
                    activation: None,
                    decoder: None,
                    bias: "lm_predictions.lm_head.bias",
                    reduces: false,
                    legacy: false,
                },
            ],
            unused: &["cls.predictions.", "lm_predictions.", "mask_predictions."],
        },
    }
}

fn config(keys: &Keys<'_>, family: &'static str) -> Result<EncoderConfig, ModelError> {
    let base = EncoderConfig::read(keys, family)?;
    let head_size = keys.usize("attention_head_size")?;
    if let Some(size) =
        head_size.filter(|size| Some(*size) != base.hidden_size.checked_div(base.heads))
    {
        let supported = "it must be hidden_size / num_attention_heads";
        return Err(keys.unsupported("attention_head_size", &size.into(), supported));
    }
    let pooled = keys.usize("pooler_hidden_size")?;
    if let Some(size) = pooled.filter(|size| *size != base.hidden_size) {
        return Err(keys.unsupported("pooler_hidden_size", &size.into(), "it must be hidden_size"));
    }
    let kinds = attention_kinds(keys)?;
    let score_terms = 1 + kinds.len();
    EncoderConfig {
        embedding_size: keys.usize("embedding_size")?.unwrap_or(base.hidden_size),
        positions: match keys.get("position_biased_input") {
            Some(Value::Bool(false)) => PositionKind::None,
            _ => PositionKind::Absolute,
        },
        token_types: keys.usize("type_vocab_size")?.unwrap_or(0),
        norm_eps: keys.f32("layer_norm_eps")?.unwrap_or(1e-7),
        pooler_activation: activation(keys, "pooler_hidden_act", Activation::Gelu)?,
        relative: relative(keys, &base, &kinds)?,
        score_terms,
        convolution: convolution(keys, base.hidden_size)?,
        legacy_head: keys.get("legacy").and_then(Value::as_bool),
        ..base
    }
    .checked(keys)
}

/// `pos_att_type`, a list or names between bars: the kinds of scores with positions, each once.
fn attention_kinds<'a>(keys: &Keys<'a>) -> Result<Vec<&'a str>, ModelError> {
    let Some(value) = keys.get("pos_att_type") else {
        return Ok(Vec::new());
    };
    let names: Option<Vec<&str>> = match value {
        Value::String(names) => Some(names.split('|').map(str::trim).collect()),
        Value::Array(names) => names.iter().map(Value::as_str).collect(),
        _ => None,
    };
    let mut kinds =
        names.ok_or_else(|| keys.invalid("pos_att_type", "it is not a list of names"))?;
    kinds.retain(|name| !name.is_empty());
    if let Some(other) = kinds.iter().find(|name| !["c2p", "p2c"].contains(name)) {
        return Err(keys.unsupported("pos_att_type", &(*other).into(), "supported: c2p, p2c"));
    }
    kinds.sort_unstable();
    kinds.dedup();
    Ok(kinds)
}

fn relative(
    keys: &Keys<'_>,
    base: &EncoderConfig,
    kinds: &[&str],
) -> Result<Option<RelativeAttention>, ModelError> {
    if !keys.flag("relative_attention")? {
        return Ok(None);
    }
    // Both are -1 where there is none.
    let positive = |key: &str| -> Result<Option<usize>, ModelError> {
        match keys.get(key) {
            Some(value) if value.as_i64().is_some_and(|n| n < 1) => Ok(None),
            _ => keys.usize(key),
        }
    };
    let largest = positive("max_relative_positions")?.unwrap_or(base.max_positions);
    let buckets = positive("position_buckets")?;
    let span = buckets.unwrap_or(largest);
    if span > 1 << 20 || largest > 1 << 20 {
        return Err(keys.invalid("max_relative_positions", "it is too large"));
    }
    if buckets.is_some_and(|buckets| buckets < 2 || buckets / 2 + 1 >= largest) {
        let problem = format!("{span} buckets do not fit {largest} positions");
        return Err(keys.invalid("position_buckets", &problem));
    }
    let normed = match keys.text("norm_rel_ebd")? {
        None => false,
        Some(names) => {
            let names = names.to_lowercase();
            let mut names = names.split('|').map(str::trim);
            if let Some(other) = names.clone().find(|n| !["none", "layer_norm"].contains(n)) {
                let supported = "supported: none, layer_norm";
                return Err(keys.unsupported("norm_rel_ebd", &other.into(), supported));
            }
            names.any(|name| name == "layer_norm")
        }
    };
    Ok(Some(RelativeAttention {
        span,
        buckets: buckets.map(|buckets| (largest, buckets)),
        projections: if keys.flag("share_att_key")? {
            PositionProjections::Shared
        } else {
            PositionProjections::Own
        },
        to_position: kinds.contains(&"c2p"),
        from_position: kinds.contains(&"p2c"),
        normed,
    }))
}

fn convolution(keys: &Keys<'_>, hidden: usize) -> Result<Option<Convolution>, ModelError> {
    let size = keys.usize("conv_kernel_size")?.unwrap_or(0);
    if size == 0 {
        return Ok(None);
    }
    if size % 2 == 0 || size > 1 << 10 {
        let supported = "an odd number of tokens, so that the output is as long as the input";
        return Err(keys.unsupported("conv_kernel_size", &size.into(), supported));
    }
    let groups = keys.usize("conv_groups")?.unwrap_or(1);
    if groups == 0 || !hidden.is_multiple_of(groups) {
        return Err(keys.invalid(
            "conv_groups",
            &format!("{hidden} channels do not divide by {groups}"),
        ));
    }
    Ok(Some(Convolution {
        size,
        groups,
        activation: activation(keys, "conv_act", Activation::Tanh)?,
    }))
}
