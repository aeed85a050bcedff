//! Scores of layers to a choice of layers.

mod amount;
mod choose;
mod cka;
mod error;
mod file;
mod layers;
mod method;

pub use amount::Amount;
pub use choose::{Choice, ranks, select};
pub use cka::{cka, importance};
pub use error::SelectError;
pub use file::{LayersFile, ProbeCost, Source};
pub use layers::Layers;
pub use method::Method;
