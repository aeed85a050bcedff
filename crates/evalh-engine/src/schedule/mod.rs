//! Continuous batching: sequences enter as others leave, prefill and decode share each forward pass.
//!
//! - `plan` decides before the first pass how large the cache is and which requests it can never hold;
//! - `active` is a sequence in the batch: what it still has to read, and what it does with the logits it gets, which is
//!   in `generating`, `scoring` and `window`;
//! - `assemble` turns the outcomes of a request's sequences into its response;
//! - `prefix` finds the beginnings that several prompts share, which are computed once, and `held` keeps them;
//! - `admit` lets sequences into the batch, `spans` says what each of them reads in the coming pass;
//! - `order` says which sequence runs when, `beside` which of them in the same passes;
//! - `draft` lets the answers of variants to one request draft for each other;
//! - this file runs the passes.
//!
//! Sequences of all variants share the passes: their rows go through each weight together, whoever they belong to.
//!
//! A sequence is admitted, in the order of requests but those that begin alike after each other, when the cache tokens
//! it may ever need are free, so it always runs to its end. Requests that need more than the whole cache are set aside
//! and named after all others are answered. Beginnings of several variants may together leave no room for the next
//! sequence; those of others are then given up, and computed again later.

mod active;
mod admit;
mod assemble;
mod beside;
mod delivery;
mod draft;
mod generating;
mod held;
mod order;
mod plan;
mod prefix;
mod scoring;
mod spans;
mod window;

use crate::{
    BoxError, EngineError, EngineOptions, EngineTimings, Forward, LogitRows, Model, RequestProblem,
    Row, SharedTimings, Text, Vocabulary, prepare, timing::Read,
};
use active::{Active, Advance};
use assemble::Assembly;
use beside::Beside;
use delivery::Delivery;
use draft::Drafting;
use evalh_record::{Request, Response};
use held::Held;
use order::order;
use plan::{Job, Plan};
use prefix::Prefixes;
use spans::Span;
use std::{ops::ControlFlow, ops::Range, time::Instant};

/// Bytes of logits that the prefill of one pass may ask for, so that the loss of a text over a large vocabulary takes no
/// more memory than other requests.
const MOST_LOGIT_BYTES: usize = 128 << 20;

/// Answers requests with a model of one variant and a tokenizer; see [`Engine::answer`](crate::Engine::answer).
///
/// # Errors
/// As [`serve_all`].
pub fn serve<M: Model, T: Text>(
    model: &M,
    text: &T,
    vocabulary: &Vocabulary,
    options: &EngineOptions,
    requests: &[Request],
    sink: &mut dyn FnMut(Response) -> ControlFlow<()>,
) -> Result<EngineTimings, EngineError> {
    let all: Vec<usize> = (0..requests.len()).collect();
    let sink = &mut |_, response| sink(response);
    serve_all(model, text, vocabulary, options, requests, &[&all], sink).map(|timings| timings.all)
}

/// Answers requests with a model of several variants and a tokenizer; see
/// [`ModelEngine::answer_all`](crate::ModelEngine::answer_all). `asked` has the places of each variant's requests,
/// ascending.
///
/// # Errors
/// - Before anything is computed: the first request that is wrong in itself ([`RequestProblem`]), a cache that cannot
///   be set up.
/// - At once: a failing forward pass, logits that are not finite.
/// - After all other requests are answered: requests too large for the memory.
pub fn serve_all<M: Model, T: Text>(
    model: &M,
    text: &T,
    vocabulary: &Vocabulary,
    options: &EngineOptions,
    requests: &[Request],
    asked: &[&[usize]],
    sink: &mut dyn FnMut(usize, Response) -> ControlFlow<()>,
) -> Result<SharedTimings, EngineError> {
    let begun = Instant::now();
    let prepared = prepare::all(text, vocabulary, requests)?;
    let mut timings = SharedTimings::new(asked.len());
    timings.all.prepare_seconds = begun.elapsed().as_secs_f64();
    let plan = Plan::new(model, options, &prepared, asked);
    timings.all.cache_tokens = plan.cache_tokens;
    let answers = plan.answers.iter();
    let mut delivery = Delivery {
        assemblies: answers
            .map(|asked| Assembly::new(&prepared[asked.request], asked.variant))
            .collect(),
        sink,
    };
    let mut ended = delivery.deliver_finished(&mut timings);
    if ended.is_continue() && !plan.jobs.is_empty() {
        let session = model
            .session(plan.cache_tokens)
            .map_err(|source| EngineError::Cache {
                tokens: plan.cache_tokens,
                source,
            })?;
        let prefixes = if session.shares() {
            Prefixes::of(&plan.jobs, plan.block)
        } else {
            Prefixes::none(plan.jobs.len())
        };
        let beside = if session.shares() {
            Beside::of(model, asked.len())
        } else {
            Beside::default()
        };
        let drafts = options.drafts && session.shares() && !beside.saves_more_than_drafts();
        let drafting = drafts.then(|| Drafting::new(&plan.jobs, asked.len(), model.costs()));
        let drafting = drafting.flatten();
        let together = |unit| beside.together(unit, drafting.as_ref());
        let order = order(&plan.jobs, &prefixes, options.max_rows.get(), together);
        let mut batch = Batch {
            session,
            held: Held::new(prefixes),
            drafting,
            beside,
            text,
            vocabulary,
            options,
            active: Vec::new(),
            block: plan.block,
            free_tokens: plan.cache_tokens,
            spans: Vec::new(),
            read: vec![Read::default(); asked.len()],
        };
        ended = batch.run(&plan.jobs, &order, &mut delivery, &mut timings)?;
    }
    timings.all.wall_seconds = begun.elapsed().as_secs_f64();
    timings.finish();
    match plan.too_large {
        Some(too_large) if ended.is_continue() => Err(too_large),
        _ => Ok(timings),
    }
}

