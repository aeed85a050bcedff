//! Continuous batching: sequences enter as others leave, prefill and decode share each forward pass.
//!
//! - `plan` decides before the first pass how large the cache is and which requests it can never hold;
//! - `active` is a sequence in the batch: what it still has to read, and what it does with the logits it gets, which is
//!   in `generating`, `scoring` and `window`;
//! - `assemble` turns the outcomes of a request's sequences into its response;
//! - `prefix` finds the beginnings that several prompts share, which are computed once, and `held` keeps them;
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
mod assemble;
mod beside;
mod draft;
mod generating;
mod held;
mod order;
mod plan;
mod prefix;
mod scoring;
mod window;

use crate::{
    BoxError, EngineError, EngineOptions, EngineTimings, Forward, LogitRows, Model, RequestProblem,
    Row, SharedTimings, Text, Vocabulary, prepare, timing::Read,
};
use active::{Active, Advance};
use assemble::Assembly;
use beside::Beside;
use draft::Drafting;
use evalh_record::{Request, Response};
use held::{Beginning, Held};
use order::order;
use plan::{Job, Plan, Task};
use prefix::Prefixes;
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
        let drafts = options.drafts && session.shares();
        let drafting = drafts.then(|| Drafting::new(&plan.jobs, asked.len(), model.costs()));
        let drafting = drafting.flatten();
        let beside = Beside::of(model, asked.len());
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

/// The way out: responses under construction, and who receives them.
struct Delivery<'a, 's> {
    assemblies: Vec<Assembly<'a>>,
    sink: &'s mut dyn FnMut(usize, Response) -> ControlFlow<()>,
}

impl Delivery<'_, '_> {
    /// Delivers what needs no model at all.
    fn deliver_finished(&mut self, timings: &mut SharedTimings) -> ControlFlow<()> {
        for answer in 0..self.assemblies.len() {
            self.deliver_if_finished(answer, timings)?;
        }
        ControlFlow::Continue(())
    }

