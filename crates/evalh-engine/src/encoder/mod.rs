//! The engine over an encoder with a classification head.

mod prepare;

use crate::{
    Beside, Engine, EngineError, EngineOptions, EngineTimings, ModelEngine, RequestProblem,
    SharedTimings, Variant, timing::Read,
};
use evalh_adapter::{AdapterUpdate, ModelLayout};
use evalh_checkpoint::TextTokenizer;
use evalh_kernel::ComputeSet;
use evalh_model::{Encoder, EncoderTask, Footprint, LoraId, ModelError};
use evalh_record::{Answer, Request, Response};
pub use prepare::EncoderTokenizer;
use prepare::Prepared;
use std::{ops::ControlFlow, time::Instant};

/// So many requests are sorted by length at a time: enough that a pass holds inputs of one length, few enough that answers
/// come in about the order of the requests.
const SORTED_AT_ONCE: usize = 1024;

/// Answers with an encoder's classification head: requests to [`Classify`](evalh_record::RequestKind::Classify) a text or
/// a pair of texts.
///
/// For a base whose head is its own or its adapters':
///
/// ```no_run
/// # use evalh_adapter::Adapter;
/// # use evalh_checkpoint::Checkpoint;
/// # use evalh_engine::{EncoderEngine, EngineOptions, ModelEngine as _, Variant};
/// # use evalh_model::{DeviceChoice, Encoder, HeadChoice, LoadOptions};
/// # fn open(base: &Checkpoint, adapters: &[(&str, &Adapter)]) -> Result<(), Box<dyn std::error::Error>> {
/// let head = HeadChoice::classifier(base, adapters)?;
/// let encoder = Encoder::load_with_head(base, DeviceChoice::Cpu, LoadOptions::default(), head)?;
/// let mut engine = EncoderEngine::new(encoder, base.tokenizer()?, EngineOptions::default())?;
/// for (_, adapter) in adapters {
///     let update = adapter.resolve(&engine.layout())?;
///     engine.select(Variant::Merged(&update))?;
/// }
/// # Ok(())
/// # }
/// ```
///
/// Selecting a variant without a head, such as the base where only an adapter brings one, is an error that names the
/// module without weights.
#[derive(Debug)]
pub struct EncoderEngine {
    encoder: Encoder,
    tokenizer: EncoderTokenizer,
    options: EngineOptions,
    attached: Option<LoraId>,
}

impl EncoderEngine {
    /// An engine for the base; the parts come from one checkpoint. Of the options, those of a pass count
    /// (`max_rows`, `step_tokens`); an encoder caches no keys and values, so `memory` has nothing to bound.
    ///
    /// # Errors
    /// When the encoder was loaded without a classification head, or the tokenizer has ids the model has no row for.
    pub fn new(
        encoder: Encoder,
        tokenizer: TextTokenizer,
        options: EngineOptions,
    ) -> Result<Self, EngineError> {
        let config = encoder.config();
        if config.task != EncoderTask::Classification {
            return Err(EngineError::NoClassifier);
        }
        let tokenizer = EncoderTokenizer::new(config, tokenizer)?;
        Ok(Self {
            encoder,
            tokenizer,
            options,
            attached: None,
        })
    }

    /// The model, for what can be asked of it: labels, kernel.
    pub fn encoder(&self) -> &Encoder {
        &self.encoder
    }

    fn check_head(&self, adapter: Option<LoraId>) -> Result<(), EngineError> {
        self.encoder.check_head(adapter).map_err(variant_error)
    }

