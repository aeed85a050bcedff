//! A sequence in the batch.

use super::{
    assemble::Outcome,
    draft::{Drafting, Place},
    generating::Generating,
    plan::{Job, Task},
    prefix::Prefix,
    scoring::Scoring,
    text_problem,
    window::WindowSum,
};
use crate::{EngineError, LogSoftmax, RequestProblem, Row, Text};
use std::ops::Range;

/// A sequence in the batch: what it has read, what it is to read, and what it is for.
pub struct Active<'e, S, T: Text + 'e> {
    /// Its name in the session.
    pub seq: S,
    /// Place of its answer among those asked for; of a shared beginning, that of a job below it.
    pub answer: usize,
    /// The variant that runs it.
    pub variant: usize,
    /// What it runs, by number.
    pub unit: usize,
    /// Its place among the jobs; of a shared beginning, the place of a job below it.
    pub job: usize,
    /// Cache tokens reserved for it.
    pub cache_tokens: usize,
    /// All its tokens so far.
    feed: Vec<u32>,
    /// How many of them are in the cache.
    read: usize,
    /// First position whose logits are wanted.
    wanted: usize,
    /// How many of its last tokens are drafts.
    drafted: usize,
    /// Where it stands in the answers that draft for it.
    place: Option<Place>,
    purpose: Purpose<'e, T>,
    outcome: Option<Outcome>,
}

