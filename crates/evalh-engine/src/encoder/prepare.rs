//! From requests to an encoder's inputs.

use crate::{EngineError, RequestProblem, RequestTokens, prepare::hash_ids};
use evalh_checkpoint::TextTokenizer;
use evalh_model::{EncoderConfig, EncoderInput};
use evalh_record::{Prompt, Request, RequestKind, Sha256};
use rayon::prelude::*;

/// Most tokens of an input, where the model allows as many: what the published scores of encoders are made with.
const MOST_TOKENS: usize = 512;

/// An encoder's tokenizer and limits: everything that turns a request into token ids.
#[derive(Debug)]
pub struct EncoderTokenizer {
    tokenizer: TextTokenizer,
    max_tokens: usize,
    has_types: bool,
}

/// A request with everything but the model's part done.
#[derive(Debug)]
pub struct Prepared {
    /// The request's `index`.
    pub index: usize,
    /// Hash of the input's ids.
    pub sha256: Sha256,
    /// Tokens left out of it.
    pub truncated: usize,
    /// The input, at least one token.
    pub input: EncoderInput,
}

impl EncoderTokenizer {
    /// The parts come from one checkpoint.
    ///
    /// # Errors
    /// When the tokenizer has ids the model has no row for.
    pub fn new(config: &EncoderConfig, tokenizer: TextTokenizer) -> Result<Self, EngineError> {
        if tokenizer.vocab_size() > config.vocab_size {
            return Err(EngineError::Vocabulary {
                tokens: tokenizer.vocab_size(),
                vocabulary: config.vocab_size,
            });
        }
        // Relative positions alone bound nothing, but the model was trained with so many.
        let positions = config.max_tokens().unwrap_or(config.max_positions);
        Ok(Self {
            tokenizer,
            max_tokens: positions.min(MOST_TOKENS),
            // One type is the same for all tokens: transformers' tokenizers of such models give none.
            has_types: config.token_types > 1,
        })
    }

    /// Most tokens of an input: 512, or the model's positions where they are fewer.
    pub fn max_tokens(&self) -> usize {
        self.max_tokens
    }

    /// The token ids of every request, exactly those that the engine runs.
    ///
    /// # Errors
    /// The first request, in order, that could not be answered.
    pub fn tokens(&self, requests: &[Request]) -> Result<Vec<RequestTokens>, EngineError> {
        let prepared = self.all(requests)?.into_iter();
        let tokens = prepared.map(|of| RequestTokens {
            context: of.input.ids,
            continuations: Vec::new(),
            truncated: of.truncated,
        });
        Ok(tokens.collect())
    }

    /// Prepares every request, in parallel.
    ///
    /// # Errors
    /// The first request, in order, that cannot be answered.
    pub(super) fn all(&self, requests: &[Request]) -> Result<Vec<Prepared>, EngineError> {
        let prepared: Vec<_> = requests
            .par_iter()
            .map(|request| {
                self.one(request).map_err(|problem| EngineError::Request {
                    request: request.index,
                    problem,
                })
            })
            .collect();
        prepared.into_iter().collect()
    }

    fn one(&self, request: &Request) -> Result<Prepared, RequestProblem> {
        let wrong = |what| Err(RequestProblem::WrongKind(what));
        match &request.kind {
            RequestKind::Classify => {}
            RequestKind::Generate(_) => {
                return wrong("for generated text, which only a decoder gives");
            }
            RequestKind::LogLikelihood(_) => {
                return wrong(
                    "for the log-likelihood of continuations, which only a decoder gives",
                );
            }
            RequestKind::Loss(_) => {
                return wrong("for the loss of a text, which only a decoder gives");
            }
        }
        let (first, second) = match &request.prompt {
            Prompt::Text(text) => (text, None),
            Prompt::Pair { first, second } => (first, Some(second.as_str())),
            Prompt::Chat { .. } => return wrong("with a conversation, which only a decoder reads"),
        };
        let text = self
            .tokenizer
            .encode_input(first, second, self.max_tokens)
            .map_err(|error| RequestProblem::Text(error.into()))?;
        if text.ids.is_empty() {
            return Err(RequestProblem::EmptyText);
        }
        let token_types = if self.has_types {
            text.token_types
        } else {
            Vec::new()
        };
        Ok(Prepared {
            index: request.index,
            sha256: hash_ids(&text.ids),
            truncated: text.truncated,
            input: EncoderInput {
                ids: text.ids,
                token_types,
            },
        })
    }
}
