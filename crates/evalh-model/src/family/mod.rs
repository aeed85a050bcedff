//! Model families: what each calls its settings and tensors. A family is one file and one line of [`FAMILIES`].

mod gemma;
mod gpt2;
mod gpt_neox;
mod gptj;
mod llama;
mod mistral;
mod mixtral;
mod names;
mod olmo;
mod phi;
mod phi3;
mod qwen;
mod stablelm;
mod wrapped;

use crate::config::Keys;
use crate::{DecoderConfig, ModelError};
pub(crate) use names::{ExpertNames, HeadNormNames, Names};
use serde_json::Value;
pub(crate) use wrapped::Wrapper;

/// A family of decoders that share names and forward pass.
#[derive(Debug, Clone, Copy)]
pub struct Family {
    /// `model_type` in a config.
    pub model_type: &'static str,
    /// Reads the settings.
    pub(crate) config: fn(&Keys<'_>) -> Result<DecoderConfig, ModelError>,
    /// Names of the tensors.
    pub(crate) names: Names,
    /// Sizes that the reference implementation takes where a nested config lacks them.
    pub(crate) defaults: &'static [(&'static str, usize)],
}

/// Every family that can be loaded.
pub const FAMILIES: &[Family] = &[
    llama::FAMILY,
    mistral::FAMILY,
    mixtral::FAMILY,
    qwen::QWEN2,
    qwen::QWEN3,
    gemma::GEMMA,
    gemma::GEMMA2,
    gemma::GEMMA3,
    phi::FAMILY,
    phi3::FAMILY,
    stablelm::FAMILY,
    gptj::FAMILY,
    gpt_neox::FAMILY,
    gpt2::FAMILY,
    olmo::OLMO,
    olmo::OLMO2,
];

/// A config's family and settings.
#[derive(Debug)]
pub(crate) struct Found {
    pub family: &'static Family,
    pub config: DecoderConfig,
    /// The model around the decoder, where it is a part of one.
    pub wrapper: Option<&'static Wrapper>,
}

/// Reads a config: its family, and the settings of the decoder.
///
/// # Errors
/// When `model_type` is missing or unknown, or a setting is not honoured.
pub(crate) fn read(config: &Value) -> Result<Found, ModelError> {
    let keys = Keys::new(config);
    refuse_other_heads(&keys)?;
    let name = model_type(&keys)?;
    let Some(wrapper) = wrapped::find(name) else {
        let family = by_name(&keys, name)?;
        return Ok(Found {
            family,
            config: (family.config)(&keys)?,
            wrapper: None,
        });
    };
    let inner = keys
        .get("text_config")
        .ok_or_else(|| keys.invalid("text_config", "it is missing"))?;
    let inner = keys.nested("text_config", inner);
    let family = by_name(&inner, inner.text("model_type")?.unwrap_or(wrapper.inner))?;
    let mut config = (family.config)(&inner.with_defaults(family.defaults))?;
    // Written beside the nested config, not in it.
    if let Some(tied) = keys.switch("tie_word_embeddings")? {
        config.tied_embeddings |= tied;
    }
    Ok(Found {
        family,
        config,
        wrapper: Some(wrapper),
    })
}

/// A decoder is evaluated as a language model: the heads of other tasks are another model.
fn refuse_other_heads(keys: &Keys<'_>) -> Result<(), ModelError> {
    let named = keys.get("architectures").and_then(Value::as_array);
    let other = |name: &&Value| {
        let task = name.as_str().and_then(|name| name.split_once("For"));
        task.is_some_and(|(_, task)| !matches!(task, "CausalLM" | "ConditionalGeneration"))
    };
    match named.into_iter().flatten().find(other) {
        Some(found) => Err(keys.unsupported(
            "architectures",
            found,
            "a decoder is evaluated as a language model, so its checkpoint must be one for causal language modelling",
        )),
        None => Ok(()),
    }
}

fn model_type<'a>(keys: &Keys<'a>) -> Result<&'a str, ModelError> {
    keys.text("model_type")?
        .ok_or_else(|| keys.invalid("model_type", "it is missing"))
}

fn by_name(keys: &Keys<'_>, name: &str) -> Result<&'static Family, ModelError> {
    FAMILIES
        .iter()
        .find(|family| family.model_type == name)
        .ok_or_else(|| {
            let known = FAMILIES.iter().map(|family| family.model_type);
            let known: Vec<_> = known.chain(wrapped::names()).collect();
            let nearest = known
                .iter()
                .max_by(|a, b| similarity(name, a).total_cmp(&similarity(name, b)))
                .filter(|known| similarity(name, known) > 0.6);
            let hint = nearest.map_or(String::new(), |n| format!("the nearest is {n}; "));
            keys.unsupported(
                "model_type",
                &name.into(),
                &format!("{hint}supported: {}", known.join(", ")),
            )
        })
}

fn similarity(a: &str, b: &str) -> f64 {
    strsim::jaro_winkler(a, b)
}
