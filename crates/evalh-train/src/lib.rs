//! Layer probes, selection, and training of low-rank adapters and whole checkpoints.
//!
//! The crate knows models and training data; it knows no suites.

pub mod data;
pub mod optimizer;
pub mod plan;
pub mod probe;
mod random;
pub mod run;
pub mod scratch;
pub mod select;
mod trainer;

pub use trainer::{
    LoraModule, LoraStart, MicroBatch, Recipe, StepError, StepResult, TrainError, TrainableModel,
    Trainer, TrainerState,
};
