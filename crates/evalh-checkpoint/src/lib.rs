//! Checkpoint files to weights, tokenizer, chat template and generation settings.
//!
//! [`Checkpoint::open`] takes a Hugging Face folder or a GGUF file and hands on the same things for both: a
//! [`WeightSource`] with Hugging Face names, a [`TextTokenizer`], a [`ChatTemplate`] and [`GenerationSettings`].
//! The crate knows files; it knows no forward pass.

mod bitsandbytes;
mod checkpoint;
mod coded;
mod error;
mod float;
mod folder;
mod generation;
mod gguf;
mod json;
mod map;
mod source;
mod template;
mod tensors;
mod tokenizer;

pub use bitsandbytes::{FloatType, Quantization};
pub use checkpoint::Checkpoint;
pub use coded::{CodedTensor, CodedValues, GroupFactors};
pub use error::CheckpointError;
pub use generation::GenerationSettings;
pub use source::{StoredDtype, TensorInfo, WeightSource, count_non_finite};
pub use template::ChatTemplate;
pub use tensors::TensorFile;
pub use tokenizer::{SpecialTokens, TextInput, TextTokenizer, TokenStream};