enum Purpose<'e, T: Text + 'e> {
    Generate(Generating<'e, T>),
    Score(Scoring<'e>),
    Window(WindowSum<'e>),
    /// Reads a beginning of this place that several jobs share.
    Prefix(usize),
}

/// What to do after a row of logits.
pub enum Advance {
    /// Go on, or leave with the outcome.
    Proceed,
    /// Go on: the draft is the answer.
    Accepted,
    /// The sequence is to be cut to this many tokens.
    Rewind(usize),
}

impl<'e, S: Copy, T: Text> Active<'e, S, T> {
    /// The job of this place, in the sequence that `open` makes for so many tokens and that holds the first `read` of them
    /// and has so many cache tokens reserved.
    pub fn new(
        open: impl FnOnce(usize) -> S,
        (read, cache_tokens): (usize, usize),
        place: usize,
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
            Task::Window(text, window) => {
                let bounds = &text.windows[window];
                (
                    text.ids[bounds.read.clone()].to_vec(),
                    bounds.read.len() - bounds.scored,
                    Purpose::Window(WindowSum::new(text, window)),
                )
            }
        };
        Self {
            seq: open(feed.len()),
            answer: job.answer,
            variant: job.variant,
            unit: job.unit,
            job: place,
            cache_tokens,
            feed,
            read,
            wanted,
            drafted: 0,
            place: None,
            purpose,
            outcome: None,
        }
    }

    /// A shared beginning of `job`, the one of this place, in a sequence that holds the first `read` tokens of it
    /// and has so many cache tokens reserved.
    pub fn prefix(
        seq: S,
        (read, cache_tokens): (usize, usize),
        prefix: &Prefix<'_>,
        place: usize,
        job: &Job<'_>,
    ) -> Self {
        Self {
            seq,
            answer: job.answer,
            variant: job.variant,
            unit: job.unit,
            job: prefix.job,
            cache_tokens,
            feed: prefix.tokens.to_vec(),
            read,
            wanted: prefix.tokens.len(),
            drafted: 0,
            place: None,
            purpose: Purpose::Prefix(place),
            outcome: None,
        }
    }

    /// Lets other answers draft for it, where there are any.
    pub fn drafted_by(mut self, drafting: Option<&Drafting>) -> Self {
        self.place = drafting.and_then(|drafting| drafting.begin(self.unit));
        self
    }

    /// Takes drafts of what comes next, in a pass of `tokens` others; how many, at most `most`.
    pub fn draft(&mut self, drafting: &Drafting, tokens: usize, most: usize) -> usize {
        let (Some(place), Purpose::Generate(generating)) = (&mut self.place, &self.purpose) else {
            return 0;
        };
        // The last token of an answer is never read.
        let most = most.min(generating.left().saturating_sub(1));
        let bounds = (self.feed.len(), tokens, most);
        let (unit, variant, own) = (self.unit, self.variant, generating.ids());
        let drafts = drafting.propose(place, unit, variant, own, bounds);
        self.feed.extend_from_slice(drafts);
        self.drafted = drafts.len();
        self.drafted
    }

    /// Whether it has nothing to read but the token it has just generated.
    pub fn is_decoding(&self) -> bool {
        matches!(&self.purpose, Purpose::Generate(generating) if generating.has_begun())
    }

    /// Whether it is to answer with a text.
    pub fn generates(&self) -> bool {
        matches!(self.purpose, Purpose::Generate(_))
    }

    /// Places in the feed that are still to be read.
    pub fn unread(&self) -> Range<usize> {
        self.read..self.feed.len()
    }

    /// All its tokens so far.
    pub fn tokens(&self) -> usize {
        self.feed.len()
    }

    /// The first of the tokens in `tokens` that does not fit where only so many rows of logits may be asked for.
    pub fn end_of(&self, tokens: &Range<usize>, most_logits: usize) -> usize {
        let first = self.wanted.clamp(tokens.start, tokens.end);
        tokens.end.min(first.saturating_add(most_logits))
    }

    /// How many rows of logits these tokens ask for.
    pub fn logits_of(&self, tokens: &Range<usize>) -> usize {
        tokens.end - self.wanted.clamp(tokens.start, tokens.end)
    }

    /// Whether another sequence that runs the same has the same tokens up to this place.
    pub fn is_like(&self, other: &Self, end: usize) -> bool {
        self.unit == other.unit && self.feed.get(..end) == other.feed.get(..end)
    }

    /// These tokens as a row of a forward pass, and an earlier row of it that is like it.
    pub fn row(&self, tokens: Range<usize>, twin: Option<usize>) -> Row<'_, S> {
        let logits = self.wanted.clamp(tokens.start, tokens.end) - tokens.start..tokens.len();
        Row {
            seq: self.seq,
            tokens: &self.feed[tokens],
            logits,
            twin,
        }
    }

    /// Notes that the cache holds the tokens up to this place.
    pub fn has_read(&mut self, end: usize) {
        self.read = end;
    }

    /// The place of the shared beginning that it has read to its end.
    pub fn finished_prefix(&self) -> Option<usize> {
        match self.purpose {
            Purpose::Prefix(place) if self.read == self.feed.len() => Some(place),
            _ => None,
        }
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
        drafting: Option<&mut Drafting>,
    ) -> Result<Advance, EngineError> {
        let place = match &self.purpose {
            Purpose::Window(sum) => sum.place(position),
            Purpose::Generate(_) | Purpose::Score(_) | Purpose::Prefix(_) => position,
        };
        let not_finite = || EngineError::Request {
            request: index,
            problem: RequestProblem::NotFinite { position: place },
        };
        match &mut self.purpose {
            // Its logits are not asked for.
            Purpose::Prefix(_) => Ok(Advance::Proceed),
            Purpose::Generate(generating) => {
                let id = generating.sampler.next(logits).ok_or_else(not_finite)?;
                if let (Some(drafting), Some(place)) = (drafting, &mut self.place) {
                    drafting.answered(place, self.unit, self.variant, id);
                }
                if let Some(generation) = generating.take(id).map_err(text_problem(index))? {
                    self.outcome = Some(Outcome::Generated(generation));
                    return Ok(Advance::Proceed);
                }
                let next = position + 1;
                match self.feed.get(next) {
                    Some(draft) if *draft == id => Ok(Advance::Accepted),
                    None => {
                        self.feed.push(id);
                        Ok(Advance::Proceed)
                    }
                    Some(_) => {
                        self.feed.truncate(next);
                        self.feed.push(id);
                        self.read = next;
                        Ok(Advance::Rewind(next))
                    }
                }
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
            Purpose::Window(sum) => {
                let softmax = LogSoftmax::of(logits).ok_or_else(not_finite)?;
                sum.take(position, softmax, logits);
                if position + 1 == self.feed.len() {
                    let (window, log_prob) = sum.score();
                    self.outcome = Some(Outcome::Window { window, log_prob });
                }
                Ok(Advance::Proceed)
            }
        }
    }

    /// Whether something came of it.
    pub fn has_ended(&self) -> bool {
        self.outcome.is_some()
    }

    /// The drafts that the pass has read, which are then none any more.
    pub fn take_drafted(&mut self) -> usize {
        std::mem::take(&mut self.drafted)
    }

    /// What came of it, once it is finished.
    pub fn take_outcome(&mut self) -> Option<Outcome> {
        self.outcome.take()
    }
}
