//! The work that is measured: prompts, tokens and requests through a session.

use super::{
    clock::{Lap, Latency, spreads, timed},
    found::{Decode, Prefill, Requests},
    plan::Plan,
};
use crate::energy::Meter;
use crate::failure::{Failure, OrFail as _, Outcome};
use evalh_model::{Decoder, Logits, LoraId, Row, SeqId, Session};
use evalh_stats::random::PythonRandom;

/// Pseudo-random tokens of a model's vocabulary.
pub struct Tokens {
    random: PythonRandom,
    vocabulary: usize,
}

impl Tokens {
    /// The same for the same seed.
    pub fn new(seed: u64, model: &Decoder) -> Tokens {
        Tokens {
            random: PythonRandom::new(seed),
            vocabulary: model.config().vocab_size,
        }
    }

    /// The next so many.
    pub fn take(&mut self, count: usize) -> Vec<u32> {
        let drawn = self.random.choices(self.vocabulary, count);
        drawn
            .unwrap_or_default()
            .into_iter()
            .map(|id| id as u32)
            .collect()
    }
}

/// Reads a prompt of so many tokens again and again.
///
/// # Errors
/// When the model cannot.
pub fn prefill(
    model: &Decoder,
    tokens: usize,
    plan: &Plan,
    ids: &mut Tokens,
    meter: &Meter,
) -> Outcome<Prefill> {
    let prompt = ids.take(tokens);
    let mut session = session(model, 1, tokens)?;
    let mut read = || {
        let seq = session.open(None);
        let done = timed(|| last(&mut session, &[(seq, &prompt)]));
        session.close(seq);
        done.map(|(lap, _)| lap)
    };
    read()?;
    let (laps, joules) = meter.over(|| repeated(plan.repetitions, &mut read))?;
    let (seconds, cpu_seconds) = spreads(&laps, 1);
    Ok(Prefill {
        tokens,
        tokens_per_second: tokens as f64 / seconds.median,
        joules_per_token: joules.map(|joules| joules / (tokens * laps.len()) as f64),
        seconds,
        cpu_seconds,
    })
}

/// Writes tokens to so many sequences at once, again and again from the same context.
///
/// # Errors
/// When the model cannot.
pub fn decode(
    model: &Decoder,
    batch: usize,
    plan: &Plan,
    ids: &mut Tokens,
    meter: &Meter,
) -> Outcome<Decode> {
    let mut writer = Writer::new(model, batch, None, plan, ids)?;
    writer.write()?;
    let (laps, joules) = meter.over(|| repeated(plan.repetitions, || writer.write()))?;
    let (seconds, cpu_seconds) = spreads(&laps, plan.new_tokens);
    let written = batch * plan.new_tokens * laps.len();
    Ok(Decode {
        batch,
        context: plan.context,
        new_tokens: plan.new_tokens,
        tokens_per_second: batch as f64 / seconds.median,
        joules_per_token: joules.map(|joules| joules / written as f64),
        seconds,
        cpu_seconds,
    })
}

/// Answers requests one after the other, greedily.
///
/// # Errors
/// When the model cannot.
pub fn requests(
    model: &Decoder,
    plan: &Plan,
    ids: &mut Tokens,
    meter: &Meter,
) -> Outcome<Requests> {
    let mut session = session(model, 1, plan.context + plan.new_tokens)?;
    let mut ask = || {
        let prompt = ids.take(plan.context);
        let seq = session.open(None);
        let done = timed(|| {
            let (first, mut next) = timed(|| chosen(&mut session, seq, &prompt))?;
            for _ in 1..plan.new_tokens {
                next = chosen(&mut session, seq, &[next])?;
            }
            Ok(first.wall)
        });
        session.close(seq);
        done
    };
    ask()?;
    let (answers, joules) = meter.over(|| repeated(plan.requests, &mut ask))?;
    Ok(Requests {
        count: answers.len(),
        prompt_tokens: plan.context,
        new_tokens: plan.new_tokens,
        first_token: Latency::of(answers.iter().map(|(_, first)| *first).collect()),
        whole: Latency::of(answers.iter().map(|(whole, _)| whole.wall).collect()),
        cpu_seconds: Latency::of(answers.iter().map(|(whole, _)| whole.cpu).collect()),
        joules_per_request: joules.map(|joules| joules / answers.len() as f64),
    })
}

/// Sequences of one context each, to which the same tokens are written again and again.
pub struct Writer<'m> {
    session: Session<'m>,
    seqs: Vec<SeqId>,
    context: usize,
    /// The tokens of each step, one a sequence.
    steps: Vec<Vec<u32>>,
}

impl<'m> Writer<'m> {
    /// Reads the contexts, answered with an adapter where there is one.
    ///
    /// # Errors
    /// When the model cannot.
    pub fn new(
        model: &'m Decoder,
        batch: usize,
        adapter: Option<LoraId>,
        plan: &Plan,
        ids: &mut Tokens,
    ) -> Outcome<Writer<'m>> {
        let mut session = session(model, batch, plan.context + plan.new_tokens)?;
        let mut seqs = Vec::with_capacity(batch);
        for _ in 0..batch {
            let seq = session.open(adapter);
            last(&mut session, &[(seq, &ids.take(plan.context))])?;
            seqs.push(seq);
        }
        Ok(Writer {
            session,
            seqs,
            context: plan.context,
            steps: (0..plan.new_tokens).map(|_| ids.take(batch)).collect(),
        })
    }

    /// Writes all tokens, and forgets them.
    ///
    /// # Errors
    /// When the model cannot.
    pub fn write(&mut self) -> Outcome<Lap> {
        let (lap, ()) = timed(|| {
            for step in &self.steps {
                let tokens = step.iter().map(std::slice::from_ref);
                let rows: Vec<_> = self.seqs.iter().copied().zip(tokens).collect();
                last(&mut self.session, &rows)?;
            }
            Ok(())
        })?;
        for seq in &self.seqs {
            self.session.truncate(*seq, self.context);
        }
        Ok(lap)
    }
}

/// Appends tokens to sequences and gives the logits behind the last of each.
fn last(session: &mut Session<'_>, of: &[(SeqId, &[u32])]) -> Outcome<Logits> {
    let rows: Vec<Row<'_>> = of
        .iter()
        .map(|(seq, tokens)| Row {
            seq: *seq,
            tokens,
            logits: tokens.len() - 1..tokens.len(),
            twin: None,
        })
        .collect();
    session.forward(&rows).or_fail()
}

/// Appends tokens to a sequence and gives the most likely next one.
fn chosen(session: &mut Session<'_>, seq: SeqId, tokens: &[u32]) -> Outcome<u32> {
    let found = last(session, &[(seq, tokens)])?;
    let logits = found.row(0);
    let better = |best: usize, next: usize| {
        if logits[next] > logits[best] {
            next
        } else {
            best
        }
    };
    Ok((0..logits.len()).reduce(better).unwrap_or_default() as u32)
}

fn session(model: &Decoder, sequences: usize, tokens: usize) -> Outcome<Session<'_>> {
    // Each sequence fills whole blocks of the cache.
    const BLOCK: usize = 64;
    let room = sequences * tokens.next_multiple_of(BLOCK);
    model.session(room).map_err(|error| {
        Failure::of(&error).help("ask for less: --batch, --context, --prompt-tokens")
    })
}

fn repeated<T>(times: usize, work: impl FnMut() -> Outcome<T>) -> Outcome<Vec<T>> {
    std::iter::repeat_with(work).take(times).collect()
}
