//! What a family's settings are made from: the sizes that every model has, and metadata under its prefix.

mod limits;

use super::{
    FormatError,
    header::Tensor,
    model::Model,
    rope::{self, Rotary},
};
use serde_json::Value;
use std::{cell::RefCell, collections::BTreeSet};

/// llama.cpp's base of the rotary frequencies where the file names none.
const DEFAULT_THETA: f64 = 10_000.0;

/// Sizes and metadata of one model.
pub(super) struct Facts<'a> {
    pub(super) model: &'a Model,
    architecture: &'static str,
    /// Every key that was asked for, in the file or not.
    asked: RefCell<BTreeSet<String>>,
    pub(super) hidden: u64,
    pub(super) heads: u64,
    pub(super) kv_heads: u64,
    /// Size of a head.
    pub(super) head_dim: u64,
    /// Inner size of the feed-forward network.
    pub(super) intermediate: u64,
    pub(super) layers: u64,
    /// The longest sequence.
    pub(super) positions: u64,
    pub(super) vocabulary: u64,
}

impl<'a> Facts<'a> {
    pub(super) fn of(model: &'a Model, architecture: &'static str) -> Result<Self, FormatError> {
        let mut facts = Self {
            model,
            architecture,
            asked: RefCell::default(),
            hidden: 0,
            heads: 0,
            kv_heads: 0,
            head_dim: 0,
            intermediate: 0,
            layers: 0,
            positions: 0,
            vocabulary: 0,
        };
        facts.hidden = facts.size("embedding_length")?;
        facts.heads = facts.size("attention.head_count")?;
        facts.kv_heads = match facts.optional("attention.head_count_kv")? {
            Some(_) => facts.size("attention.head_count_kv")?,
            None => facts.heads,
        };
        facts.layers = facts.layer_count()?;
        facts.positions = facts.size("context_length")?;
        facts.head_dim = facts.head_size()?;
        facts.intermediate = facts.inner_size()?;
        facts.vocabulary = facts.embedded()?;
        // Read by `family::of`; a family without experts accepts the key where it says 0.
        facts.optional("expert_count")?;
        Ok(facts)
    }

    /// A key with the architecture's prefix.
    pub(super) fn key(&self, name: &str) -> String {
        self.asked.borrow_mut().insert(name.to_owned());
        format!("{}.{name}", self.architecture)
    }

    /// A number of 0 or more.
    pub(super) fn optional(&self, name: &str) -> Result<Option<u64>, FormatError> {
        let key = self.key(name);
        match self.model.header.array(&key) {
            Ok(Some(_)) => Err(FormatError::unsupported(
                &key,
                "an array (one value a layer)".to_owned(),
                "one value for all layers is".to_owned(),
            )),
            _ => self.model.header.unsigned(&key),
        }
    }

    /// A number from 1 to a billion, which no size of a model reaches and no product of two overflows.
    pub(super) fn size(&self, name: &str) -> Result<u64, FormatError> {
        let key = self.key(name);
        match self.optional(name)? {
            Some(n @ 1..=1_000_000_000) => Ok(n),
            Some(n) => Err(FormatError::new(
                &key,
                format!("is {n}, which is no size of a model"),
            )),
            None => Err(FormatError::missing(&key)),
        }
    }

    pub(super) fn float(&self, name: &str) -> Result<Option<f64>, FormatError> {
        self.model.header.float(&self.key(name))
    }

    pub(super) fn bool(&self, name: &str) -> Result<Option<bool>, FormatError> {
        self.model.header.bool(&self.key(name))
    }

    pub(super) fn string(&self, name: &str) -> Result<Option<&str>, FormatError> {
        self.model.header.string(&self.key(name))
    }

    /// Whether the file has a tensor of that name.
    pub(super) fn has(&self, tensor: &str) -> bool {
        self.model.tensor(tensor).is_some()
    }

    /// Whether the first layer's queries have a bias, in a tensor of their own or a fused one.
    pub(super) fn qkv_bias(&self) -> bool {
        self.has("blk.0.attn_q.bias") || self.has("blk.0.attn_qkv.bias")
    }

    /// Biases of queries and keys of all layers, in tensors of their own or fused ones.
    pub(super) fn qkv_biases(&self) -> impl Iterator<Item = &str> {
        let suffixes = [".attn_q.bias", ".attn_k.bias", ".attn_qkv.bias"];
        self.model
            .header
            .tensors()
            .iter()
            .map(|tensor| tensor.name.as_str())
            .filter(move |name| suffixes.iter().any(|suffix| name.ends_with(suffix)))
    }

    pub(super) fn rms_epsilon(&self) -> Result<f64, FormatError> {
        self.epsilon("attention.layer_norm_rms_epsilon")
    }

