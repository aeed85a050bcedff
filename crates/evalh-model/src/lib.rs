//! A config-driven decoder on burn tensors.
//!
//! A model family is a table of names and settings ([`family`]); there is one forward pass ([`Session::forward`]) and
//! one linear in which adapters act. The crate knows neither files nor tasks.

mod config;
mod decoder;
mod device;
mod encoder;
mod error;
pub mod family;
mod linear;
mod rope;
mod session;

pub use config::DecoderConfig;
pub use decoder::{Decoder, Footprint, LoadOptions, LoraId};
pub use device::{DeviceChoice, KernelChoice};
pub use encoder::{
    Convolution, Encoder, EncoderConfig, EncoderFamily, EncoderInput, EncoderOutput, EncoderTask,
    FAMILIES as ENCODER_FAMILIES, HeadChoice, PositionKind, ProblemType, RelativeAttention,
};
pub use error::ModelError;
pub use evalh_kernel::SeqId;
pub use rope::RopeConfig;
pub use session::{Logits, Row, Session};
