//! What the tests share: the binary, a tiny model, its adapters.

mod evalh;
mod sandbox;
mod tensors;
mod tiny;

pub use evalh::{Evalh, Shown};
pub use sandbox::has_sandbox;
pub use tensors::Tensors;
pub use tiny::{TinyModel, write_adapter};
