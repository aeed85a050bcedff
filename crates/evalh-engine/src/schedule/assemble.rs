//! From the outcomes of sequences to responses.

use crate::prepare::{Prepared, Work};
use evalh_record::{Answer, ContinuationScore, Finish, Generation, Response, TextScore};

/// What came of one sequence.
#[derive(Debug)]
pub enum Outcome {
    /// A completion.
    Generated(Generation),
    /// Scores with their places in the request.
    Scored(Vec<(usize, ContinuationScore)>),
    /// A window of a text.
    Window {
        /// Its place among the text's windows.
        window: usize,
        /// Sum of the log-probabilities of the tokens that it scores.
        log_prob: f64,
    },
}

/// A response under construction.
#[derive(Debug)]
pub struct Assembly<'p> {
    prepared: &'p Prepared,
    variant: usize,
    parts: Parts,
}

#[derive(Debug)]
enum Parts {
    Generation(Option<Generation>),
    Scores(Vec<Option<ContinuationScore>>),
    /// Log-probabilities of a text's windows, in their order.
    Text(Vec<Option<f64>>),
    Delivered,
}

impl<'p> Assembly<'p> {
    /// Nothing answered yet, save a completion of no tokens.
    pub fn new(prepared: &'p Prepared, variant: usize) -> Self {
        let parts = match &prepared.work {
            Work::Generate(generation) => {
                Parts::Generation((generation.max_new_tokens == 0).then(|| Generation {
                    text: String::new(),
                    tokens: 0,
                    finish: Finish::Length,
                }))
            }
            Work::Score(contexts) => Parts::Scores(vec![
                None;
                contexts
                    .iter()
                    .map(|context| context.members.len())
                    .sum()
            ]),
            Work::Text(text) => Parts::Text(vec![None; text.windows.len()]),
        };
        Self {
            prepared,
            variant,
            parts,
        }
    }

    /// The place of the variant that answers.
    pub fn variant(&self) -> usize {
        self.variant
    }

    /// The request's `index`.
    pub fn index(&self) -> usize {
        self.prepared.index
    }

    /// Adds what came of one of its sequences.
    pub fn add(&mut self, outcome: Outcome) {
        match (&mut self.parts, outcome) {
            (Parts::Generation(slot), Outcome::Generated(generation)) => *slot = Some(generation),
            (Parts::Scores(slots), Outcome::Scored(scores)) => {
                for (place, score) in scores {
                    slots[place] = Some(score);
                }
            }
            (Parts::Text(slots), Outcome::Window { window, log_prob }) => {
                slots[window] = Some(log_prob);
            }
            _ => unreachable!("a sequence answers the kind of request it was made for, once"),
        }
    }

    /// The response and its generated tokens, once, when all is there.
    pub fn take_response(&mut self) -> Option<(Response, usize)> {
        let (answer, tokens) = match &mut self.parts {
            Parts::Generation(slot) => {
                let generation = slot.take()?;
                let tokens = generation.tokens;
                (Answer::Generated(generation), tokens)
            }
            Parts::Scores(slots) => (
                Answer::Scored(slots.iter().copied().collect::<Option<_>>()?),
                0,
            ),
            Parts::Text(slots) => (Answer::Loss(text_score(self.prepared, slots)?), 0),
            Parts::Delivered => return None,
        };
        self.parts = Parts::Delivered;
        let Prepared {
            index,
            prompt_sha256,
            prompt_tokens,
            truncated_tokens,
            ..
        } = self.prepared;
        let response = Response {
            index: *index,
            prompt_sha256: prompt_sha256.clone(),
            prompt_tokens: *prompt_tokens,
            truncated_tokens: *truncated_tokens,
            answer,
        };
        Some((response, tokens))
    }
}

/// The score of a whole text, once every window has one. The windows are added in their order, whichever ended first.
fn text_score(prepared: &Prepared, windows: &[Option<f64>]) -> Option<TextScore> {
    let Work::Text(text) = &prepared.work else {
        unreachable!("windows are a text's")
    };
    let log_probs: Vec<f64> = windows.iter().copied().collect::<Option<_>>()?;
    Some(TextScore {
        log_prob: log_probs.iter().sum(),
        tokens: text.ids.len() - 1,
        bytes: text.bytes,
        windows: windows.len(),
    })
}