/// The sequences in progress.
struct Batch<'e, F: Forward, T: Text> {
    session: F,
    text: &'e T,
    vocabulary: &'e Vocabulary,
    options: &'e EngineOptions,
    /// The beginnings that sequences share.
    held: Held<'e, F::Seq>,
    /// The answers that draft for others.
    drafting: Option<Drafting>,
    /// What variants have in common.
    beside: Beside,
    /// In the order of their admission.
    active: Vec<Active<'e, F::Seq, T>>,
    /// Tokens of a cache block.
    block: usize,
    /// Cache tokens nobody has reserved.
    free_tokens: usize,
    /// What the coming pass reads: place in `active`, places in its feed, whether it is decode.
    spans: Vec<Span>,
    /// What the pass reads for each variant.
    read: Vec<Read>,
}

impl<'e, F: Forward, T: Text> Batch<'e, F, T> {
    fn run(
        &mut self,
        jobs: &[Job<'e>],
        order: &[usize],
        delivery: &mut Delivery<'_, '_>,
        timings: &mut SharedTimings,
    ) -> Result<ControlFlow<()>, EngineError> {
        let mut waiting = order.iter().copied().peekable();
        loop {
            while waiting
                .next_if(|place| self.admit(*place, jobs, timings))
                .is_some()
            {}
            if self.active.is_empty() {
                let Some(place) = waiting.peek() else {
                    return Ok(ControlFlow::Continue(()));
                };
                self.make_room(*place);
                continue;
            }
            timings.all.peak_rows = timings.all.peak_rows.max(self.active.len());
            self.choose_spans();
            let stepped = self.step(delivery, timings);
            // rows that ended in a pass are delivered even where another row of it failed
            let ended = self.dismiss_finished(delivery, timings);
            stepped?;
            if ended.is_break() {
                return Ok(ended);
            }
        }
    }

    /// One forward pass, and what the rows make of it.
    fn step(
        &mut self,
        delivery: &mut Delivery<'_, '_>,
        timings: &mut SharedTimings,
    ) -> Result<(), EngineError> {
        let spans = self.spans.iter();
        let tokens: Vec<_> = spans.map(|span| (span.row, span.tokens.clone())).collect();
        let twins = self.beside.twins(&self.active, &tokens);
        let rows: Vec<Row<'_, F::Seq>> = tokens
            .into_iter()
            .zip(twins)
            .map(|((row, tokens), twin)| self.active[row].row(tokens, twin))
            .collect();
        let begun = Instant::now();
        let logits = self.session.forward(&rows).map_err(EngineError::Forward)?;
        let time = begun.elapsed();
        let wanted: Vec<Range<usize>> = rows.iter().map(|row| row.logits.clone()).collect();
        let twins: Vec<bool> = rows.iter().map(|row| row.twin.is_some()).collect();
        self.read.fill(Read::default());
        let mut next = 0;
        let mut outcome = Ok(());
        for ((span, wanted), has_twin) in self.spans.iter().zip(wanted).zip(twins) {
            let row = &mut self.active[span.row];
            let read = &mut self.read[row.variant];
            read.beside += if has_twin { span.tokens.len() } else { 0 };
            let index = delivery.assemblies[row.answer].index();
            row.has_read(span.tokens.end);
            let first = next;
            next += wanted.len();
            let mut accepted = 0;
            for (offset, place) in wanted.zip(first..) {
                let position = span.tokens.start + offset;
                let drafting = self.drafting.as_mut();
                match row.take(position, logits.row(place), index, drafting) {
                    Ok(Advance::Proceed) => {}
                    Ok(Advance::Accepted) => accepted += 1,
                    Ok(Advance::Rewind(len)) => {
                        if !self.session.rewind(row.seq, len) {
                            self.session.close(row.seq);
                            let tokens = row.tokens();
                            row.begin_again(self.session.open(row.variant, tokens));
                        }
                        break;
                    }
                    Err(error) => {
                        outcome = outcome.and(Err(error));
                        break;
                    }
                }
                if row.has_ended() {
                    break;
                }
            }
            if span.decode {
                read.decode += 1 + accepted;
                read.drafted += row.take_drafted();
                read.accepted += accepted;
            } else {
                read.prefill += span.tokens.len();
            }
        }
        timings.step(&self.read, time);
        outcome
    }

    fn dismiss_finished(
        &mut self,
        delivery: &mut Delivery<'_, '_>,
        timings: &mut SharedTimings,
    ) -> ControlFlow<()> {
        let mut ended = ControlFlow::Continue(());
        self.active.retain_mut(|row| {
            if let Some(place) = row.finished_prefix() {
                self.held.ready(place, row.seq);
                return false;
            }
            let Some(outcome) = row.take_outcome() else {
                return true;
            };
            self.session.close(row.seq);
            self.free_tokens += row.cache_tokens;
            if let Some(drafting) = &mut self.drafting {
                drafting.ended(row.unit);
            }
            for (seq, tokens) in self.held.ended(row.job) {
                self.session.close(seq);
                self.free_tokens += tokens;
            }
            delivery.assemblies[row.answer].add(outcome);
            if ended.is_continue() {
                ended = delivery.deliver_if_finished(row.answer, timings);
            }
            false
        });
        ended
    }
}

/// Names the request a tokenizer failed on.
fn text_problem(request: usize) -> impl Fn(BoxError) -> EngineError {
    move |source| EngineError::Request {
        request,
        problem: RequestProblem::Text(source),
    }
}
