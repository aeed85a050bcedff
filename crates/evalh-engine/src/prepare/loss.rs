//! A request to score a whole text: its tokens, and the windows in which the model reads them.

use super::{Prepared, Work, check_ids, hash_ids, prompt::PromptText};
use crate::{RequestProblem, Text, Vocabulary};
use evalh_record::{Loss, Request};
use std::ops::Range;

/// A text to score.
#[derive(Debug)]
pub struct PreparedText {
    /// The prefix token, then the text's ids, at least one.
    pub ids: Vec<u32>,
    /// What is read at once, in the order of the text.
    pub windows: Vec<Window>,
    /// Bytes of the text in UTF-8.
    pub bytes: usize,
}

/// A part of a text that the model reads at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// Places in [`PreparedText::ids`] that are read.
    pub read: Range<usize>,
    /// How many tokens are scored: those that follow the last so many of the places.
    pub scored: usize,
}

/// Tokenises, checks and divides.
///
/// The text is encoded without what the post-processor adds, because the prefix token is what it would add: where a
/// tokenizer adds it, lm-eval has it twice and scores the second one as a token of the text.
pub fn prepare<T: Text>(
    text: &T,
    vocabulary: &Vocabulary,
    request: &Request,
    loss: &Loss,
) -> Result<Prepared, RequestProblem> {
    let window = loss.window.unwrap_or(vocabulary.max_positions);
    if window == 0 || window > vocabulary.max_positions {
        return Err(RequestProblem::Window {
            window,
            max_positions: vocabulary.max_positions,
        });
    }
    if let Some(stride) = loss
        .stride
        .filter(|stride| *stride == 0 || *stride > window)
    {
        return Err(RequestProblem::Stride { stride, window });
    }
    let prompt = PromptText::new(text, &request.prompt)?;
    let prefix = vocabulary
        .prefix_token
        .ok_or(RequestProblem::NoPrefixToken)?;
    let mut ids = prompt.encode_bare(text)?;
    // A text that spells the prefix out has it once all the same.
    if ids.first() != Some(&prefix) {
        ids.insert(0, prefix);
    }
    check_ids(vocabulary, &ids)?;
    let tokens = ids.len() - 1;
    if tokens == 0 {
        return Err(RequestProblem::EmptyText);
    }
    let windows = match loss.stride {
        None => whole(tokens, window),
        Some(stride) => strided(tokens, window, stride),
    };
    Ok(Prepared {
        index: request.index,
        prompt_sha256: hash_ids(&ids[1..]),
        prompt_tokens: tokens,
        truncated_tokens: 0,
        work: Work::Text(PreparedText {
            ids,
            windows,
            bytes: prompt.text.len(),
        }),
    })
}

/// lm-eval's rolling windows with one token of context: each scores as many tokens as it reads, save the last, which
/// scores what is left and is filled up with context.
fn whole(tokens: usize, window: usize) -> Vec<Window> {
    let mut windows = Vec::with_capacity(tokens.div_ceil(window));
    let mut done = 0;
    while done < tokens {
        let scored = window.min(tokens - done);
        done += scored;
        windows.push(Window {
            read: done.saturating_sub(window)..done,
            scored,
        });
    }
    windows
}

/// The windows of Hugging Face's guide to perplexity: they begin every `stride` tokens, and each scores what no earlier
/// one did. The guide's `max_length` counts the last token that is scored too, which need not be read: it is `window + 1`.
fn strided(tokens: usize, window: usize, stride: usize) -> Vec<Window> {
    let mut windows = Vec::new();
    let (mut begin, mut done) = (0, 0);
    while done < tokens {
        let end = tokens.min(begin + window);
        windows.push(Window {
            read: begin..end,
            scored: end - done,
        });
        done = end;
        begin += stride;
    }
    windows
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn plain(windows: &[Window]) -> Vec<(usize, usize, usize)> {
        let bounds = windows.iter();
        bounds
            .map(|window| (window.read.start, window.read.end, window.scored))
            .collect()
    }

    #[test]
    fn whole_windows_are_those_of_lm_eval() {
        // get_rolling_token_windows(list(range(10)), prefix, 4, 1) of lm-eval 0.4.13, the prefix counted as place 0
        assert_eq!(plain(&whole(10, 4)), [(0, 4, 4), (4, 8, 4), (6, 10, 2)]);
        assert_eq!(plain(&whole(8, 4)), [(0, 4, 4), (4, 8, 4)]);
        assert_eq!(plain(&whole(3, 4)), [(0, 3, 3)]);
        assert_eq!(plain(&whole(2, 1)), [(0, 1, 1), (1, 2, 1)]);
    }

    #[test]
    fn strided_windows_are_those_of_the_guide() {
        // its loop over 11 tokens (the prefix is one) with max_length 5 and stride 2
        let guide = [(0, 4, 4), (2, 6, 2), (4, 8, 2), (6, 10, 2)];
        assert_eq!(plain(&strided(10, 4, 2)), guide);
        assert_eq!(
            plain(&strided(10, 4, 4)),
            [(0, 4, 4), (4, 8, 4), (8, 10, 2)]
        );
        assert_eq!(plain(&strided(4, 4, 1)), [(0, 4, 4)]);
    }

    proptest! {
        #[test]
        fn every_token_is_scored_once_with_context(tokens in 1usize..400, window in 1usize..60, stride in 1usize..60) {
            let stride = stride.min(window);
            for windows in [whole(tokens, window), strided(tokens, window, stride)] {
                let mut done = 0;
                for Window { read, scored } in windows {
                    prop_assert!((1..=read.len()).contains(&scored) && read.len() <= window);
                    prop_assert_eq!(read.end - scored, done);
                    done = read.end;
                }
                prop_assert_eq!(done, tokens);
            }
        }
    }
}
