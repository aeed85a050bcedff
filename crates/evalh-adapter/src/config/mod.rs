//! `adapter_config.json`: what is honoured, what is neutral, and the refusal of all else.

mod fields;
mod modules;
mod read;
mod table;

use crate::{
    AdapterError, ModelLayout, ModuleKind, TargetModule,
    select::{ModuleSelection, PatternTable, Targets},
};
use std::path::Path;

/// Which biases of the base model were trained and saved with the adapter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrainedBias {
    /// None.
    None,
    /// Every bias of the model.
    All,
    /// Those of the adapted modules.
    LoraOnly,
}

/// The settings of a low-rank adapter that decide what it does to a model.
#[derive(Debug, Clone)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is a switch of the file"
)]
pub struct LoraConfig {
    pub(crate) rank: usize,
    pub(crate) alpha: f64,
    pub(crate) use_rslora: bool,
    pub(crate) use_dora: bool,
    pub(crate) lora_bias: bool,
    pub(crate) bias: TrainedBias,
    pub(crate) ensure_weight_tying: bool,
    /// Keys of `lora_velora_embed` and `lora_monteclora_sampler` are expected, which serve the training only.
    pub(crate) training_state: bool,
    pub(crate) base_model: Option<String>,
    pub(crate) task: Option<String>,
    pub(crate) selection: ModuleSelection,
    pub(crate) modules_to_save: Vec<String>,
    pub(crate) rank_pattern: PatternTable<usize>,
    pub(crate) alpha_pattern: PatternTable<f64>,
}

impl LoraConfig {
    /// Reads the bytes of `adapter_config.json`; `path` serves the messages.
    ///
    /// # Errors
    /// When they are no JSON object, a field is malformed, or a field that is not honoured has a value that is not neutral.
    pub fn from_json(path: &Path, json: &[u8]) -> Result<LoraConfig, AdapterError> {
        read::read(path, json)
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

    /// Whether each module has a magnitude beside its factors (weight-decomposed adaptation).
    pub fn use_dora(&self) -> bool {
        self.use_dora
    }

    /// Which biases of the base were trained.
    pub fn bias(&self) -> TrainedBias {
        self.bias
    }

    /// Modules saved whole: those of the file and, for a task with a head, PEFT's names of heads.
    ///
    /// A name stands for every module whose full name ends with it, whether or not a dot comes before.
    pub fn modules_to_save(&self) -> &[String] {
        &self.modules_to_save
    }

    /// The task the adapter was trained for, e.g. `CAUSAL_LM` or `SEQ_CLS`.
    pub fn task(&self) -> Option<&str> {
        self.task.as_deref()
    }

    /// The base model that the adapter says it was trained on.
    pub fn base_model(&self) -> Option<&str> {
        self.base_model.as_deref()
    }

    /// Whether the adapter is configured to adapt a module of this name, if the model has one of a kind that can be
    /// adapted. `all-linear` selects every name here: what is linear is the model's to say, see
    /// [`LoraConfig::selects_in`].
    pub fn selects(&self, module: &str) -> bool {
        self.selection.selects(module)
    }

    /// Whether the adapter is configured to adapt this module, which is called `name` where the adapter was trained.
    /// `all-linear` leaves out embeddings, the output head, and PEFT's heads of a sequence classifier.
    pub fn selects_in(&self, layout: &ModelLayout, module: &TargetModule, name: &str) -> bool {
        if matches!(self.selection.targets, Targets::AllLinear) {
            let head = match &layout.output_head {
                Some(head) => module.name == *head,
                None => {
                    self.task.as_deref() == Some("SEQ_CLS")
                        && ["score", "classifier"].contains(&name)
                }
            };
            if head || module.kind == ModuleKind::Embedding {
                return false;
            }
        }
        self.selects(name)
    }

    /// Whether a module of this name is saved whole.
    pub fn saves(&self, module: &str) -> bool {
        self.modules_to_save
            .iter()
            .any(|name| module.ends_with(name.as_str()))
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
