//! What can go wrong between a request and its response.

use thiserror::Error;

/// An error of a model or a tokenizer, whose types the scheduler does not know.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Why an engine gave up. Answers delivered before it stay valid.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum EngineError {
    /// One request cannot be answered as it is.
    #[error("answer request {request}: {problem}")]
    Request {
        /// The request's `index`.
        request: usize,
        /// What is wrong with it.
        #[source]
        problem: RequestProblem,
    },
    /// Requests whose keys and values do not fit into the memory at hand; every other request has been answered.
    #[error(
        "answer request {request} ({others} more like it): its {tokens} tokens need {needed} bytes of cache but only \
         {budget} are allowed; allow more memory, shorten the prompt or generate fewer tokens"
    )]
    TooLarge {
        /// The `index` of the first such request.
        request: usize,
        /// How many more there are.
        others: usize,
        /// Tokens it may have to hold at once.
        tokens: usize,
        /// Bytes these need.
        needed: u64,
        /// Bytes allowed.
        budget: u64,
    },
    /// The cache for keys and values could not be set up.
    #[error("set up a cache of {tokens} tokens: {source}")]
    Cache {
        /// Tokens it should have held.
        tokens: usize,
        /// What the model says.
        source: BoxError,
    },
    /// A forward pass failed.
    #[error("run the model: {0}")]
    Forward(#[source] BoxError),
    /// The model and the tokenizer do not belong together.
    #[error(
        "pair tokenizer and model: the tokenizer has {tokens} tokens, the model's vocabulary {vocabulary}; \
         use the tokenizer the checkpoint was trained with"
    )]
    Vocabulary {
        /// Tokens of the tokenizer.
        tokens: usize,
        /// Rows of the model's output.
        vocabulary: usize,
    },
    /// An encoder that does not classify.
    #[error(
        "ask the encoder: it was loaded with its head for masked tokens or with none; load it with a classification head"
    )]
    NoClassifier,
    /// A variant could not be selected.
    #[error("select the variant: {0}")]
    Variant(#[source] BoxError),
}

/// What is wrong with one request.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RequestProblem {
    /// Tokenizer or template failed.
    #[error("{0}")]
    Text(#[source] BoxError),
    /// A conversation for a checkpoint that has no chat template.
    #[error(
        "it is a conversation but the checkpoint has no chat template; ask with a plain prompt"
    )]
    NoChatTemplate,
    /// A question for another kind of model or engine.
    #[error("it asks {0}")]
    WrongKind(&'static str),
    /// Nothing to start from.
    #[error("its prompt is empty and the tokenizer has no token to begin with")]
    EmptyPrompt,
    /// A text without tokens.
    #[error("its text is empty, so there is no token to score; leave it out")]
    EmptyText,
    /// Nothing that the first token of a text could follow.
    #[error(
        "the tokenizer has no token to begin with (bos_token, or eos_token in its place), which the first token of a \
         text is scored after"
    )]
    NoPrefixToken,
    /// A window that is none, or that the model cannot read.
    #[error(
        "its window of {window} tokens is not between 1 and the model's {max_positions} positions"
    )]
    Window {
        /// Tokens asked for.
        window: usize,
        /// Positions of the model.
        max_positions: usize,
    },
    /// A stride that leaves tokens out, or that never moves.
    #[error("its stride of {stride} tokens is not between 1 and the {window} of its window")]
    Stride {
        /// Tokens asked for.
        stride: usize,
        /// Tokens of the window.
        window: usize,
    },
    /// Nothing to score.
    #[error("it has no continuations")]
    NoContinuations,
    /// A continuation without tokens of its own.
    #[error("continuation {continuation} adds no token to the prompt")]
    EmptyContinuation {
        /// Its place in the request.
        continuation: usize,
    },
    /// Two continuations the model cannot tell apart.
    #[error(
        "continuations {first} and {second} encode to the same tokens, so their scores cannot differ"
    )]
    SameTokens {
        /// Place of the earlier one.
        first: usize,
        /// Place of the later one.
        second: usize,
    },
    /// A continuation that leaves no place for a prompt.
    #[error(
        "continuation {continuation} has {tokens} tokens, more than the model's {max_positions} positions"
    )]
    ContinuationTooLong {
        /// Its place in the request.
        continuation: usize,
        /// Its tokens.
        tokens: usize,
        /// Positions of the model.
        max_positions: usize,
    },
    /// An answer that leaves no place for a prompt.
    #[error(
        "{max_new_tokens} new tokens leave no room for a prompt in the model's {max_positions} positions; \
         ask for fewer"
    )]
    NoRoom {
        /// New tokens asked for.
        max_new_tokens: usize,
        /// Positions of the model.
        max_positions: usize,
    },
    /// A stop string that would match everywhere.
    #[error("stop string {stop} is empty")]
    EmptyStop {
        /// Its place in the request.
        stop: usize,
    },
    /// A temperature that is no temperature.
    #[error("temperature {0} is not a positive number; use greedy sampling for temperature 0")]
    Temperature(f32),
    /// A share of probability outside (0, 1].
    #[error("top_p {0} is not in (0, 1]")]
    TopP(f32),
    /// A token the model has no row for.
    #[error("token {id} is outside the model's vocabulary of {vocabulary}")]
    TokenOutsideVocabulary {
        /// The token.
        id: u32,
        /// Size of the vocabulary.
        vocabulary: usize,
    },
    /// The model computed NaN or infinity.
    #[error("the head's outputs are not finite (NaN or infinite)")]
    OutputsNotFinite,
    /// The model computed NaN or infinity.
    #[error("the model's logits at position {position} are not finite (NaN or infinite)")]
    NotFinite {
        /// Tokens before the one that could not be chosen, less one.
        position: usize,
    },
}
