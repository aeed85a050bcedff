//! Requests in, responses out: token boundary, batching, sampling, scoring, timing.
//!
//! [`serve_all`] is the whole engine: it prepares every request once (chat template, tokens, truncation), admits as many
//! answers as the memory for cached keys and values allows, those of all variants of a model beside each other, and steps
//! them through the model together, prefill and decode mixed, until each is there; [`serve`] is that for one variant. It
//! knows a model only as [`Model`] and [`Forward`], and a tokenizer only as [`Text`], so it is tested without either. It
//! knows nothing of suites and scores.
//!
//! [`LocalEngine`] is that over a decoder; [`EncoderEngine`] asks an encoder's classification head, which needs no cache
//! and no steps.
//!
//! Invariant: given that a row of logits depends only on its variant and the tokens before it (what [`Forward`] demands), a
//! [`Response`](evalh_record::Response) depends only on its own request and variant, never on what ran beside it, on the
//! order of requests, on the memory at hand or on the step size. Times are kept apart, in [`EngineTimings`].

mod encoder;
mod engine;
mod error;
mod forward;
mod local;
mod memory;
mod options;
mod prepare;
mod sample;
mod schedule;
mod score;
mod stop;
mod text;
mod timing;
mod tokens;

pub use encoder::{EncoderEngine, EncoderTokenizer};
pub use engine::{Beside, Engine, ModelEngine, Variant};
pub use error::{BoxError, EngineError, RequestProblem};
pub use forward::{Costs, Forward, LogitRows, Model, Row};
pub use local::LocalEngine;
pub use memory::available_memory;
pub use options::{EngineOptions, MemoryBudget};
pub use sample::Sampler;
pub use schedule::{serve, serve_all};
pub use score::LogSoftmax;
pub use stop::{StopMatch, StopStrings};
pub use text::{SpecialTokens, Text, TextStream, Vocabulary};
pub use timing::{EngineTimings, SharedTimings};
pub use tokens::{LocalTokenizer, RequestTokens};
