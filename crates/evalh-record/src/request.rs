//! What is asked of an engine.

use serde::{Deserialize, Serialize};

/// One question for a model. The order of requests is the order of their `index`; an engine may answer in any order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// The caller's number for this request; a response carries it back.
    pub index: usize,
    /// What the model reads.
    pub prompt: Prompt,
    /// What is wanted of it.
    pub kind: RequestKind,
}

/// The text before the answer, not yet tokenised: only an engine knows the tokenizer and the chat template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Prompt {
    /// Raw text. Special tokens are exactly those the tokenizer's post-processor adds.
    Text(String),
    /// A text and, for an encoder, what follows it after the separator. Special tokens as for [`Prompt::Text`].
    Pair {
        /// The first segment.
        first: String,
        /// The second segment.
        second: String,
    },
    /// A conversation, rendered with the checkpoint's chat template, which places all special tokens itself.
    Chat {
        /// The turns, oldest first.
        messages: Vec<Message>,
        /// The beginning of the assistant's answer, put after the generation prompt and not part of the completion.
        prefill: Option<String>,
    },
}

/// One turn of a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Who speaks.
    pub role: Role,
    /// What is said.
    pub content: String,
}

/// The speaker of a [`Message`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Instructions above the conversation.
    System,
    /// The asking side.
    User,
    /// The model.
    Assistant,
}

/// The kinds of question a harness asks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RequestKind {
    /// Continue the prompt.
    Generate(Generate),
    /// Score given continuations of the prompt.
    LogLikelihood(LogLikelihood),
    /// Score the prompt's own text.
    Loss(Loss),
    /// The outputs of an encoder's classification head for the prompt.
    Classify,
}

/// Continue the prompt until a stop string, an end-of-sequence token or the token limit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Generate {
    /// Most tokens to generate.
    pub max_new_tokens: usize,
    /// The completion ends before the first occurrence of any of these, which may span tokens.
    pub stops: Vec<String>,
    /// How the next token is chosen.
    pub sampling: Sampling,
}

/// How the next token is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sampling {
    /// The most likely token, the lowest id on ties.
    Greedy,
    /// A draw from the softened distribution.
    Random {
        /// Logits are divided by this; above 0.
        temperature: f32,
        /// The smallest set of most likely tokens with at least this probability is kept; in (0, 1].
        top_p: f32,
        /// Seeds this request's own generator, so a draw does not depend on what else runs.
        seed: u64,
    },
}

/// Score given continuations by the sum of their tokens' log-probabilities.
///
/// Token boundary (lm-eval): `context + continuation` is encoded whole, and the continuation's tokens are those after
/// the first `len(encode(context))`. Trailing spaces of the context move to the continuation first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLikelihood {
    /// Continuations of the same prompt, each with its own leading space where it has one.
    pub continuations: Vec<String>,
}

/// Score a whole text, token by token, in windows of the model's positions.
///
/// The first token follows the prefix token (the beginning-of-sequence token, or the end-of-sequence token where there is
/// none), as in lm-eval's `loglikelihood_rolling`. Every token is scored exactly once. Nothing that the tokenizer's
/// post-processor adds is scored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loss {
    /// Most tokens that a window reads, the prefix token counted; `None` takes the model's positions.
    pub window: Option<usize>,
    /// Tokens by which the window moves, at most its length: each window scores the tokens that no earlier one did, with
    /// the rest as context (the loop of Hugging Face's guide to perplexity with `max_length` = window + 1). `None` is lm-eval's
    /// way: windows that do not overlap, save the last, which is filled up with context from the left.
    pub stride: Option<usize>,
}
