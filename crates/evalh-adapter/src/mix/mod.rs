//! Several adapters stacked with weights.

mod combine;
mod spec;

pub use combine::combine;
pub use spec::{MixPart, MixSpec, parse_mix};
