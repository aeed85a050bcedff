//! A request to generate.

use super::{Prepared, Work, check_ids, hash_ids, prompt::PromptText, prompt::prefix_token};
use crate::{RequestProblem, StopStrings, Text, Vocabulary};
use evalh_record::{Generate, Request, Sampling};

/// One sequence to continue.
#[derive(Debug)]
pub struct PreparedGeneration {
    /// The prompt's ids, at least one.
    pub prompt: Vec<u32>,
    /// Most tokens to generate.
    pub max_new_tokens: usize,
    /// How tokens are chosen.
    pub sampling: Sampling,
    /// Strings that end the completion.
    pub stops: StopStrings,
    /// Special tokens that are stop strings: they never appear in the text. `(id, place in stops)`.
    pub stop_tokens: Vec<(u32, usize)>,
}

/// Tokenises and checks. A prompt that leaves no room for the answer is cut from the left (as in lm-eval).
pub fn prepare<T: Text>(
    text: &T,
    vocabulary: &Vocabulary,
    request: &Request,
    generate: &Generate,
) -> Result<Prepared, RequestProblem> {
    check(vocabulary, generate)?;
    let prompt = PromptText::new(text, &request.prompt)?;
    let mut ids = prompt.encode(text, vocabulary, &prompt.text)?;
    if ids.is_empty() {
        ids.push(prefix_token(vocabulary)?);
    }
    check_ids(vocabulary, &ids)?;
    let truncated_tokens = ids
        .len()
        .saturating_sub(vocabulary.max_positions - generate.max_new_tokens);
    ids.drain(..truncated_tokens);
    Ok(Prepared {
        index: request.index,
        prompt_sha256: hash_ids(&ids),
        prompt_tokens: ids.len(),
        truncated_tokens,
        work: Work::Generate(PreparedGeneration {
            prompt: ids,
            max_new_tokens: generate.max_new_tokens,
            sampling: generate.sampling,
            stop_tokens: stop_tokens(text, &generate.stops)?,
            stops: StopStrings::new(generate.stops.clone()),
        }),
    })
}

fn check(vocabulary: &Vocabulary, generate: &Generate) -> Result<(), RequestProblem> {
    if generate.max_new_tokens >= vocabulary.max_positions {
        return Err(RequestProblem::NoRoom {
            max_new_tokens: generate.max_new_tokens,
            max_positions: vocabulary.max_positions,
        });
    }
    if let Some(stop) = generate.stops.iter().position(String::is_empty) {
        return Err(RequestProblem::EmptyStop { stop });
    }
    if let Sampling::Random {
        temperature, top_p, ..
    } = generate.sampling
    {
        if !(temperature > 0.0 && temperature.is_finite() && temperature.recip().is_finite()) {
            return Err(RequestProblem::Temperature(temperature));
        }
        if !(top_p > 0.0 && top_p <= 1.0) {
            return Err(RequestProblem::TopP(top_p));
        }
    }
    Ok(())
}

/// The stop strings that are the spelling of a special token, known by its leaving no text behind.
fn stop_tokens<T: Text>(text: &T, stops: &[String]) -> Result<Vec<(u32, usize)>, RequestProblem> {
    let mut tokens = Vec::new();
    for (place, stop) in stops.iter().enumerate() {
        let Some(id) = text.token_id(stop) else {
            continue;
        };
        if text.decode(&[id]).map_err(RequestProblem::Text)?.is_empty() {
            tokens.push((id, place));
        }
    }
    Ok(tokens)
}
