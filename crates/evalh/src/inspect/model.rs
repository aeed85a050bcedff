//! A checkpoint's facts.

use super::{
    config::Sizes,
    modules::{Pattern, layout, patterns},
};
use crate::failure::{OrFail as _, Outcome};
use evalh_checkpoint::{Checkpoint, StoredDtype, WeightSource as _};
use evalh_model::{DecoderConfig, ENCODER_FAMILIES, EncoderConfig};
use serde::Serialize;
use serde_json::Value;
use std::path::PathBuf;

/// Everything that is told of a checkpoint.
#[derive(Debug, Serialize)]
pub struct ModelFacts {
    /// Where it is.
    pub path: PathBuf,
    /// `model_type`.
    pub family: Option<String>,
    /// The classes that transformers would build.
    pub architectures: Vec<String>,
    /// Why evalh cannot run it, where it cannot.
    pub unsupported: Option<String>,
    /// Sizes.
    pub sizes: Sizes,
    /// Most tokens of a sequence.
    pub context: Option<usize>,
    /// Stored values.
    pub parameters: u64,
    /// Bytes of the stored values.
    pub bytes: u64,
    /// Values stored in each type, most first.
    pub stored: Vec<Stored>,
    /// What running it takes.
    pub memory: Memory,
    /// Its tokenizer.
    pub tokenizer: Option<TokenizerFacts>,
    /// Its chat template.
    pub chat_template: Option<String>,
    /// How to generate with it.
    pub generation: Generation,
    /// What adapters can attach to.
    pub modules: Vec<Pattern>,
    /// Tensors with NaN or infinite values, where they were looked for.
    pub non_finite: Option<Vec<NonFinite>>,
}

/// Values of one type.
#[derive(Debug, Serialize)]
pub struct Stored {
    /// The type.
    pub dtype: String,
    /// How many.
    pub values: u64,
}

/// What running a checkpoint takes.
#[derive(Debug, Serialize)]
pub struct Memory {
    /// Bytes of the weights: two a value where bf16 is exact, else four.
    pub weights: u64,
    /// Bytes of a token's keys and values, which decoders keep.
    pub key_value_per_token: Option<u64>,
}

/// A tokenizer's facts.
#[derive(Debug, Serialize)]
pub struct TokenizerFacts {
    /// `BPE`, `WordPiece`, `Unigram` or `WordLevel`.
    pub kind: &'static str,
    /// Its tokens, the unused ids up to the largest counted.
    pub tokens: usize,
    /// Its special tokens, in the order of their ids.
    pub special: Vec<SpecialToken>,
}

/// A token that is no text.
#[derive(Debug, Serialize)]
pub struct SpecialToken {
    /// Its id.
    pub id: u32,
    /// How it is written.
    pub text: String,
}

/// What a checkpoint says about how to generate with it.
#[derive(Debug, Serialize)]
pub struct Generation {
    /// Ids that end a text.
    pub eos_ids: Vec<u32>,
    /// The id that begins one.
    pub bos_id: Option<u32>,
    /// The id that fills a batch.
    pub pad_id: Option<u32>,
    /// Settings by name.
    pub settings: Vec<String>,
}

/// A tensor with values that are no numbers.
#[derive(Debug, Serialize)]
pub struct NonFinite {
    /// Its name.
    pub tensor: String,
    /// How many of its values.
    pub values: usize,
}

