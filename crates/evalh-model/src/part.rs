//! The parts of a model in which adapters act.

mod embedding;
mod linear;
mod norm;
mod slot;
mod updates;
mod values;

pub(crate) use embedding::Embedding;
pub(crate) use linear::{Linear, Rows, transpose};
pub(crate) use norm::{HeadNorm, Norm};
pub(crate) use slot::{Held, Scope, Slot, Target};
pub(crate) use updates::Updates;
pub(crate) use values::Values;
