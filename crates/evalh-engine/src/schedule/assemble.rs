//! From the outcomes of sequences to responses.

use crate::prepare::{Prepared, Work};
use evalh_record::{Answer, ContinuationScore, Finish, Generation, Response};

/// What came of one sequence.
#[derive(Debug)]
pub enum Outcome {
    /// A completion.
    Generated(Generation),
    /// Scores with their places in the request.
    Scored(Vec<(usize, ContinuationScore)>),
}

/// A response under construction.
#[derive(Debug)]
pub struct Assembly<'p> {
    prepared: &'p Prepared,
    parts: Parts,
}

#[derive(Debug)]
enum Parts {
    Generation(Option<Generation>),
    Scores(Vec<Option<ContinuationScore>>),
    Delivered,
}

impl<'p> Assembly<'p> {
    /// Nothing answered yet, save a completion of no tokens.
    pub fn new(prepared: &'p Prepared) -> Self {
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
        };
        Self { prepared, parts }
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