impl ModelFacts {
    /// Reads a checkpoint's headers, and with `check` all of its values.
    ///
    /// # Errors
    /// When its files are damaged or contradict each other.
    pub fn of(checkpoint: &Checkpoint, check: bool) -> Outcome<ModelFacts> {
        let config = checkpoint.config();
        let sizes = Sizes::of(config);
        let texts = |value: &Value| -> Vec<String> {
            let list = value.as_array().into_iter().flatten();
            list.filter_map(|text| text.as_str().map(str::to_owned))
                .collect()
        };
        let stored = checkpoint.dtype_summary();
        Ok(ModelFacts {
            path: checkpoint.path().to_owned(),
            family: config["model_type"].as_str().map(str::to_owned),
            architectures: texts(&config["architectures"]),
            unsupported: unsupported(config),
            sizes,
            context: checkpoint
                .generation()
                .max_positions
                .or(sizes.positions.and_then(|n| usize::try_from(n).ok())),
            parameters: checkpoint.parameters(),
            bytes: checkpoint.bytes(),
            memory: Memory {
                weights: stored.iter().map(|(dtype, n)| held_bytes(*dtype) * n).sum(),
                key_value_per_token: sizes.key_value_bytes().filter(|_| !is_encoder(config)),
            },
            stored: stored
                .into_iter()
                .map(|(dtype, values)| Stored {
                    dtype: dtype.to_string(),
                    values,
                })
                .collect(),
            tokenizer: tokenizer(checkpoint)?,
            chat_template: checkpoint
                .chat_template()
                .or_fail()?
                .map(|template| template.source().to_owned()),
            generation: generation(checkpoint),
            modules: patterns(&layout(checkpoint)),
            non_finite: if check {
                Some(non_finite(checkpoint)?)
            } else {
                None
            },
        })
    }
}

/// Encoders keep no keys and values.
fn is_encoder(config: &Value) -> bool {
    let family = config["model_type"].as_str();
    ENCODER_FAMILIES
        .iter()
        .any(|encoder| Some(encoder.model_type) == family)
}

/// Why no model can be built of a config.
fn unsupported(config: &Value) -> Option<String> {
    let error = if is_encoder(config) {
        EncoderConfig::of(config).err()
    } else {
        DecoderConfig::read(config).err()
    };
    let text = error?.to_string();
    Some(text.trim_start_matches("build the model: ").to_owned())
}

/// Bytes that evalh holds a value in: values of a half type fit bf16 only where that is their type.
fn held_bytes(dtype: StoredDtype) -> u64 {
    if dtype == StoredDtype::BF16 { 2 } else { 4 }
}

/// A checkpoint without a tokenizer is whole otherwise; one with a broken tokenizer is not.
fn tokenizer(checkpoint: &Checkpoint) -> Outcome<Option<TokenizerFacts>> {
    let is_folder = checkpoint.path().is_dir();
    if is_folder && !checkpoint.path().join("tokenizer.json").is_file() {
        return Ok(None);
    }
    let tokenizer = checkpoint.tokenizer().or_fail()?;
    Ok(Some(TokenizerFacts {
        kind: tokenizer.kind(),
        tokens: tokenizer.vocab_size(),
        special: tokenizer
            .special_tokens()
            .into_iter()
            .map(|(id, text)| SpecialToken { id, text })
            .collect(),
    }))
}

fn generation(checkpoint: &Checkpoint) -> Generation {
    let found = checkpoint.generation();
    let mut settings = Vec::new();
    let mut add = |name: &str, value: Option<String>| {
        settings.extend(value.map(|value| format!("{name} {value}")));
    };
    add("temperature", found.temperature.map(|x| x.to_string()));
    add("top_p", found.top_p.map(|x| x.to_string()));
    add("top_k", found.top_k.map(|x| x.to_string()));
    add(
        "repetition_penalty",
        found.repetition_penalty.map(|x| x.to_string()),
    );
    settings.extend(found.unhonoured.iter().cloned());
    Generation {
        eos_ids: found.eos_ids.clone(),
        bos_id: found.bos_id,
        pad_id: found.pad_id,
        settings,
    }
}

fn non_finite(checkpoint: &Checkpoint) -> Outcome<Vec<NonFinite>> {
    let found = checkpoint.non_finite().or_fail()?;
    let line = |(tensor, values)| NonFinite { tensor, values };
    Ok(found.into_iter().map(line).collect())
}
