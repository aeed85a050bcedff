//! A config-driven encoder: `BERT`, `RoBERTa` and `DeBERTa`, with their classification and masked-language heads.
//!
//! A family is a table of names and settings ([`FAMILIES`]); there is one forward pass ([`Encoder::forward`]). Inputs
//! are ragged: no padding is computed, and on the CPU the output of an input has the same bits in any batch.

mod build;
mod classifier;
mod config;
mod convolution;
mod dense;
mod embeddings;
mod family;
mod forward;
mod head;
mod head_choice;
mod layer;
mod load;
mod model;
mod names;
mod output;
mod part;
mod positions;
mod stored;
mod training;

pub use classifier::ClassifierSource;
pub use config::{
    Convolution, EncoderConfig, EncoderTask, PositionKind, PositionProjections, ProblemType,
    RelativeAttention,
};
pub use family::{EncoderFamily, FAMILIES};
pub use head_choice::HeadChoice;
pub use model::Encoder;
pub use output::{EncoderInput, EncoderOutput};
pub use training::Label;
