//! `adapter_config.json`: what is honoured, what is neutral, and the refusal of all else.

mod fields;
mod refused;

use crate::{
    AdapterError,
    select::{ModuleSelection, PatternTable},
};
use std::path::Path;

/// The settings of a low-rank adapter that decide what it does to a model.
#[derive(Debug, Clone)]
pub struct LoraConfig {
    pub(crate) rank: usize,
    pub(crate) alpha: f64,
    pub(crate) use_rslora: bool,
    pub(crate) base_model: Option<String>,
    pub(crate) selection: ModuleSelection,
    pub(crate) rank_pattern: PatternTable<usize>,
    pub(crate) alpha_pattern: PatternTable<f64>,
}

impl LoraConfig {
    /// Reads the bytes of `adapter_config.json`; `path` serves the messages.
    ///
    /// # Errors
    /// When they are no JSON object, a field is malformed, or a field that is not honoured has a value that is not neutral.
    pub fn from_json(path: &Path, json: &[u8]) -> Result<LoraConfig, AdapterError> {
        fields::read(path, json)
    }

    /// The default rank `r`.
    pub fn rank(&self) -> usize {
        self.rank
    }

    /// The default `lora_alpha`.
    pub fn alpha(&self) -> f64 {
        self.alpha
    }

    /// Whether the scale is `alpha / sqrt(r)` (rank-stabilised) and not `alpha / r`.
    pub fn use_rslora(&self) -> bool {
        self.use_rslora
    }

    /// The base model that the adapter says it was trained on.
    pub fn base_model(&self) -> Option<&str> {
        self.base_model.as_deref()
    }

    /// Whether the adapter is configured to adapt the linear module of this name.
    pub fn selects(&self, module: &str) -> bool {
        self.selection.selects(module)
    }

    /// The rank configured for a module: the first matching `rank_pattern`, else `r`.
    pub fn rank_of(&self, module: &str) -> usize {
        self.rank_pattern.first_match(module).unwrap_or(self.rank)
    }

    /// The alpha configured for a module: the first matching `alpha_pattern`, else `lora_alpha`.
    pub fn alpha_of(&self, module: &str) -> f64 {
        self.alpha_pattern.first_match(module).unwrap_or(self.alpha)
    }

    /// What the product of the factors is multiplied by, from the module's own rank and alpha.
    pub fn scale_of(&self, module: &str) -> f32 {
        let rank = self.rank_of(module) as f64;
        (self.alpha_of(module) / if self.use_rslora { rank.sqrt() } else { rank }) as f32
    }
}
