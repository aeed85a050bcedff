//! The settings of an encoder, read from a Hugging Face config.

use crate::ModelError;
use crate::config::Keys;
use evalh_kernel::Activation;
use serde_json::Value;

/// What an encoder is, whatever its family calls it.
#[derive(Debug, Clone, PartialEq)]
pub struct EncoderConfig {
    /// Name of the family, the `model_type` of its config.
    pub family: &'static str,
    /// What it answers with.
    pub task: EncoderTask,
    /// Rows of the word embedding.
    pub vocab_size: usize,
    /// Width of the embeddings; `hidden_size` but in some `DeBERTa` models.
    pub embedding_size: usize,
    /// Width of the residual stream.
    pub hidden_size: usize,
    /// Width of the MLP.
    pub intermediate_size: usize,
    /// Number of layers.
    pub layers: usize,
    /// Attention heads.
    pub heads: usize,
    /// Rows of the position embedding.
    pub max_positions: usize,
    /// How a token finds its position embedding.
    pub positions: PositionKind,
    /// Rows of the token-type embedding; 0 for none.
    pub token_types: usize,
    /// Added to the variance in norms.
    pub norm_eps: f32,
    /// Activation of the MLP.
    pub activation: Activation,
    /// Activation of the pooler before a classifier.
    pub pooler_activation: Activation,
    /// Relative positions in attention.
    pub relative: Option<RelativeAttention>,
    /// Factor by which the squared scale of the scores shrinks beside the head's size: 1, plus 1 for each kind of
    /// relative attention.
    pub score_terms: usize,
    /// The convolution beside the first layer.
    pub convolution: Option<Convolution>,
    /// Whether the head for masked tokens is the word embedding.
    pub tied_embeddings: bool,
    /// Which head for masked tokens a `DeBERTa` checkpoint has, where its config says: `legacy`.
    pub legacy_head: Option<bool>,
    /// Names of the labels, in the order of the logits.
    pub labels: Vec<String>,
    /// What the labels mean.
    pub problem: ProblemType,
}

/// What an encoder answers with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EncoderTask {
    /// One row of logits an input, one a label.
    Classification,
    /// One row of logits a token, one a vocabulary entry.
    MaskedLm,
    /// One row of hidden values a token.
    Hidden,
}

/// How a token finds its row of the position embedding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PositionKind {
    /// There is no position embedding.
    None,
    /// The token's place in the input.
    Absolute,
    /// One past the padding id, plus the token's place among the tokens that are not padding; the padding id for
    /// padding.
    AfterPadding(u32),
}

/// Relative positions in attention: `DeBERTa`'s disentangled attention.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RelativeAttention {
    /// Distances to either side that have an embedding.
    pub span: usize,
    /// Largest distance, and the number of buckets that distances up to it fall in; without buckets each distance is
    /// its own.
    pub buckets: Option<(usize, usize)>,
    /// What turns embeddings of positions into queries and keys.
    pub projections: PositionProjections,
    /// Scores of content with the position of the key ("c2p").
    pub to_position: bool,
    /// Scores of the position of the query with content ("p2c").
    pub from_position: bool,
    /// Whether the embeddings pass through a layer norm.
    pub normed: bool,
}

impl RelativeAttention {
    /// Times that a layer uses the projections of the content.
    pub(super) fn content_uses(&self) -> usize {
        let of_positions = self.projections == PositionProjections::Shared
            && (self.to_position || self.from_position);
        1 + usize::from(of_positions)
    }
}

/// What turns embeddings of relative positions into queries and keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PositionProjections {
    /// The projections of the content.
    Shared,
    /// Projections of their own.
    Own,
}

/// A convolution over the embedded tokens, added to the first layer's output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Convolution {
    /// Tokens it sees; odd.
    pub size: usize,
    /// Groups of channels that do not mix.
    pub groups: usize,
    /// Activation after it.
    pub activation: Activation,
}

/// What a classifier's labels mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProblemType {
    /// One value, not a class.
    Regression,
    /// Exactly one label holds.
    SingleLabel,
    /// Any number of labels hold.
    MultiLabel,
}

impl EncoderConfig {
    /// The settings that all families share, under the keys they share.
    pub(super) fn read(keys: &Keys<'_>, family: &'static str) -> Result<Self, ModelError> {
        for key in ["is_decoder", "add_cross_attention"] {
            if keys.flag(key)? {
                return Err(keys.unsupported(key, &true.into(), "set it to false"));
            }
        }
        let absolute = keys.text("position_embedding_type")?;
        if let Some(kind) = absolute.filter(|kind| *kind != "absolute") {
            return Err(keys.unsupported(
                "position_embedding_type",
                &kind.into(),
                "supported: absolute",
            ));
        }
        if let Some(pruned) = keys.get("pruned_heads")
            && pruned.as_object().is_none_or(|heads| !heads.is_empty())
        {
            return Err(keys.unsupported("pruned_heads", pruned, "load a checkpoint of all heads"));
        }
        let hidden_size = keys.require("hidden_size")?;
        let labels = labels(keys)?;
        Ok(Self {
            family,
            // Settled when the checkpoint's tensors are known.
            task: EncoderTask::Hidden,
            vocab_size: keys.require("vocab_size")?,
            embedding_size: hidden_size,
            hidden_size,
            intermediate_size: keys.require("intermediate_size")?,
            layers: keys.require("num_hidden_layers")?,
            heads: keys.require("num_attention_heads")?,
            max_positions: keys.usize("max_position_embeddings")?.unwrap_or(512),
            positions: PositionKind::Absolute,
            token_types: keys.usize("type_vocab_size")?.unwrap_or(2),
            norm_eps: keys.f32("layer_norm_eps")?.unwrap_or(1e-12),
            activation: activation(keys, "hidden_act", Activation::Gelu)?,
            pooler_activation: Activation::Tanh,
            relative: None,
            score_terms: 1,
            convolution: None,
            tied_embeddings: !matches!(keys.get("tie_word_embeddings"), Some(Value::Bool(false))),
            legacy_head: None,
            problem: problem(keys, labels.len())?,
            labels,
        })
    }

