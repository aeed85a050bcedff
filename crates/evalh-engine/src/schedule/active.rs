//! A sequence in the batch.

use super::{
    assemble::Outcome,
    plan::{Job, Task},
    text_problem,
};
use crate::{
    EngineError, LogSoftmax, RequestProblem, Row, Sampler, Text, TextStream,
    prepare::{PreparedContext, PreparedGeneration},
};
use evalh_record::{ContinuationScore, Finish, Generation};
use std::ops::Range;

/// A sequence in the batch: what it has read, what it is to read, and what it is for.
pub struct Active<'e, S, T: Text + 'e> {
    /// Its name in the session.
    pub seq: S,
    /// Place of its request among the prepared ones.
    pub request: usize,
    /// Cache tokens reserved for it.
    pub cache_tokens: usize,
    /// All its tokens so far.
    feed: Vec<u32>,
    /// How many of them are in the cache.
    read: usize,
    /// First position whose logits are wanted.
    wanted: usize,
    purpose: Purpose<'e, T>,
    outcome: Option<Outcome>,
}

enum Purpose<'e, T: Text + 'e> {
    Generate(Generating<'e, T>),
    Score(Scoring<'e>),
}

/// What to do after a row of logits.
pub enum Advance {
    /// Go on, or leave with the outcome.
    Proceed,
    /// The sequence is to be cut to this many tokens.
    Rewind(usize),
}

impl<'e, S: Copy, T: Text> Active<'e, S, T> {
    /// A job at its beginning, in the sequence that `open` makes for so many tokens.
    pub fn new(
        open: impl FnOnce(usize) -> S,
        job: &Job<'e>,
        text: &'e T,
        eos_ids: &'e [u32],
    ) -> Self {
        let (feed, wanted, purpose) = match job.task {
            Task::Generate(generation) => {
                let generating = Generating::new(generation, text, eos_ids);
                (
                    generation.prompt.clone(),
                    generation.prompt.len() - 1,
                    Purpose::Generate(generating),
                )
            }
            Task::Score(context) => {
                let first = context
                    .branches
                    .first()
                    .map_or(&[][..], |branch| &branch.tail);
                let feed = [&context.context, first].concat();
                (
                    feed,
                    context.context.len() - 1,
                    Purpose::Score(Scoring::new(context)),
                )
            }
        };
        Self {
            seq: open(feed.len()),
            request: job.request,
            cache_tokens: job.cache_tokens,
            feed,
            read: 0,
            wanted,
            purpose,
            outcome: None,
        }
    }

    /// Whether it has nothing to read but the token it has just generated.
    pub fn is_decoding(&self) -> bool {
        matches!(&self.purpose, Purpose::Generate(generating) if !generating.ids.is_empty())
    }

    /// Places in the feed that are still to be read.
    pub fn unread(&self) -> Range<usize> {
        self.read..self.feed.len()
    }

    /// These tokens as a row of a forward pass.
    pub fn row(&self, tokens: Range<usize>) -> Row<'_, S> {
        let logits = self.wanted.clamp(tokens.start, tokens.end) - tokens.start..tokens.len();
        Row {
            seq: self.seq,
            tokens: &self.feed[tokens],
            logits,
        }
    }

    /// Notes that the cache holds the tokens up to this place.
    pub fn has_read(&mut self, end: usize) {
        self.read = end;
    }

    /// Moves to a new, empty sequence that has everything still to read.
    pub fn begin_again(&mut self, seq: S) {
        self.seq = seq;
        self.read = 0;
    }

    /// Takes the logits after position `position`.
    ///
    /// # Errors
    /// When they are not finite or the text cannot be decoded; `index` names the request.
    pub fn take(
        &mut self,
        position: usize,
        logits: &[f32],
        index: usize,
    ) -> Result<Advance, EngineError> {
        let not_finite = || EngineError::Request {
            request: index,
            problem: RequestProblem::NotFinite { position },
        };
        match &mut self.purpose {
            Purpose::Generate(generating) => {
                let id = generating.sampler.next(logits).ok_or_else(not_finite)?;
                match generating.take(id).map_err(text_problem(index))? {
                    Some(generation) => self.outcome = Some(Outcome::Generated(generation)),
                    None => self.feed.push(id),
                }
                Ok(Advance::Proceed)
            }
            Purpose::Score(scoring) => {
                let softmax = LogSoftmax::of(logits).ok_or_else(not_finite)?;
                scoring.take(position, softmax, logits);
                if position + 1 < self.feed.len() {
                    return Ok(Advance::Proceed);
                }
                let context = scoring.context.context.len();
                let Some(tail) = scoring.next_branch() else {
                    self.outcome = Some(Outcome::Scored(scoring.scores()));
                    return Ok(Advance::Proceed);
                };
                self.feed.truncate(context);
                self.feed.extend_from_slice(tail);
                self.read = context;
                self.wanted = context;
                Ok(Advance::Rewind(context))
            }
        }
    }

    /// What came of it, once it is finished.
    pub fn take_outcome(&mut self) -> Option<Outcome> {
        self.outcome.take()
    }
}

/// A completion under way.
struct Generating<'e, T: Text + 'e> {
    job: &'e PreparedGeneration,
    eos_ids: &'e [u32],
    text: &'e T,
    sampler: Sampler,
    ids: Vec<u32>,
    /// Text so far and its decoder; only where there are stop strings to look for.
    stream: Option<(String, T::Stream<'e>)>,
}

impl<'e, T: Text> Generating<'e, T> {
    fn new(job: &'e PreparedGeneration, text: &'e T, eos_ids: &'e [u32]) -> Self {
        let stream = (!job.stops.strings().is_empty()).then(|| (String::new(), text.stream()));
        Self {
            job,
            eos_ids,
            text,
            sampler: Sampler::new(job.sampling),
            ids: Vec::new(),
            stream,
        }
    }

