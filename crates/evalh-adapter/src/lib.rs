//! Low-rank adapters, as PEFT saves them, to updates of a model's linear modules.
//!
//! [`Adapter::open`] reads a folder as PEFT saves it (`adapter_config.json`, `adapter_model.safetensors`) and refuses, by
//! name, every setting that it would not honour: an adapter of which something is ignored scores like another model.
//! [`Adapter::resolve`] matches it against a model's layout by PEFT's rules and gives an [`AdapterUpdate`].
//!
//! The rules are those of PEFT 0.21.2: `check_target_module_exists`, `get_pattern_key`, `LoraLayer.update_layer`.

mod adapter;
#[cfg(feature = "analysis")]
pub mod analysis;
mod base;
mod config;
mod error;
mod export;
mod file;
mod layout;
mod merge;
mod mix;
mod select;
mod spelling;
mod update;
mod write;

pub use adapter::Adapter;
pub use base::BaseModel;
pub use config::{LoraConfig, TrainedBias};
pub use error::AdapterError;
pub use export::{MergeReport, MergedCheckpoint, MergedTensor};
pub use file::{NonFinite, non_finite};
pub use layout::{ModelLayout, ModuleKind, TargetModule};
pub use mix::{MixPart, MixSpec, combine, parse_mix};
pub use update::{AdapterUpdate, LoraUpdate, SavedTensor};
pub use write::{LoraFolder, LoraTask, ModuleChoice, TrainedModule, write_checkpoint, write_lora};