    pub(super) fn norm_epsilon(&self) -> Result<f64, FormatError> {
        self.epsilon("attention.layer_norm_epsilon")
    }

    fn epsilon(&self, name: &str) -> Result<f64, FormatError> {
        self.float(name)?
            .ok_or_else(|| FormatError::missing(&self.key(name)))
    }

    /// The shape of the rotary embedding, which may turn a part of each head only.
    pub(super) fn rotary(&self) -> Result<Rotary, FormatError> {
        const COUNT: &str = "rope.dimension_count";
        let rotary = Rotary {
            dimensions: self.optional(COUNT)?.unwrap_or(self.head_dim),
            theta: self.float("rope.freq_base")?.unwrap_or(DEFAULT_THETA),
            positions: self.positions,
        };
        if rotary.dimensions == 0 || rotary.dimensions % 2 == 1 || rotary.dimensions > self.head_dim
        {
            return Err(FormatError::new(
                &self.key(COUNT),
                format!(
                    "is {}, not an even number up to the head's {}",
                    rotary.dimensions, self.head_dim
                ),
            ));
        }
        if rotary.theta <= 0.0 {
            return Err(FormatError::new(
                &self.key("rope.freq_base"),
                format!("is {}, not more than 0", rotary.theta),
            ));
        }
        Ok(rotary)
    }

    /// The share of a head that is rotated, such that the head's size times it, cut to a whole number, is that part.
    pub(super) fn rotary_share(&self, rotary: Rotary) -> f64 {
        let (part, all) = (rotary.dimensions as f64, self.head_dim as f64);
        let share = part / all;
        if all * share < part {
            share.next_up()
        } else {
            share
        }
    }

    /// `rope_scaling`, or null where the frequencies are the plain ones.
    pub(super) fn rope_scaling(&self, rotary: Rotary) -> Result<Value, FormatError> {
        rope::scaling(self, rotary)
    }

    /// `rope_scaling` of Phi-3, whose long contexts have factors of their own.
    pub(super) fn long_rope(&self, rotary: Rotary, original: u64) -> Result<Value, FormatError> {
        rope::long(self, rotary, original)
    }

    /// No more than tensors, of which each layer has some.
    fn layer_count(&self) -> Result<u64, FormatError> {
        let layers = self.size("block_count")?;
        let tensors = self.model.header.tensors().len();
        if layers <= tensors as u64 {
            return Ok(layers);
        }
        Err(FormatError::new(
            &self.key("block_count"),
            format!("is {layers}, but the file has {tensors} tensors"),
        ))
    }

    fn head_size(&self) -> Result<u64, FormatError> {
        let (hidden, heads) = (self.hidden, self.heads);
        let keys = self.optional("attention.key_length")?;
        let values = self.optional("attention.value_length")?;
        let plain = hidden.is_multiple_of(heads).then_some(hidden / heads);
        let size = keys.or(plain).filter(|n| (1..=1_000_000).contains(n)).ok_or_else(|| {
            FormatError::new(
                &self.key("attention.head_count"),
                format!("is {heads}, which does not divide the hidden size {hidden}, and no key length is given"),
            )
        })?;
        match values {
            Some(values) if values != size => Err(FormatError::unsupported(
                &self.key("attention.value_length"),
                values.to_string(),
                format!("the length of a key, {size}, is"),
            )),
            _ => Ok(size),
        }
    }

    /// By a tensor: the converter writes four times the hidden size for some families, whatever the model's is.
    fn inner_size(&self) -> Result<u64, FormatError> {
        let stated = self.size("feed_forward_length")?;
        let down = ["ffn_down", "ffn_down_exps", "ffn_down.0"]
            .iter()
            .find_map(|name| self.model.tensor(&format!("blk.0.{name}.weight")));
        Ok(down.map_or(stated, |tensor| tensor.extents[0] as u64))
    }

    /// The rows of the embedding, which the metadata must not contradict.
    fn embedded(&self) -> Result<u64, FormatError> {
        const EMBEDDING: &str = "token_embd.weight";
        let embedding: &Tensor = self.model.tensor(EMBEDDING).ok_or_else(|| {
            FormatError::new(
                EMBEDDING,
                "is missing from the tensors: the file holds no model".to_owned(),
            )
        })?;
        let rows = match embedding.extents[..] {
            [_, rows] => rows as u64,
            ref other => {
                return Err(FormatError::new(
                    EMBEDDING,
                    format!("has extents {other:?}, not two"),
                ));
            }
        };
        match self.optional("vocab_size")? {
            Some(stated) if stated != rows => Err(FormatError::new(
                &self.key("vocab_size"),
                format!("is {stated}, but {EMBEDDING} has {rows} rows"),
            )),
            _ => Ok(rows),
        }
    }
}
