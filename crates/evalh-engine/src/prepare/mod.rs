//! From requests to token ids.

mod generate;
mod loss;
mod prompt;
mod score;

pub use generate::PreparedGeneration;
pub use loss::PreparedText;
pub use score::PreparedContext;

use crate::{EngineError, RequestProblem, Text, Vocabulary};
use evalh_record::{Request, RequestKind, Sha256, sha256_bytes};
use rayon::prelude::*;

/// A request with everything but the model's part done.
#[derive(Debug)]
pub struct Prepared {
    /// The request's `index`.
    pub index: usize,
    /// Hash of the prompt's ids.
    pub prompt_sha256: Sha256,
    /// Tokens of the prompt after truncation.
    pub prompt_tokens: usize,
    /// Tokens cut from its left.
    pub truncated_tokens: usize,
    /// What is to be run.
    pub work: Work,
}

/// What is to be run for one request.
#[derive(Debug)]
pub enum Work {
    /// One sequence to continue.
    Generate(PreparedGeneration),
    /// Continuations to score. They share one context unless truncation leaves each a different one.
    Score(Vec<PreparedContext>),
    /// A text to score, window by window.
    Text(PreparedText),
}

/// Prepares every request, in parallel.
///
/// # Errors
/// The first request, in order, that cannot be answered.
pub fn all<T: Text>(
    text: &T,
    vocabulary: &Vocabulary,
    requests: &[Request],
) -> Result<Vec<Prepared>, EngineError> {
    let prepared: Vec<_> = requests
        .par_iter()
        .map(|request| one(text, vocabulary, request))
        .collect();
    let named = prepared.into_iter().zip(requests);
    named
        .map(|(prepared, request)| {
            prepared.map_err(|problem| EngineError::Request {
                request: request.index,
                problem,
            })
        })
        .collect()
}

fn one<T: Text>(
    text: &T,
    vocabulary: &Vocabulary,
    request: &Request,
) -> Result<Prepared, RequestProblem> {
    match &request.kind {
        RequestKind::Generate(generate) => generate::prepare(text, vocabulary, request, generate),
        RequestKind::LogLikelihood(scored) => score::prepare(text, vocabulary, request, scored),
        RequestKind::Loss(loss) => loss::prepare(text, vocabulary, request, loss),
        RequestKind::Classify => Err(RequestProblem::WrongKind(
            "for a classification head's outputs, which only an encoder gives",
        )),
    }
}

/// Hash of token ids as little-endian `u32`s.
pub fn hash_ids(ids: &[u32]) -> Sha256 {
    let bytes: Vec<u8> = ids.iter().flat_map(|id| id.to_le_bytes()).collect();
    sha256_bytes(&bytes)
}

/// Refuses ids the model has no row for.
fn check_ids(vocabulary: &Vocabulary, ids: &[u32]) -> Result<(), RequestProblem> {
    match ids.iter().find(|&&id| id as usize >= vocabulary.size) {
        Some(&id) => Err(RequestProblem::TokenOutsideVocabulary {
            id,
            vocabulary: vocabulary.size,
        }),
        None => Ok(()),
    }
}