    fn deliver_if_finished(
        &mut self,
        answer: usize,
        timings: &mut SharedTimings,
    ) -> ControlFlow<()> {
        let assembly = &mut self.assemblies[answer];
        match assembly.take_response() {
            Some((response, tokens)) => {
                timings.keep(assembly.variant(), tokens);
                (self.sink)(assembly.variant(), response)
            }
            None => ControlFlow::Continue(()),
        }
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

struct Span {
    row: usize,
    tokens: Range<usize>,
    decode: bool,
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

    /// Begins the job of this place, or the beginning that it shares; whether it was the job.
    fn admit(&mut self, place: usize, jobs: &[Job<'e>], timings: &mut SharedTimings) -> bool {
        let job = &jobs[place];
        match self.held.beginning(place) {
            Beginning::Computing => false,
            Beginning::Ready(beginning) => {
                let read = beginning.map_or(0, |(_, held)| held);
                let cache_tokens = job.cache_tokens - read / self.block * self.block;
                let fits = self.fits_with_others(place, jobs, cache_tokens);
                if !fits || !self.reserve(cache_tokens) {
                    return false;
                }
                let session = &mut self.session;
                let open = |tokens| Self::begin(session, job.variant, beginning, tokens);
                let eos_ids = &self.vocabulary.eos_ids;
                let held = (read, cache_tokens);
                let row = Active::new(open, held, place, job, self.text, eos_ids);
                self.active.push(row.drafted_by(self.drafting.as_ref()));
                timings.share(job.variant, read);
                true
            }
            Beginning::Absent(node, parent) => {
                if parent.is_none() && self.waits(job, node) {
                    return false;
                }
                self.begin_prefix(job, node, parent);
                if self.together(job.unit) {
                    // Those of the other variants, which come next.
                    let others = jobs.iter().enumerate().skip(place + 1);
                    for (place, other) in others.take_while(|(_, other)| other.unit == job.unit) {
                        if let Beginning::Absent(node, parent) = self.held.beginning(place) {
                            self.begin_prefix(other, node, parent);
                        }
                    }
                }
                false
            }
        }
    }

    /// Whether the first of those that run beside each other, which takes so many cache tokens, is not the only one there is
    /// room for, or has nothing to wait for.
    fn fits_with_others(&self, place: usize, jobs: &[Job<'e>], cache_tokens: usize) -> bool {
        let unit = jobs[place].unit;
        let begun = |row: &Active<'_, F::Seq, T>| row.unit == unit;
        if self.active.is_empty() || !self.together(unit) || self.active.iter().any(begun) {
            return true;
        }
        let later = jobs[place + 1..].iter();
        let all = 1 + later.take_while(|job| job.unit == unit).count();
        // The others begin alike, so each takes as much.
        self.active.len() + all <= self.options.max_rows.get()
            && all * cache_tokens <= self.free_tokens
    }

    /// Whether a long beginning is left for later, so that the cache holds no two of them: what is in progress is done soon,
    /// and the beginning then fills passes by itself.
    fn waits(&self, job: &Job<'e>, node: usize) -> bool {
        let reads_only = |row: &Active<'_, F::Seq, T>| !row.generates() && row.unit != job.unit;
        !matches!(job.task, Task::Generate(_))
            && 2 * self.held.node(node).tokens.len() >= self.options.step_tokens.get()
            && self.active.iter().any(reads_only)
    }

    /// Begins a beginning of a job, which goes on from another one where there is one, if there is room.
    fn begin_prefix(&mut self, job: &Job<'e>, node: usize, parent: Option<(F::Seq, usize)>) {
        let cache_tokens = self.held.own_tokens(node);
        if self.reserve(cache_tokens) {
            let prefix = self.held.node(node);
            let tokens = prefix.tokens.len();
            let seq = Self::begin(&mut self.session, job.variant, parent, tokens);
            let read = parent.map_or(0, |(_, held)| held);
            let row = Active::prefix(seq, (read, cache_tokens), prefix, node, job);
            self.active.push(row);
            self.held.compute(node);
        }
    }

    /// Whether the variants' sequences of this number run beside each other.
    fn together(&self, unit: usize) -> bool {
        self.beside.together(unit, self.drafting.as_ref())
    }

    /// Gives up what is held for later jobs, for one that would fit into an empty cache.
    fn make_room(&mut self, place: usize) {
        let mut freed = self.held.forget_all_but(place);
        if freed.is_empty() {
            freed = self.held.part(place);
        }
        assert!(!freed.is_empty(), "every job fits into an empty cache");
        for (seq, tokens) in freed {
            self.session.close(seq);
            self.free_tokens += tokens;
        }
    }

    /// A sequence for so many tokens, that goes on from another one's where there is one.
    fn begin(
        session: &mut F,
        variant: usize,
        from: Option<(F::Seq, usize)>,
        tokens: usize,
    ) -> F::Seq {
        match from {
            Some((seq, held)) => session.fork(seq, held),
            None => session.open(variant, tokens),
        }
    }

    /// Takes cache tokens for one more row, where there is room.
    fn reserve(&mut self, tokens: usize) -> bool {
        let room = self.active.len() < self.options.max_rows.get() && tokens <= self.free_tokens;
        if room {
            self.free_tokens -= tokens;
        }
        room
    }

    /// Every decode row with its drafts, and prefill in the order of admission up to the step's tokens; a variant's after each other, so that
    /// its updates act on one stretch of tokens.
    fn choose_spans(&mut self) {
        self.spans.clear();
        let step = self.options.step_tokens.get();
        let mut decode = self.active.iter().filter(|row| row.is_decoding()).count();
        // Each asks for a row of logits, which takes memory that one variant alone does not.
        let mut most_drafts = step / 8;
        for (i, row) in self.active.iter_mut().enumerate() {
            if !row.is_decoding() {
                continue;
            }
            if let Some(drafting) = &self.drafting {
                let drafts = row.draft(drafting, decode, most_drafts);
                most_drafts -= drafts;
                decode += drafts;
            }
            self.spans.push(Span {
                row: i,
                tokens: row.unread(),
                decode: true,
            });
        }
        let mut budget = step.saturating_sub(decode).max(step.div_ceil(8));
        let row_bytes = self.vocabulary.size * size_of::<f32>();
        let mut logits = (MOST_LOGIT_BYTES / row_bytes.max(1)).max(1);
        let (active, common, drafting) = (&self.active, &self.beside, self.drafting.as_ref());
        let prefill: Vec<usize> = (0..active.len())
            .filter(|row| !active[*row].is_decoding())
            .collect();
        // Those that run beside each other stay at the same place.
        let beside = |a: &usize, b: &usize| {
            let (a, b) = (&active[*a], &active[*b]);
            a.unit == b.unit && a.unread() == b.unread() && common.together(a.unit, drafting)
        };
        for rows in prefill.chunk_by(beside) {
            // One token each where there is nothing else to do, and otherwise all of them or none.
            if budget < rows.len() && !self.spans.is_empty() {
                break;
            }
            let (each, each_logits) = ((budget / rows.len()).max(1), logits / rows.len());
            for row in rows {
                let reader = &active[*row];
                let unread = reader.unread();
                let end = unread.end.min(unread.start + each);
                let tokens = unread.start..reader.end_of(&(unread.start..end), each_logits);
                if tokens.is_empty() {
                    continue;
                }
                budget = budget.saturating_sub(tokens.len());
                logits -= reader.logits_of(&tokens);
                self.spans.push(Span {
                    row: *row,
                    decode: false,
                    tokens,
                });
            }
        }
        self.spans.sort_by_key(|span| active[span.row].variant);
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
