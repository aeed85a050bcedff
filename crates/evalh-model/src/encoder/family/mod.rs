//! Families of encoders: what each calls its settings and tensors. A family is one file and its lines of [`FAMILIES`].

mod bert;
mod deberta_v2;
mod roberta;

use super::config::EncoderConfig;
use super::names::Names;
use crate::ModelError;
use crate::config::Keys;
use serde_json::Value;

/// A family of encoders that share names and forward pass.
#[derive(Debug, Clone, Copy)]
pub struct EncoderFamily {
    /// `model_type` in a config.
    pub model_type: &'static str,
    /// What transformers calls its model for sequence classification.
    pub(super) classifier: &'static str,
    /// Reads the settings.
    pub(super) config: fn(&Keys<'_>, &'static str) -> Result<EncoderConfig, ModelError>,
    /// Names of the modules.
    pub(super) names: Names,
}

/// Every family that can be loaded.
pub const FAMILIES: &[EncoderFamily] = &[
    bert::family("bert", "BertForSequenceClassification"),
    roberta::family("roberta", "RobertaForSequenceClassification"),
    roberta::family("camembert", "CamembertForSequenceClassification"),
    roberta::family("xlm-roberta", "XLMRobertaForSequenceClassification"),
    deberta_v2::family("deberta-v2", "DebertaV2ForSequenceClassification"),
];

/// The family of a config.
///
/// # Errors
/// When `model_type` is missing or no encoder's.
pub(super) fn find(config: &Value) -> Result<&'static EncoderFamily, ModelError> {
    let keys = Keys::new(config);
    let name = keys
        .text("model_type")?
        .ok_or_else(|| keys.invalid("model_type", "it is missing"))?;
    FAMILIES
        .iter()
        .find(|family| family.model_type == name)
        .ok_or_else(|| {
            let known: Vec<_> = FAMILIES.iter().map(|family| family.model_type).collect();
            let supported = format!("supported encoders: {}", known.join(", "));
            keys.unsupported("model_type", &name.into(), &supported)
        })
}
