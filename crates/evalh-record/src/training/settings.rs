//! Everything that can change what a training ends with.

use super::ProbeMethod;
use crate::{Difference, FileIdentity, Sha256, manifest};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Everything that can change what a training ends with. A training resumes only where all of this is the same.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainingSettings {
    /// The program's version.
    pub evalh: String,
    /// The checkpoint that is trained.
    pub model: ModelSettings,
    /// What it is trained on.
    pub data: DataSettings,
    /// What is minimised.
    pub objective: Objective,
    /// Which parameters move.
    pub method: Method,
    /// The adapter's form; `None` for [`Method::Full`].
    pub lora: Option<LoraSettings>,
    /// The layers that are trained.
    pub layers: Layers,
    /// Optimizer, schedule and batches.
    pub optimizer: OptimizerSettings,
    /// How long it goes on.
    pub length: Length,
    /// Steps that the length comes to, over which the schedule runs; most steps of a training with a budget or a target.
    pub planned_steps: u64,
    /// Seed of the order, the dropout and the initial factors.
    pub seed: u64,
    /// Stop when so much time is spent, where the training is matched to another one's compute.
    pub budget: Option<Budget>,
    /// Stop when a metric reaches a target, for equal accuracy.
    pub target: Option<Target>,
}

impl TrainingSettings {
    /// The settings that differ between this record and `current`, in the record's order.
    pub fn differences(&self, current: &TrainingSettings) -> Vec<Difference> {
        manifest::differences(self, current)
    }
}

/// A checkpoint by its content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelSettings {
    /// The name that reports use.
    pub name: String,
    /// Every file whose bytes can change the result: weights, config, tokenizer, template.
    pub files: Vec<FileIdentity>,
    /// What the frozen weights were rounded to at load, where that was asked for: `nf4`.
    pub quantized: Option<String>,
}

/// Training data by its content, and how it becomes rows of tokens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataSettings {
    /// The name that reports use.
    pub name: String,
    /// Its files.
    pub files: Vec<FileIdentity>,
    /// Which tokens count into the loss.
    pub loss: LossOn,
    /// Most tokens of a row.
    pub max_tokens: usize,
    /// Whether the rows go through the model's chat template.
    pub chat_template: bool,
    /// Whether short examples share a row, each seeing itself only.
    pub packing: bool,
    /// Examples that are trained on.
    pub examples: u64,
}

/// Which tokens count into the loss.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LossOn {
    /// Those of the response.
    Response,
    /// All.
    All,
}

/// What is minimised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Objective {
    /// Cross-entropy of the next token.
    CausalLm,
    /// Cross-entropy of a class.
    Classification {
        /// Classes.
        labels: usize,
    },
    /// Squared error of a number.
    Regression,
}

/// Which parameters move.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Low-rank factors beside frozen weights.
    Lora,
    /// The weights themselves.
    Full,
}

/// The form of a LoRA adapter, in PEFT's terms.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoraSettings {
    /// Rank `r`.
    pub rank: usize,
    /// `lora_alpha`; the update is scaled by `alpha / r`, or `alpha / sqrt(r)` with rsLoRA.
    pub alpha: f64,
    /// Rank-stabilised scaling.
    pub rslora: bool,
    /// Dropout before `A`.
    pub dropout: f64,
    /// The linear modules that get factors, by name: `q_proj`.
    pub targets: Vec<String>,
    /// Ranks of modules that have another one, by PEFT's pattern.
    pub rank_pattern: BTreeMap<String, usize>,
    /// Alphas of modules that have another one, by PEFT's pattern.
    pub alpha_pattern: BTreeMap<String, f64>,
    /// Hash of the factors that it began with, where they were given and not drawn from the seed.
    pub initial_sha256: Option<Sha256>,
}

/// The layers that are trained.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Layers {
    /// From 0, ascending.
    pub trained: Vec<usize>,
    /// Layers of the model.
    pub of_layers: usize,
    /// How they were chosen.
    pub chosen: LayerChoice,
}

/// How the trained layers were chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "snake_case", deny_unknown_fields)]
pub enum LayerChoice {
    /// All of them.
    All,
    /// A list that was given.
    List,
    /// A probe's `layers.json`.
    Probe {
        /// Hash of the file.
        sha256: Sha256,
        /// The probe's method.
        method: ProbeMethod,
    },
}

/// Optimizer, schedule and batches.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OptimizerSettings {
    /// The optimizer: `adamw`.
    pub name: String,
    /// Peak learning rate.
    pub learning_rate: f64,
    /// How it goes on after the warm-up.
    pub schedule: Schedule,
    /// Steps over which it rises from 0.
    pub warmup_steps: u64,
    /// Decay rates of the first and second moments.
    pub betas: [f64; 2],
    /// Added to the root of the second moment.
    pub epsilon: f64,
    /// Decoupled weight decay.
    pub weight_decay: f64,
    /// Gradients are scaled down to this L2 norm; `None` leaves them.
    pub clip: Option<f64>,
    /// Rows of a forward pass.
    pub batch_size: usize,
    /// Forward passes of a step.
    pub accumulation: usize,
    /// The type that trained weights and activations are held in.
    pub precision: Precision,
}

/// How the learning rate goes on after the warm-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Schedule {
    /// Half a cosine down to 0.
    Cosine,
    /// A line down to 0.
    Linear,
    /// It stays.
    Constant,
}

/// A number type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Precision {
    /// 32-bit floats.
    F32,
    /// bfloat16.
    Bf16,
}

/// How long a training goes on.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Length {
    /// So many optimizer steps.
    Steps(u64),
    /// So many passes through the data.
    Epochs(f64),
}

/// The compute of another training.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// The other training's name.
    pub of: String,
    /// Wall seconds that it took.
    pub wall_seconds: f64,
}

/// Where a training stops for equal accuracy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// What is measured; lower is better.
    pub metric: TargetMetric,
    /// Reached when the metric is not above this.
    pub value: f64,
    /// The held-out data's files, where the metric needs some.
    pub data: Vec<FileIdentity>,
    /// Steps between two measurements.
    pub every: u64,
}

/// What a target is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TargetMetric {
    /// Mean training loss of the last 10 steps.
    Loss,
    /// Mean loss on held-out data.
    HeldOutLoss,
}
