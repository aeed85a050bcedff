//! Scores of layers to a choice of layers.

mod amount;
mod choose;
mod cka;
mod error;
mod layers;
mod unmeasured;

pub use amount::Amount;
pub use choose::{ranks, select};
pub use cka::{cka, importance};
pub use error::SelectError;
pub use layers::Layers;
pub use unmeasured::unmeasured_scores;
