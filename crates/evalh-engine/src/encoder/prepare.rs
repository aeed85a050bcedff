//! From requests to an encoder's inputs.

use super::EncoderEngine;
use crate::{EngineError, RequestProblem, prepare::hash_ids};
use evalh_model::EncoderInput;
use evalh_record::{Prompt, Request, RequestKind, Sha256};
use rayon::prelude::*;

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

/// Prepares every request, in parallel.
///
/// # Errors
/// The first request, in order, that cannot be answered.
pub fn all(engine: &EncoderEngine, requests: &[Request]) -> Result<Vec<Prepared>, EngineError> {
    let prepared: Vec<_> = requests
        .par_iter()
        .map(|request| {
            one(engine, request).map_err(|problem| EngineError::Request {
                request: request.index,
                problem,
            })
        })
        .collect();
    prepared.into_iter().collect()
}

fn one(engine: &EncoderEngine, request: &Request) -> Result<Prepared, RequestProblem> {
    match &request.kind {
        RequestKind::Classify => {}
        RequestKind::Generate(_) => {
            return Err(RequestProblem::WrongKind(
                "for generated text, which only a decoder gives",
            ));
        }
        RequestKind::LogLikelihood(_) => {
            return Err(RequestProblem::WrongKind(
                "for the log-likelihood of continuations, which only a decoder gives",
            ));
        }
        RequestKind::Loss(_) => {
            return Err(RequestProblem::WrongKind(
                "for the loss of a text, which only a decoder gives",
            ));
        }
    }
    let (first, second) = match &request.prompt {
        Prompt::Text(text) => (text, None),
        Prompt::Pair { first, second } => (first, Some(second.as_str())),
        Prompt::Chat { .. } => {
            return Err(RequestProblem::WrongKind(
                "with a conversation, which only a decoder reads",
            ));
        }
    };
    let text = engine
        .tokenizer
        .encode_input(first, second, engine.max_tokens())
        .map_err(|error| RequestProblem::Text(error.into()))?;
    if text.ids.is_empty() {
        return Err(RequestProblem::EmptyText);
    }
    // One type is the same for all tokens: transformers' tokenizers of such models give none.
    let has_types = engine.encoder.config().token_types > 1;
    Ok(Prepared {
        index: request.index,
        sha256: hash_ids(&text.ids),
        truncated: text.truncated,
        input: EncoderInput {
            ids: text.ids,
            token_types: if has_types {
                text.token_types
            } else {
                Vec::new()
            },
        },
    })
}
