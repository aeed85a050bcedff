//! Metadata of a GGUF file as Hugging Face's `config.json` and generation settings.

use super::{
    FormatError,
    family::Family,
    header::{Header, Tensor},
    rope::{self, Rotary},
    tokenizer,
};
use crate::GenerationSettings;
use serde_json::{Value, json};

/// llama.cpp's base of the rotary frequencies where the file names none.
const DEFAULT_THETA: f64 = 10_000.0;

/// Numbers under the architecture's prefix.
struct Settings<'a> {
    header: &'a Header,
    architecture: &'static str,
}

impl Settings<'_> {
    fn key(&self, name: &str) -> String {
        format!("{}.{name}", self.architecture)
    }

    fn optional(&self, name: &str) -> Result<Option<u64>, FormatError> {
        let key = self.key(name);
        match self.header.array(&key) {
            Ok(Some(_)) => Err(FormatError::unsupported(
                &key,
                "an array (one value a layer)".to_owned(),
                "one value for all layers is".to_owned(),
            )),
            _ => self.header.unsigned(&key),
        }
    }

    /// A number from 1 to a billion, which no size of a model reaches and no product of two overflows.
    fn size(&self, name: &str) -> Result<u64, FormatError> {
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

    fn float(&self, name: &str) -> Result<Option<f64>, FormatError> {
        self.header.float(&self.key(name))
    }
}

/// The file's `config.json`, in the style of transformers v4.
pub(super) fn hugging_face(
    header: &Header,
    file: &[u8],
    family: &Family,
) -> Result<Value, FormatError> {
    let settings = Settings {
        header,
        architecture: family.architecture,
    };
    let hidden = settings.size("embedding_length")?;
    let heads = settings.size("attention.head_count")?;
    let kv_heads = match settings.optional("attention.head_count_kv")? {
        Some(_) => settings.size("attention.head_count_kv")?,
        None => heads,
    };
    let head_dim = head_dim(&settings, hidden, heads)?;
    let rotary = Rotary {
        dimensions: settings
            .optional("rope.dimension_count")?
            .unwrap_or(head_dim),
        theta: settings.float("rope.freq_base")?.unwrap_or(DEFAULT_THETA),
        positions: settings.size("context_length")?,
    };
    if rotary.dimensions == 0 || rotary.dimensions % 2 == 1 || rotary.dimensions > head_dim {
        return Err(FormatError::new(
            &settings.key("rope.dimension_count"),
            format!(
                "is {}, not an even number up to the head's {head_dim}",
                rotary.dimensions
            ),
        ));
    }
    let epsilon = "attention.layer_norm_rms_epsilon";
    let has = |name: &str| header.tensors().iter().any(|tensor| tensor.name == name);
    let mut config = json!({
        "model_type": family.model_type,
        "architectures": [family.class],
        "vocab_size": vocabulary(&settings)?,
        "hidden_size": hidden,
        "intermediate_size": settings.size("feed_forward_length")?,
        "num_hidden_layers": settings.size("block_count")?,
        "num_attention_heads": heads,
        "num_key_value_heads": kv_heads,
        "head_dim": head_dim,
        "hidden_act": "silu",
        "max_position_embeddings": rotary.positions,
        "rms_norm_eps": settings.float(epsilon)?.ok_or_else(|| FormatError::missing(&settings.key(epsilon)))?,
        "rope_theta": rotary.theta,
        "rope_scaling": rope::scaling(header, file, family.architecture, rotary)?,
        "attention_bias": has("blk.0.attn_q.bias"),
        "mlp_bias": has("blk.0.ffn_gate.bias"),
        "tie_word_embeddings": !has("output.weight"),
    });
    if rotary.dimensions != head_dim {
        config["partial_rotary_factor"] = json!(rotary.dimensions as f64 / head_dim as f64);
    }
    Ok(config)
}

fn head_dim(settings: &Settings<'_>, hidden: u64, heads: u64) -> Result<u64, FormatError> {
    let keys = settings.optional("attention.key_length")?;
    let values = settings.optional("attention.value_length")?;
    let plain = hidden.is_multiple_of(heads).then_some(hidden / heads);
    let head_dim = keys.or(plain).filter(|n| (1..=1_000_000).contains(n)).ok_or_else(|| {
        FormatError::new(
            &settings.key("attention.head_count"),
            format!("is {heads}, which does not divide the hidden size {hidden}, and no key length is given"),
        )
    })?;
    match values {
        Some(values) if values != head_dim => Err(FormatError::unsupported(
            &settings.key("attention.value_length"),
            values.to_string(),
            format!("the length of a key, {head_dim}, is"),
        )),
        _ => Ok(head_dim),
    }
}

/// The rows of the embedding, which the metadata must not contradict.
fn vocabulary(settings: &Settings<'_>) -> Result<usize, FormatError> {
    const EMBEDDING: &str = "token_embd.weight";
    let embedding: &Tensor = settings
        .header
        .tensors()
        .iter()
        .find(|tensor| tensor.name == EMBEDDING)
        .ok_or_else(|| {
            FormatError::new(
                EMBEDDING,
                "is missing from the tensors: the file holds no model".to_owned(),
            )
        })?;
    let rows = match embedding.extents[..] {
        [_, rows] => rows,
        ref other => {
            return Err(FormatError::new(
                EMBEDDING,
                format!("has extents {other:?}, not two"),
            ));
        }
    };
    match settings.optional("vocab_size")? {
        Some(stated) if stated != rows as u64 => Err(FormatError::new(
            &settings.key("vocab_size"),
            format!("is {stated}, but {EMBEDDING} has {rows} rows"),
        )),
        _ => Ok(rows),
    }
}

/// Special token ids and limits. Metadata has no sampling settings.
pub(super) fn generation(
    header: &Header,
    file: &[u8],
    config: &Value,
) -> Result<GenerationSettings, FormatError> {
    Ok(GenerationSettings {
        eos_ids: tokenizer::eos_ids(header, file)?,
        bos_id: tokenizer::special_id(header, "bos")?,
        pad_id: tokenizer::special_id(header, "padding")?,
        max_positions: config["max_position_embeddings"]
            .as_u64()
            .map(|n| n as usize),
        ..GenerationSettings::default()
    })
}
