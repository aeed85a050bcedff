//! What turns gradients into weights: schedules, clipping, `AdamW`, initial factors and dropout.

mod adamw;
mod clip;
mod dropout;
mod factors;
mod schedule;

pub use adamw::AdamW;
pub use clip::clip;
pub use dropout::{Dropout, DropoutError};
pub use factors::{LoraFactors, initial_factors};
pub use schedule::{LearningRate, WarmUp, WarmUpError};
