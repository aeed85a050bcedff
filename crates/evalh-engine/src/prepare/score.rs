//! A request to score continuations: where they begin, and what they share.

use super::{Prepared, Work, check_ids, hash_ids, prompt::PromptText, prompt::prefix_token};
use crate::{RequestProblem, SpecialTokens, Text, Vocabulary};
use evalh_record::{LogLikelihood, Request};

/// A context and the continuations to score after it.
#[derive(Debug)]
pub struct PreparedContext {
    /// Its ids, at least one.
    pub context: Vec<u32>,
    /// The continuations: `(place in the request, ids)`, each with at least one id.
    pub members: Vec<(usize, Vec<u32>)>,
    /// The sequences to run after the context; none when every continuation is one token.
    pub branches: Vec<Branch>,
}

/// Tokens to run after a context. The last token of a continuation is never run, so continuations that differ only in
/// it share a branch.
#[derive(Debug)]
pub struct Branch {
    /// The ids to run, at least one.
    pub tail: Vec<u32>,
    /// Places in [`PreparedContext::members`] that end one token after it.
    pub members: Vec<usize>,
}

/// Context and continuations as token ids, before truncation.
struct Encoded {
    context: Vec<u32>,
    continuation: Vec<u32>,
}

/// Tokenises by lm-eval's boundary rule, checks, and groups what can be shared.
///
/// Truncation is lm-eval's: the last `max_positions + 1` tokens of context and continuation together. The prompt
/// reported is the context left to the longest continuation.
pub fn prepare<T: Text>(
    text: &T,
    vocabulary: &Vocabulary,
    request: &Request,
    scored: &LogLikelihood,
) -> Result<Prepared, RequestProblem> {
    let prompt = PromptText::new(text, &request.prompt)?;
    let encoded = encode_all(text, vocabulary, &prompt, &scored.continuations)?;
    check(vocabulary, &encoded)?;
    let mut contexts: Vec<PreparedContext> = Vec::new();
    let mut truncated_tokens = 0;
    for (
        place,
        Encoded {
            mut context,
            continuation,
        },
    ) in encoded.into_iter().enumerate()
    {
        let cut = (context.len() + continuation.len()).saturating_sub(vocabulary.max_positions + 1);
        truncated_tokens = truncated_tokens.max(cut);
        context.drain(..cut);
        match contexts.iter_mut().find(|known| known.context == context) {
            Some(known) => known.members.push((place, continuation)),
            None => contexts.push(PreparedContext {
                context,
                members: vec![(place, continuation)],
                branches: vec![],
            }),
        }
    }
    for context in &mut contexts {
        context.branches = branches(&context.members);
    }
    // the context of the longest continuation is the shortest one
    let shown = contexts
        .iter()
        .map(|context| &context.context)
        .min_by_key(|ids| ids.len());
    let shown = shown.ok_or(RequestProblem::NoContinuations)?;
    Ok(Prepared {
        index: request.index,
        prompt_sha256: hash_ids(shown),
        prompt_tokens: shown.len(),
        truncated_tokens,
        work: Work::Score(contexts),
    })
}

fn encode_all<T: Text>(
    text: &T,
    vocabulary: &Vocabulary,
    prompt: &PromptText<'_>,
    continuations: &[String],
) -> Result<Vec<Encoded>, RequestProblem> {
    if prompt.text.is_empty() {
        return continuations
            .iter()
            .map(|continuation| after_nothing(text, vocabulary, continuation))
            .collect();
    }
    let (context, moved) = split_trailing_whitespace(&prompt.text);
    let context_ids = prompt.encode(text, vocabulary, context)?;
    let mut encoded = Vec::with_capacity(continuations.len());
    for continuation in continuations {
        let whole = prompt.encode(text, vocabulary, &[context, moved, continuation].concat())?;
        let mut context = context_ids.clone();
        let continuation = whole.get(context.len()..).unwrap_or_default().to_vec();
        if context.is_empty() {
            context.push(prefix_token(vocabulary)?);
        }
        encoded.push(Encoded {
            context,
            continuation,
        });
    }
    Ok(encoded)
}

/// A continuation of the empty prompt follows the prefix token, once.
fn after_nothing<T: Text>(
    text: &T,
    vocabulary: &Vocabulary,
    continuation: &str,
) -> Result<Encoded, RequestProblem> {
    let prefix = prefix_token(vocabulary)?;
    let mut ids = text
        .encode(continuation, SpecialTokens::None)
        .map_err(RequestProblem::Text)?;
    if ids.first() == Some(&prefix) {
        ids.remove(0);
    }
    Ok(Encoded {
        context: vec![prefix],
        continuation: ids,
    })
}

/// Splits off what Python's `str.rstrip()` removes: Unicode white space and the four information separators.
fn split_trailing_whitespace(text: &str) -> (&str, &str) {
    let kept =
        text.trim_end_matches(|c: char| c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c));
    text.split_at(kept.len())
}

fn check(vocabulary: &Vocabulary, encoded: &[Encoded]) -> Result<(), RequestProblem> {
    for (
        place,
        Encoded {
            context,
            continuation,
        },
    ) in encoded.iter().enumerate()
    {
        if continuation.is_empty() {
            return Err(RequestProblem::EmptyContinuation {
                continuation: place,
            });
        }
        if continuation.len() > vocabulary.max_positions {
            return Err(RequestProblem::ContinuationTooLong {
                continuation: place,
                tokens: continuation.len(),
                max_positions: vocabulary.max_positions,
            });
        }
        if let Some(first) = encoded[..place]
            .iter()
            .position(|earlier| earlier.continuation == *continuation)
        {
            return Err(RequestProblem::SameTokens {
                first,
                second: place,
            });
        }
        check_ids(vocabulary, context)?;
        check_ids(vocabulary, continuation)?;
    }
    Ok(())
}

fn branches(members: &[(usize, Vec<u32>)]) -> Vec<Branch> {
    let mut branches: Vec<Branch> = Vec::new();
    for (member, (_, ids)) in members.iter().enumerate() {
        let tail = &ids[..ids.len() - 1];
        if tail.is_empty() {
            continue;
        }
        match branches.iter_mut().find(|branch| branch.tail == tail) {
            Some(branch) => branch.members.push(member),
            None => branches.push(Branch {
                tail: tail.to_vec(),
                members: vec![member],
            }),
        }
    }
    branches
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trailing_white_space_is_python_s() {
        assert_eq!(split_trailing_whitespace("Answer: \n"), ("Answer:", " \n"));
        assert_eq!(
            split_trailing_whitespace("a\u{1c}\u{a0}"),
            ("a", "\u{1c}\u{a0}")
        );
        assert_eq!(split_trailing_whitespace("a\u{200b}"), ("a\u{200b}", ""));
        assert_eq!(split_trailing_whitespace(" \t"), ("", " \t"));
    }

    #[test]
    fn continuations_that_differ_in_their_last_token_share_a_branch() {
        let members = vec![
            (0, vec![1]),
            (1, vec![2, 3, 4]),
            (2, vec![2, 3, 5]),
            (3, vec![2, 3]),
        ];
        let branches = branches(&members);
        let shared: Vec<_> = branches
            .iter()
            .map(|b| (b.tail.clone(), b.members.clone()))
            .collect();
        assert_eq!(shared, vec![(vec![2, 3], vec![1, 2]), (vec![2], vec![3])]);
    }
}