    /// Checks what every later step relies on.
    pub(super) fn checked(self, keys: &Keys<'_>) -> Result<Self, ModelError> {
        // Far above any model there is, and low enough that no product of two overflows.
        const LARGEST: usize = 1 << 28;
        for (name, value) in [
            ("vocab_size", self.vocab_size),
            ("hidden_size", self.hidden_size),
            ("embedding_size", self.embedding_size),
            ("intermediate_size", self.intermediate_size),
            ("num_hidden_layers", self.layers),
            ("num_attention_heads", self.heads),
            ("max_position_embeddings", self.max_positions),
            ("num_labels", self.labels.len()),
        ] {
            if value == 0 || value > LARGEST {
                return Err(keys.invalid(name, &format!("{value} is outside 1 to {LARGEST}")));
            }
        }
        if self.token_types > LARGEST {
            return Err(keys.invalid("type_vocab_size", "it is too large"));
        }
        if !self.hidden_size.is_multiple_of(self.heads) {
            let problem = format!(
                "{} values do not divide into {} heads",
                self.hidden_size, self.heads
            );
            return Err(keys.invalid("num_attention_heads", &problem));
        }
        if !(self.norm_eps >= 0.0 && self.norm_eps.is_finite()) {
            let problem = format!("{} is no small positive number", self.norm_eps);
            return Err(keys.invalid("layer_norm_eps", &problem));
        }
        if self.max_tokens() == Some(0) {
            let problem = "no position is left after the padding's";
            return Err(keys.invalid("max_position_embeddings", problem));
        }
        Ok(self)
    }

    /// Reads a `config.json`, without any weights.
    ///
    /// # Errors
    /// When the family is no encoder's, or a setting is not honoured.
    pub fn of(config: &serde_json::Value) -> Result<Self, ModelError> {
        let family = super::family::find(config)?;
        (family.config)(&Keys::new(config), family.model_type)
    }

    /// So many labels, of the config's names where it has as many.
    pub(super) fn set_labels(&mut self, labels: usize) {
        if labels != self.labels.len() {
            self.labels = unnamed(labels);
            self.problem = match labels {
                1 => ProblemType::Regression,
                _ => ProblemType::SingleLabel,
            };
        }
    }

    /// Most tokens of an input; `None` where nothing limits them.
    pub fn max_tokens(&self) -> Option<usize> {
        match self.positions {
            PositionKind::None => None,
            PositionKind::Absolute => Some(self.max_positions),
            PositionKind::AfterPadding(id) => {
                Some(self.max_positions.saturating_sub(id as usize + 1))
            }
        }
    }

    /// Values of a head.
    pub fn head_dim(&self) -> usize {
        self.hidden_size / self.heads
    }
}

/// The activation that a key names.
pub(super) fn activation(
    keys: &Keys<'_>,
    key: &str,
    default: Activation,
) -> Result<Activation, ModelError> {
    let Some(name) = keys.text(key)? else {
        return Ok(default);
    };
    Ok(match name {
        "gelu" | "gelu_python" => Activation::Gelu,
        "gelu_new" | "gelu_fast" | "gelu_accurate" | "gelu_pytorch_tanh" | "gelu_python_tanh" => {
            Activation::GeluTanh
        }
        "quick_gelu" => Activation::QuickGelu,
        "relu" => Activation::Relu,
        "silu" | "swish" => Activation::Silu,
        "tanh" => Activation::Tanh,
        _ => {
            let supported =
                "supported: gelu, gelu_new, gelu_pytorch_tanh, quick_gelu, relu, silu, tanh";
            return Err(keys.unsupported(key, &name.into(), supported));
        }
    })
}

/// Names of the labels: `id2label` by number, or `num_labels` unnamed ones, or two.
fn labels(keys: &Keys<'_>) -> Result<Vec<String>, ModelError> {
    let Some(named) = keys.get("id2label") else {
        let count = keys.usize("num_labels")?.unwrap_or(2);
        return Ok(unnamed(count));
    };
    let wrong = || keys.invalid("id2label", "it is not a table of names by numbers from 0");
    let table = named.as_object().ok_or_else(wrong)?;
    (0..table.len())
        .map(|id| {
            let name = table.get(&id.to_string()).and_then(Value::as_str);
            name.map(str::to_owned).ok_or_else(wrong)
        })
        .collect()
}

/// Names that the reference gives labels without any. A count that no table backs up allocates little.
fn unnamed(count: usize) -> Vec<String> {
    (0..count.min(1 << 16))
        .map(|i| format!("LABEL_{i}"))
        .collect()
}

fn problem(keys: &Keys<'_>, labels: usize) -> Result<ProblemType, ModelError> {
    Ok(match keys.text("problem_type")? {
        None if labels == 1 => ProblemType::Regression,
        None | Some("single_label_classification") => ProblemType::SingleLabel,
        Some("regression") => ProblemType::Regression,
        Some("multi_label_classification") => ProblemType::MultiLabel,
        Some(other) => {
            let supported =
                "supported: regression, single_label_classification, multi_label_classification";
            return Err(keys.unsupported("problem_type", &other.into(), supported));
        }
    })
}
