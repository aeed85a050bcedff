//! The settings of a decoder, read from a Hugging Face config.

mod keys;
mod like_llama;

use crate::ModelError;
use crate::rope::RopeConfig;
use evalh_kernel::{Activation, QkvLayout};
pub(crate) use keys::Keys;
pub(crate) use like_llama::{Spelling, like_llama};

/// Far above any model's width, and low enough that no product of two overflows.
pub(crate) const MAX_FEATURES: usize = 1 << 28;

/// What a decoder is, whatever its family calls it.
#[derive(Debug, Clone, PartialEq)]
pub struct DecoderConfig {
    /// Name of the family.
    pub family: &'static str,
    /// Rows of the embedding.
    pub vocab_size: usize,
    /// Width of the residual stream.
    pub hidden_size: usize,
    /// Number of layers.
    pub layers: usize,
    /// Most tokens of a sequence.
    pub max_positions: usize,
    /// Which norm stands before and after attention and MLP.
    pub norm: Norms,
    /// Added to the mean square or the variance in norms.
    pub norm_eps: f32,
    /// Attention.
    pub attention: AttentionConfig,
    /// What follows attention.
    pub mlp: MlpConfig,
    /// How a token knows its place.
    pub positions: Positions,
    /// How attention and MLP follow one another.
    pub residual: Residual,
    /// Factor of the embeddings.
    pub embedding_scale: f32,
    /// Whether the output head is the embedding.
    pub tied_embeddings: bool,
    /// Whether the output head has a bias.
    pub head_bias: bool,
    /// Bound `c` of the logits, which become `c * tanh(logit / c)`.
    pub logit_soft_cap: Option<f32>,
}

/// A kind of norm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Norms {
    /// Root mean square, times the weight.
    Rms,
    /// Root mean square, times one plus the weight: as Gemma stores it.
    RmsPlusOne,
    /// Mean and variance, times the weight, plus the bias.
    Layer,
    /// Mean and variance, without weight or bias.
    LayerPlain,
}

/// The settings of attention.
#[derive(Debug, Clone, PartialEq)]
pub struct AttentionConfig {
    /// Query heads.
    pub heads: usize,
    /// Key and value heads.
    pub kv_heads: usize,
    /// Values of a head.
    pub head_dim: usize,
    /// Factor of the scores in each layer.
    pub scales: Vec<f32>,
    /// Newest tokens that a token sees in each layer; `None` where it sees all.
    pub windows: Vec<Option<usize>>,
    /// Bound of the scores.
    pub soft_cap: Option<f32>,
    /// Bound of the values of queries, keys and values.
    pub clip: Option<f32>,
    /// Norms of queries and keys.
    pub head_norm: Option<HeadNorms>,
    /// How the query-key-value projection's outputs lie.
    pub layout: QkvLayout,
    /// Whether query, key and value projections have biases.
    pub qkv_bias: bool,
    /// Whether the output projection has a bias.
    pub output_bias: bool,
}

/// Norms of queries and keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeadNorms {
    /// Each head by itself, all with the same weight; with a bias where the norm is a layer norm.
    Shared(Norms),
    /// Each head by itself, a layer norm with a weight of its own and without bias.
    Own,
    /// All heads together.
    Whole,
}

/// The settings of the MLP.
#[derive(Debug, Clone, PartialEq)]
pub struct MlpConfig {
    /// Inner width.
    pub width: usize,
    /// The function between its linears.
    pub activation: Activation,
    /// Whether a second linear is multiplied by the activation of the first.
    pub gated: bool,
    /// Whether the linears have biases.
    pub bias: bool,
    /// A mixture of such MLPs.
    pub experts: Option<ExpertsConfig>,
}

/// A mixture of experts: each token goes through the few that its router scores highest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExpertsConfig {
    /// Number of experts.
    pub count: usize,
    /// Experts a token goes through.
    pub active: usize,
}

/// How a token knows its place.
#[derive(Debug, Clone, PartialEq)]
pub enum Positions {
    /// Queries and keys are rotated.
    Rotary {
        /// The rotations of the model.
        ropes: Vec<RopeConfig>,
        /// Which of them each layer uses.
        layers: Vec<usize>,
    },
    /// A learned vector for each position is added to the embedding.
    Learned,
}

/// How attention and MLP follow one another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Residual {
    /// The MLP reads the stream to which attention was added.
    Sequential,
    /// Both read the same stream and are added together.
    Parallel {
        /// Whether one norm stands before both of them.
        shared_norm: bool,
    },
}

impl DecoderConfig {
    /// Reads a `config.json`, without any weights.
    ///
    /// # Errors
    /// When the family is unknown, or a setting is not honoured.
    pub fn read(config: &serde_json::Value) -> Result<Self, ModelError> {
        Ok(crate::family::read(config)?.config)
    }

    /// Checks what every later step relies on.
    pub(crate) fn checked(self, keys: &Keys<'_>) -> Result<Self, ModelError> {
        let AttentionConfig {
            heads,
            kv_heads,
            head_dim,
            ..
        } = self.attention;
        let experts = self.mlp.experts.map_or(1, |experts| experts.count);
        for (name, value) in [
            ("vocab_size", self.vocab_size),
            ("hidden_size", self.hidden_size),
            ("intermediate_size", self.mlp.width),
            ("num_hidden_layers", self.layers),
            ("num_attention_heads", heads),
            ("num_key_value_heads", kv_heads),
            ("head_dim", head_dim),
            ("max_position_embeddings", self.max_positions),
            ("num_local_experts", experts),
        ] {
            if value == 0 || value > MAX_FEATURES {
                let problem = format!("{value} is outside 1 to {MAX_FEATURES}");
                return Err(keys.invalid(name, &problem));
            }
        }
        if !heads.is_multiple_of(kv_heads) {
            let problem = format!("{heads} heads do not divide by {kv_heads}");
            return Err(keys.invalid("num_key_value_heads", &problem));
        }
        if heads
            .checked_mul(head_dim)
            .is_none_or(|width| width > MAX_FEATURES)
        {
            let problem = format!("{heads} heads of {head_dim} values are no width of a layer");
            return Err(keys.invalid("head_dim", &problem));
        }
        if !(self.norm_eps >= 0.0 && self.norm_eps.is_finite()) {
            let problem = format!("{} is no small positive number", self.norm_eps);
            return Err(keys.invalid("rms_norm_eps", &problem));
        }
        for (name, cap) in [
            ("attn_logit_softcapping", self.attention.soft_cap),
            ("final_logit_softcapping", self.logit_soft_cap),
            ("clip_qkv", self.attention.clip),
        ] {
            if cap.is_some_and(|cap| !(cap > 0.0 && cap.is_finite())) {
                return Err(keys.invalid(name, "it must be a positive number"));
            }
        }
        if let Some(ExpertsConfig { count, active }) = self.mlp.experts
            && !(1..=count).contains(&active)
        {
            let problem = format!("{active} of {count} experts");
            return Err(keys.invalid("num_experts_per_tok", &problem));
        }
        if self.attention.windows.contains(&Some(0)) {
            return Err(keys.invalid("sliding_window", "a window of no tokens"));
        }
        Ok(self)
    }
}
