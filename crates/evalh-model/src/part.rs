//! The parts of a model in which adapters act.

mod embedding;
mod linear;
mod norm;
mod parameter;
mod slot;
mod trained;
mod unfolding;
mod updates;
mod values;

pub(crate) use embedding::Embedding;
pub use linear::UpdateStart;
pub(crate) use linear::{Linear, Rows, transpose};
pub(crate) use norm::{HeadNorm, Norm};
pub use parameter::{Parameter, ParameterTensor};
pub(crate) use parameter::{ParameterSlot, Place};
pub(crate) use slot::{Held, Scope, Slot, Target};
pub(crate) use trained::Trained;
pub(crate) use unfolding::Unfolding;
pub(crate) use updates::Updates;
pub(crate) use values::Values;
