//! What most families have in common, under the names that each gives it.

use super::{AttentionConfig, DecoderConfig, Keys, MlpConfig, Norms, Positions, Residual};
use crate::ModelError;
use crate::rope::{RopeConfig, RopeDefaults};
use evalh_kernel::{Activation, QkvLayout};

/// The names of a family's keys, and what its reference implementation takes where one is missing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spelling {
    pub family: &'static str,
    pub hidden: &'static str,
    /// Width of the MLP; four times the hidden size where the key is missing and this is not `intermediate_size`.
    pub mlp: &'static str,
    pub layers: &'static str,
    pub heads: &'static str,
    pub positions: &'static str,
    pub default_positions: usize,
    pub activation: &'static str,
    pub default_activation: &'static str,
    pub eps: &'static str,
    pub default_eps: f32,
    pub tied: bool,
    pub rope: RopeDefaults,
}

impl Spelling {
    /// The names of llama and most of its kin.
    pub(crate) const LLAMA: Self = Self {
        family: "llama",
        hidden: "hidden_size",
        mlp: "intermediate_size",
        layers: "num_hidden_layers",
        heads: "num_attention_heads",
        positions: "max_position_embeddings",
        default_positions: 2048,
        activation: "hidden_act",
        default_activation: "silu",
        eps: "rms_norm_eps",
        default_eps: 1e-6,
        tied: false,
        rope: RopeDefaults::PLAIN,
    };

    /// The names of GPT-2 and GPT-J.
    pub(crate) const GPT: Self = Self {
        family: "gpt2",
        hidden: "n_embd",
        mlp: "n_inner",
        layers: "n_layer",
        heads: "n_head",
        positions: "n_positions",
        default_positions: 1024,
        activation: "activation_function",
        default_activation: "gelu_new",
        eps: "layer_norm_epsilon",
        default_eps: 1e-5,
        ..Self::LLAMA
    };
}

/// Reads a config under the given names as if it were a llama's; the family then changes what is its own.
pub(crate) fn like_llama(keys: &Keys<'_>, names: &Spelling) -> Result<DecoderConfig, ModelError> {
    let (hidden_size, heads) = (keys.require(names.hidden)?, keys.require(names.heads)?);
    let layers = keys.require(names.layers)?;
    if layers > super::MAX_FEATURES {
        return Err(keys.invalid(names.layers, &format!("{layers} is no number of layers")));
    }
    let width = match keys.usize(names.mlp)? {
        None if names.mlp != Spelling::LLAMA.mlp => hidden_size.saturating_mul(4),
        _ => keys.require(names.mlp)?,
    };
    let head_dim = keys
        .usize_or_default("head_dim")?
        .unwrap_or(hidden_size.checked_div(heads).unwrap_or(0));
    let positions = keys
        .usize(names.positions)?
        .unwrap_or(names.default_positions);
    let rope = RopeConfig::read(keys, names.rope, head_dim, positions)?;
    Ok(DecoderConfig {
        family: names.family,
        vocab_size: keys.require("vocab_size")?,
        hidden_size,
        layers,
        max_positions: rope.reach(),
        norm: Norms::Rms,
        norm_eps: keys.f32(names.eps)?.unwrap_or(names.default_eps),
        attention: AttentionConfig {
            heads,
            kv_heads: keys
                .usize_or_default("num_key_value_heads")?
                .unwrap_or(heads),
            head_dim,
            scales: vec![1.0 / (head_dim as f32).sqrt(); layers],
            windows: vec![None; layers],
            soft_cap: None,
            clip: None,
            head_norm: None,
            layout: QkvLayout::Concatenated,
            qkv_bias: false,
            output_bias: false,
        },
        mlp: MlpConfig {
            width,
            activation: activation(keys, names.activation, names.default_activation)?,
            gated: true,
            bias: false,
            experts: None,
        },
        positions: Positions::Rotary {
            ropes: vec![rope],
            layers: vec![0; layers],
        },
        residual: Residual::Sequential,
        embedding_scale: 1.0,
        tied_embeddings: keys.switch("tie_word_embeddings")?.unwrap_or(names.tied),
        head_bias: false,
        logit_soft_cap: None,
    })
}

/// The function that a key names as transformers does.
fn activation(keys: &Keys<'_>, key: &str, default: &str) -> Result<Activation, ModelError> {
    match keys.text(key)?.unwrap_or(default) {
        "silu" | "swish" => Ok(Activation::Silu),
        "gelu" => Ok(Activation::Gelu),
        "gelu_new" | "gelu_pytorch_tanh" | "gelu_fast" => Ok(Activation::GeluTanh),
        "quick_gelu" => Ok(Activation::QuickGelu),
        "relu" => Ok(Activation::Relu),
        other => Err(keys.unsupported(
            key,
            &other.into(),
            "silu, gelu, gelu_new, gelu_pytorch_tanh, quick_gelu and relu are",
        )),
    }
}

impl DecoderConfig {
    /// The same window in every layer, where the config names one.
    pub(crate) fn window_everywhere(&mut self, window: Option<usize>) {
        self.attention.windows.fill(window);
    }

    /// The window in those layers that `layer_types` calls sliding, or, where there is no such key, that `sliding`
    /// names.
    pub(crate) fn window_by_layer(
        &mut self,
        keys: &Keys<'_>,
        window: Option<usize>,
        sliding: impl Fn(usize) -> bool,
    ) -> Result<Vec<bool>, ModelError> {
        let kinds = layer_kinds(keys, self.layers, sliding)?;
        for (slot, sliding) in self.attention.windows.iter_mut().zip(&kinds) {
            *slot = window.filter(|_| *sliding);
        }
        Ok(kinds)
    }
}

/// For each layer whether its attention slides.
fn layer_kinds(
    keys: &Keys<'_>,
    layers: usize,
    sliding: impl Fn(usize) -> bool,
) -> Result<Vec<bool>, ModelError> {
    let Some(found) = keys.get("layer_types") else {
        return Ok((0..layers).map(sliding).collect());
    };
    let problem = format!("it must name sliding_attention or full_attention for {layers} layers");
    let kinds: Option<Vec<bool>> = found.as_array().and_then(|kinds| {
        kinds
            .iter()
            .map(|kind| match kind.as_str() {
                Some("sliding_attention") => Some(true),
                Some("full_attention") => Some(false),
                _ => None,
            })
            .collect()
    });
    match kinds {
        Some(kinds) if kinds.len() == layers => Ok(kinds),
        _ => Err(keys.invalid("layer_types", &problem)),
    }
}
