//! What a training leaves behind: adapter folders as PEFT writes them, and whole checkpoints.

mod checkpoint;
mod choice;
mod config;
mod files;
mod folder;
mod patterns;

pub use checkpoint::write_checkpoint;
pub use choice::ModuleChoice;
pub use folder::{LoraFolder, LoraTask, TrainedModule, write_lora};

use crate::AdapterError;
use std::path::Path;

/// The refusal of something that cannot be written as asked.
fn refused(dir: &Path, problem: String, remedy: &str) -> AdapterError {
    AdapterError::Save {
        path: dir.to_owned(),
        problem,
        remedy: remedy.to_owned(),
    }
}
