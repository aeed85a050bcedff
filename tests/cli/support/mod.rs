//! What the tests share: the binary, a tiny model, its adapters, the parity fixtures.

mod evalh;
mod fixtures;
mod gpu;
mod model;
mod sandbox;
mod tensors;
mod tiny;

pub use evalh::{Evalh, Shown};
pub use fixtures::{
    Stored, change_tensors, copy_encoder, copy_fixture, encoder_data, fixtures, with_reference,
};
pub use gpu::has_gpu;
pub use model::real_model;
pub use sandbox::has_sandbox;
pub use tensors::Tensors;
pub use tiny::{TinyModel, write_adapter};
