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
mod footprint;
mod loader;
mod part;
mod rope;
mod session;

pub use config::{
    AttentionConfig, DecoderConfig, ExpertsConfig, HeadNorms, MlpConfig, Norms, Positions, Residual,
};
pub use decoder::{Decoder, LoadOptions, Start, TrainingRow};
pub use device::{DeviceChoice, KernelChoice, PrecisionChoice};
pub use encoder::{
    ClassifierSource, Convolution, Encoder, EncoderConfig, EncoderFamily, EncoderInput,
    EncoderOutput, EncoderTask, FAMILIES as ENCODER_FAMILIES, HeadChoice, Label, PositionKind,
    PositionProjections, ProblemType, RelativeAttention,
};
pub use error::ModelError;
pub use evalh_kernel::{
    GradientSink, InputMask, SeqId, Sink, SummedGradient, TargetLoss, TrainedUpdate,
    return_freed_memory,
};
pub use footprint::Footprint;
pub use part::{Parameter, ParameterTensor, UpdateStart};
pub use rope::{RopeConfig, RopeScaling, Yarn};
pub use session::{Logits, Row, Session};

/// An adapter attached to a model beside its weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LoraId(pub(crate) usize);
