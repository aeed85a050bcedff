//! What checkpoints and adapters are, told from their files.

mod config;
mod model;
mod modules;

pub use model::ModelFacts;
pub use modules::{collapsed, layout, natural, with_heads_of};
