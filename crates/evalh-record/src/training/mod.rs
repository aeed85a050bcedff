//! The record of a training: what `evalh train` writes beside the weights, and what `evalh probe` writes for it.
//!
//! A training's folder ([`TrainingFolder`] while it is written, [`TrainingRecord`] to read it):
//!
//! | file | what |
//! | --- | --- |
//! | `training.json` | [`Training`]: settings, cost, losses and how it ended; replaced as a whole |
//! | `steps.jsonl` | a [`StepRow`] a line, appended while it trains; a torn last line is cut when it is resumed |
//! | `checkpoints/step-N/` | what a resumed training goes on from |
//! | `adapter_config.json`, `adapter_model.safetensors` | the result in the form of PEFT, or a checkpoint for full fine-tuning |
//!
//! A probe of the layers writes `layers.json`, [`LayerSelection`].

mod cost;
mod error;
mod folder;
mod layers;
mod record;
mod settings;
mod status;
mod step;
#[cfg(test)]
mod tests;

pub use cost::{Energy, LossSummary, Seconds};
pub use error::{TrainingError, TrainingResult};
pub use folder::{ClaimedTraining, ResumableTraining, TrainingFolder};
pub use layers::{LAYERS_SCHEMA, LayerSelection, ProbeMethod};
pub use record::TrainingRecord;
pub use settings::{
    Budget, DataSettings, LayerChoice, Layers, Length, LoraSettings, LossOn, Method, ModelSettings,
    Objective, OptimizerSettings, Precision, Schedule, Target, TargetMetric, TrainingSettings,
};
pub use status::{Failure, Status, Stop, TRAINING_SCHEMA, Training};
pub use step::{ParsedSteps, StepRow, parse_steps};