    /// Takes the next token; the completion, if it ends here.
    ///
    /// An end-of-sequence id ends it first, then a stop string in the text, then a special token that is a stop
    /// string, then the limit.
    fn take(&mut self, id: u32) -> Result<Option<Generation>, crate::BoxError> {
        self.ids.push(id);
        if self.eos_ids.contains(&id) {
            return self.end(Finish::Eos(id));
        }
        if let Some((text, stream)) = &mut self.stream {
            let searched = text.len();
            stream.push(id, text)?;
            if let Some(found) = self.job.stops.find(text, searched) {
                text.truncate(found.at);
                let text = std::mem::take(text);
                let finish = Finish::Stop(self.job.stops.strings()[found.stop].clone());
                return Ok(Some(Generation {
                    text,
                    tokens: self.ids.len(),
                    finish,
                }));
            }
        }
        if let Some(&(_, stop)) = self.job.stop_tokens.iter().find(|(token, _)| *token == id) {
            return self.end(Finish::Stop(self.job.stops.strings()[stop].clone()));
        }
        if self.ids.len() == self.job.max_new_tokens {
            return self.end(Finish::Length);
        }
        Ok(None)
    }

    /// The completion with all its text: a stop string may have been in what the decoder still held back.
    fn end(&self, finish: Finish) -> Result<Option<Generation>, crate::BoxError> {
        let kept = match finish {
            Finish::Eos(_) => &self.ids[..self.ids.len() - 1],
            _ => &self.ids[..],
        };
        let mut text = self.text.decode(kept)?;
        let mut finish = finish;
        if let Some(found) = self.job.stops.find(&text, 0) {
            text.truncate(found.at);
            finish = Finish::Stop(self.job.stops.strings()[found.stop].clone());
        }
        Ok(Some(Generation {
            text,
            tokens: self.ids.len(),
            finish,
        }))
    }
}

/// Continuations being scored, one branch after another.
struct Scoring<'e> {
    context: &'e PreparedContext,
    branch: usize,
    sums: Vec<f64>,
    greedy: Vec<bool>,
}

impl<'e> Scoring<'e> {
    fn new(context: &'e PreparedContext) -> Self {
        let members = context.members.len();
        Self {
            context,
            branch: 0,
            sums: vec![0.0; members],
            greedy: vec![true; members],
        }
    }

    /// The logits after the context are for every continuation's first token, those within a branch for its members.
    fn take(&mut self, position: usize, softmax: LogSoftmax, logits: &[f32]) {
        let token = position + 1 - self.context.context.len();
        let everyone;
        let members = if token == 0 {
            everyone = (0..self.sums.len()).collect::<Vec<_>>();
            &everyone
        } else {
            &self.context.branches[self.branch].members
        };
        for &member in members {
            let target = self.context.members[member].1[token];
            self.sums[member] += softmax.log_prob(logits[target as usize]);
            self.greedy[member] &= target == softmax.argmax;
        }
    }

    fn next_branch(&mut self) -> Option<&'e [u32]> {
        self.branch += 1;
        self.context
            .branches
            .get(self.branch)
            .map(|branch| branch.tail.as_slice())
    }

    /// Place in the request and score of each continuation.
    fn scores(&self) -> Vec<(usize, ContinuationScore)> {
        let sums = self.sums.iter().zip(&self.greedy);
        let members = self.context.members.iter().zip(sums);
        members
            .map(|((place, ids), (&log_prob, &is_greedy))| {
                (
                    *place,
                    ContinuationScore {
                        log_prob,
                        tokens: ids.len(),
                        is_greedy,
                    },
                )
            })
            .collect()
    }
}