    /// Answers these for one variant, until `sink` has enough.
    fn answer_prepared(
        &self,
        prepared: &[&Prepared],
        adapter: Option<LoraId>,
        timings: &mut EngineTimings,
        sink: &mut dyn FnMut(Response) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, EngineError> {
        for part in prepared.chunks(SORTED_AT_ONCE) {
            for pass in self.passes(part) {
                for response in self.pass(&pass, adapter, timings)? {
                    if sink(response).is_break() {
                        return Ok(ControlFlow::Break(()));
                    }
                }
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// One forward pass over requests of about one length, and their responses.
    fn pass(
        &self,
        batch: &[&Prepared],
        adapter: Option<LoraId>,
        timings: &mut EngineTimings,
    ) -> Result<Vec<Response>, EngineError> {
        let inputs: Vec<_> = batch.iter().map(|of| of.input.clone()).collect();
        let begun = Instant::now();
        let outputs = self
            .encoder
            .forward(&inputs, adapter)
            .map_err(|error| EngineError::Forward(error.into()))?;
        let tokens = inputs.iter().map(|input| input.ids.len()).sum();
        let read = Read {
            prefill: tokens,
            ..Read::default()
        };
        timings.step(read, begun.elapsed());
        timings.peak_rows = timings.peak_rows.max(batch.len());
        let responses = batch.iter().enumerate().map(|(row, of)| {
            let values = outputs.values(row);
            if values.iter().any(|value| !value.is_finite()) {
                return Err(EngineError::Request {
                    request: of.index,
                    problem: RequestProblem::OutputsNotFinite,
                });
            }
            Ok(Response {
                index: of.index,
                prompt_sha256: of.sha256.clone(),
                prompt_tokens: of.input.ids.len(),
                truncated_tokens: of.truncated,
                answer: Answer::Classified(values.to_vec()),
            })
        });
        responses.collect()
    }

    /// Cuts requests into passes: as many as `max_rows` and `step_tokens` allow, at least one.
    fn passes<'p>(&self, prepared: &[&'p Prepared]) -> Vec<Vec<&'p Prepared>> {
        let mut sorted = prepared.to_vec();
        sorted.sort_by_key(|of| std::cmp::Reverse(of.input.ids.len()));
        let (rows, tokens) = (self.options.max_rows.get(), self.options.step_tokens.get());
        let mut passes: Vec<Vec<&Prepared>> = Vec::new();
        let mut room = 0;
        for of in sorted {
            let own = of.input.ids.len();
            match passes.last_mut() {
                Some(pass) if pass.len() < rows && own <= room => {
                    room -= own;
                    pass.push(of);
                }
                _ => {
                    room = tokens.saturating_sub(own);
                    passes.push(vec![of]);
                }
            }
        }
        passes
    }
}

impl Engine for EncoderEngine {
    fn answer(
        &mut self,
        requests: &[Request],
        sink: &mut dyn FnMut(Response) -> ControlFlow<()>,
    ) -> Result<EngineTimings, EngineError> {
        let begun = Instant::now();
        self.check_head(self.attached)?;
        let prepared = self.tokenizer.all(requests)?;
        let prepared: Vec<_> = prepared.iter().collect();
        let mut timings = EngineTimings {
            prepare_seconds: begun.elapsed().as_secs_f64(),
            ..EngineTimings::default()
        };
        // An end asked for is an end like any other.
        let _ = self.answer_prepared(&prepared, self.attached, &mut timings, sink)?;
        timings.wall_seconds = begun.elapsed().as_secs_f64();
        Ok(timings)
    }
}

impl ModelEngine for EncoderEngine {
    fn layout(&self) -> ModelLayout {
        self.encoder.layout()
    }

    fn kernel(&self) -> ComputeSet {
        self.encoder.kernel()
    }

    fn footprint(&self) -> Footprint {
        self.encoder.footprint()
    }

    fn attach(&mut self, update: &AdapterUpdate) -> Result<LoraId, EngineError> {
        self.encoder.attach(update).map_err(variant_error)
    }

    fn select(&mut self, variant: Variant<'_>) -> Result<(), EngineError> {
        self.attached = None;
        self.encoder.restore();
        match variant {
            Variant::Base => {}
            Variant::Merged(update) => self.encoder.merge(update).map_err(variant_error)?,
            Variant::Attached(adapter) => self.attached = Some(adapter),
        }
        self.check_head(self.attached).inspect_err(|_| {
            self.attached = None;
            self.encoder.restore();
        })
    }

    /// One variant after another: each brings a head of its own, so that they could share no pass to its end.
    fn answer_all(
        &mut self,
        requests: &[Request],
        variants: &[Beside<'_>],
        sink: &mut dyn FnMut(usize, Response) -> ControlFlow<()>,
    ) -> Result<SharedTimings, EngineError> {
        let begun = Instant::now();
        for of in variants {
            self.check_head(of.adapter)?;
        }
        let prepared = self.tokenizer.all(requests)?;
        let mut timings = SharedTimings::new(variants.len());
        timings.all.prepare_seconds = begun.elapsed().as_secs_f64();
        for (variant, of) in variants.iter().enumerate() {
            let own: Vec<_> = of.requests.iter().map(|place| &prepared[*place]).collect();
            let mut measured = EngineTimings::default();
            let sink = &mut |response| sink(variant, response);
            let ended = self.answer_prepared(&own, of.adapter, &mut measured, sink)?;
            timings.all.steps += measured.steps;
            timings.all.prefill_tokens += measured.prefill_tokens;
            timings.all.prefill_seconds += measured.prefill_seconds;
            timings.all.peak_rows = timings.all.peak_rows.max(measured.peak_rows);
            timings.variants[variant] = measured;
            if ended.is_break() {
                break;
            }
        }
        timings.all.wall_seconds = begun.elapsed().as_secs_f64();
        timings.finish();
        Ok(timings)
    }
}

fn variant_error(error: ModelError) -> EngineError {
    EngineError::Variant(error.into())
}
