//! What an engine answers.

use crate::Sha256;
use serde::{Deserialize, Serialize};

/// The answer to one [`Request`](crate::Request). It holds nothing that depends on time or on what else ran.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Response {
    /// The request's `index`.
    pub index: usize,
    /// Hash of the prompt's token ids (little-endian `u32`s), after rendering and truncation.
    pub prompt_sha256: Sha256,
    /// Tokens of the prompt after truncation.
    pub prompt_tokens: usize,
    /// Tokens dropped from the left because prompt and answer exceed the model's positions.
    pub truncated_tokens: usize,
    /// The answer itself.
    pub answer: Answer,
}

/// The answer to a request of its kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// To [`Generate`](crate::Generate).
    Generated(Generation),
    /// To [`LogLikelihood`](crate::LogLikelihood), in the order of the continuations.
    Scored(Vec<ContinuationScore>),
    /// To [`Loss`](crate::Loss).
    Loss(TextScore),
    /// To [`Classify`](crate::RequestKind::Classify): the head's outputs, one a label, or a single one for a regression.
    Classified(Vec<f32>),
}

/// The score of a whole text.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TextScore {
    /// Sum of the tokens' log-probabilities, in nats.
    pub log_prob: f64,
    /// Tokens scored.
    pub tokens: usize,
    /// Bytes of the text in UTF-8.
    pub bytes: usize,
    /// Windows that it took.
    pub windows: usize,
}

/// A generated completion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Generation {
    /// The completion, cut before the stop string, special tokens left out.
    pub text: String,
    /// Tokens generated, the end-of-sequence token and those of a stop string included.
    pub tokens: usize,
    /// Why it ended.
    pub finish: Finish,
}

/// Why a generation ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Finish {
    /// This stop string appeared.
    Stop(String),
    /// This end-of-sequence id was chosen.
    Eos(u32),
    /// The limit of new tokens, or of the model's positions, was reached.
    Length,
}

/// The score of one continuation.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ContinuationScore {
    /// Sum of the tokens' log-probabilities, in nats.
    pub log_prob: f64,
    /// Tokens of the continuation.
    pub tokens: usize,
    /// Whether every token was the most likely one at its place.
    pub is_greedy: bool,
}
