//! The settings of a decoder, read from a Hugging Face config.

use crate::{ModelError, RopeConfig};
use serde_json::Value;

/// What a decoder is, whatever its family calls it.
#[derive(Debug, Clone, PartialEq)]
pub struct DecoderConfig {
    /// Name of the family.
    pub family: &'static str,
    /// Rows of the embedding.
    pub vocab_size: usize,
    /// Width of the residual stream.
    pub hidden_size: usize,
    /// Width of the gated MLP.
    pub intermediate_size: usize,
    /// Number of layers.
    pub layers: usize,
    /// Query heads.
    pub heads: usize,
    /// Key and value heads.
    pub kv_heads: usize,
    /// Values of a head.
    pub head_dim: usize,
    /// Most tokens of a sequence.
    pub max_positions: usize,
    /// Added to the mean square in norms.
    pub norm_eps: f32,
    /// Rotary position embedding.
    pub rope: RopeConfig,
    /// Whether the output head is the embedding.
    pub tied_embeddings: bool,
    /// Whether query, key, value and output projections have biases.
    pub attention_bias: bool,
    /// Whether the MLP's projections have biases.
    pub mlp_bias: bool,
}

impl DecoderConfig {
    /// Checks what every later step relies on.
    pub(crate) fn checked(self, keys: &Keys<'_>) -> Result<Self, ModelError> {
        // Far above any model there is, and low enough that no product of two overflows.
        const LARGEST: usize = 1 << 28;
        for (name, value) in [
            ("vocab_size", self.vocab_size),
            ("hidden_size", self.hidden_size),
            ("intermediate_size", self.intermediate_size),
            ("num_hidden_layers", self.layers),
            ("num_attention_heads", self.heads),
            ("num_key_value_heads", self.kv_heads),
            ("head_dim", self.head_dim),
            ("max_position_embeddings", self.max_positions),
        ] {
            if value == 0 || value > LARGEST {
                return Err(keys.invalid(name, &format!("{value} is outside 1 to {LARGEST}")));
            }
        }
        if !self.heads.is_multiple_of(self.kv_heads) {
            let problem = format!("{} heads do not divide by {}", self.heads, self.kv_heads);
            return Err(keys.invalid("num_key_value_heads", &problem));
        }
        if !self.head_dim.is_multiple_of(2) {
            return Err(keys.invalid(
                "head_dim",
                &format!("{} is odd, and rotary pairs are not", self.head_dim),
            ));
        }
        if !(self.norm_eps >= 0.0 && self.norm_eps.is_finite()) {
            return Err(keys.invalid(
                "rms_norm_eps",
                &format!("{} is no small positive number", self.norm_eps),
            ));
        }
        Ok(self)
    }
}

/// The keys of a config object, with errors that name them.
pub(crate) struct Keys<'a> {
    prefix: String,
    value: &'a Value,
}

impl<'a> Keys<'a> {
    pub(crate) fn new(value: &'a Value) -> Self {
        Self {
            prefix: String::new(),
            value,
        }
    }

    /// The keys of an object under `at`.
    pub(crate) fn nested<'b>(&self, at: &str, value: &'b Value) -> Keys<'b> {
        Keys {
            prefix: format!("{}{at}.", self.prefix),
            value,
        }
    }

    /// A key's value, unless it is missing or null.
    pub(crate) fn get(&self, key: &str) -> Option<&'a Value> {
        self.value.get(key).filter(|value| !value.is_null())
    }

    pub(crate) fn usize(&self, key: &str) -> Result<Option<usize>, ModelError> {
        self.read(key, "a whole number", |v| {
            v.as_u64().and_then(|n| usize::try_from(n).ok())
        })
    }

    /// A number that must be there.
    pub(crate) fn require(&self, key: &str) -> Result<usize, ModelError> {
        self.usize(key)?
            .ok_or_else(|| self.invalid(key, "it is missing"))
    }

    pub(crate) fn f32(&self, key: &str) -> Result<Option<f32>, ModelError> {
        self.read(key, "a number", |v| v.as_f64().map(|x| x as f32))
    }

    /// A switch; off where it is missing.
    pub(crate) fn flag(&self, key: &str) -> Result<bool, ModelError> {
        Ok(self
            .read(key, "true or false", Value::as_bool)?
            .unwrap_or(false))
    }

    pub(crate) fn text(&self, key: &str) -> Result<Option<&'a str>, ModelError> {
        self.read(key, "a string", Value::as_str)
    }

    fn read<T>(
        &self,
        key: &str,
        kind: &str,
        f: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, ModelError> {
        match self.get(key) {
            None => Ok(None),
            Some(value) => f(value)
                .map(Some)
                .ok_or_else(|| self.invalid(key, &format!("{value} is not {kind}"))),
        }
    }

    pub(crate) fn invalid(&self, key: &str, problem: &str) -> ModelError {
        ModelError::Config {
            field: format!("{}{key}", self.prefix),
            problem: problem.to_owned(),
        }
    }

    pub(crate) fn unsupported(&self, key: &str, found: &Value, supported: &str) -> ModelError {
        ModelError::Unsupported {
            field: format!("{}{key}", self.prefix),
            found: found.to_string(),
            supported: supported.to_owned(),
        }
    }
}
