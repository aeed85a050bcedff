//! The tokenizer and chat template as the engine sees them.

use crate::BoxError;
use evalh_record::Message;

/// Which special tokens encoding adds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpecialTokens {
    /// Those the tokenizer's post-processor adds.
    AsPostProcessor,
    /// None: the text brings its own.
    None,
}

/// Text to tokens and back.
pub trait Text: Sync {
    /// Decodes a growing sequence.
    type Stream<'t>: TextStream
    where
        Self: 't;

    /// Token ids of a text; special tokens spelled out in it are recognised.
    ///
    /// # Errors
    /// When the tokenizer fails.
    fn encode(&self, text: &str, special: SpecialTokens) -> Result<Vec<u32>, BoxError>;

    /// Text of token ids, special tokens left out.
    ///
    /// # Errors
    /// When the tokenizer fails.
    fn decode(&self, ids: &[u32]) -> Result<String, BoxError>;

    /// A decoder that has seen nothing yet.
    fn stream(&self) -> Self::Stream<'_>;

    /// The id of a token spelled exactly so, if there is one.
    fn token_id(&self, token: &str) -> Option<u32>;

    /// A conversation as the model reads it, the generation prompt at its end. `None`: there is no chat template.
    ///
    /// # Errors
    /// When the template fails on these messages.
    fn render(&self, messages: &[Message]) -> Result<Option<String>, BoxError>;
}

/// Incremental decoding.
pub trait TextStream {
    /// Takes the next token and appends the text completed by it to `text`: whole characters only, special tokens left out.
    ///
    /// # Errors
    /// When the tokenizer fails.
    fn push(&mut self, id: u32, text: &mut String) -> Result<(), BoxError>;
}

/// What the engine must know of a model's tokens and positions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vocabulary {
    /// Rows of the model's output.
    pub size: usize,
    /// Ids that end a generation.
    pub eos_ids: Vec<u32>,
    /// Stands for an empty prompt: the beginning-of-sequence token, or the end-of-sequence token where there is none
    /// (lm-eval's `prefix_token_id`).
    pub prefix_token: Option<u32>,
    /// Most tokens of a sequence.
    pub max_positions: usize,
}
