//! Model families: what each calls its settings and tensors. A family is one file and one line of [`FAMILIES`].

mod llama;

use crate::config::Keys;
use crate::{DecoderConfig, ModelError};
use serde_json::Value;

/// A family of decoders that share names and forward pass.
#[derive(Debug, Clone, Copy)]
pub struct Family {
    /// `model_type` in a config.
    pub model_type: &'static str,
    /// Reads the settings.
    pub(crate) config: fn(&Keys<'_>) -> Result<DecoderConfig, ModelError>,
    /// Names of the tensors.
    pub(crate) names: Names,
}

/// Module names of a family. Weights are at `.weight`, biases at `.bias`; `{}` stands for the layer's number.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Names {
    pub embedding: &'static str,
    pub final_norm: &'static str,
    pub head: &'static str,
    pub attention_norm: &'static str,
    pub query: &'static str,
    pub key: &'static str,
    pub value: &'static str,
    pub attention_output: &'static str,
    pub mlp_norm: &'static str,
    pub gate: &'static str,
    pub up: &'static str,
    pub down: &'static str,
    /// Ends of the names of tensors that checkpoints hold and no forward pass needs.
    pub unused: &'static [&'static str],
}

/// Every family that can be loaded.
pub const FAMILIES: &[Family] = &[llama::FAMILY];

/// The family of a config.
///
/// # Errors
/// When `model_type` is missing or unknown.
pub fn find(config: &Value) -> Result<&'static Family, ModelError> {
    let keys = Keys::new(config);
    let name = keys
        .text("model_type")?
        .ok_or_else(|| keys.invalid("model_type", "it is missing"))?;
    FAMILIES
        .iter()
        .find(|family| family.model_type == name)
        .ok_or_else(|| {
            let known: Vec<_> = FAMILIES.iter().map(|family| family.model_type).collect();
            keys.unsupported(
                "model_type",
                &name.into(),
                &format!("supported: {}", known.join(", ")),
            )
        })
}
