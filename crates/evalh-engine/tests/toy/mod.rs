//! A deterministic model and tokenizer without weights, and an engine too simple to be wrong.
#![allow(dead_code, reason = "each test and benchmark uses its part")]

pub mod model;
pub mod naive;
pub mod tokenizer;

use evalh_engine::{
    EngineError, EngineOptions, EngineTimings, MemoryBudget, SharedTimings, Vocabulary, serve,
    serve_all,
};
use evalh_record::{Request, Response};
use model::ToyModel;
use std::{num::NonZeroUsize, ops::ControlFlow};
use tokenizer::{BOS, EOS, SIZE, ToyTokenizer};

/// The toy's facts.
pub fn vocabulary(max_positions: usize) -> Vocabulary {
    Vocabulary {
        size: SIZE,
        eos_ids: vec![EOS],
        prefix_token: Some(BOS),
        max_positions,
    }
}

/// Options with a budget of tokens.
pub fn options(cache_tokens: usize, max_rows: usize, step_tokens: usize) -> EngineOptions {
    EngineOptions {
        memory: MemoryBudget::Bytes((cache_tokens * model::TOKEN_BYTES) as u64),
        max_rows: NonZeroUsize::new(max_rows).expect("not zero"),
        step_tokens: NonZeroUsize::new(step_tokens).expect("not zero"),
        drafts: true,
    }
}

/// Room for everything the tests ask.
pub fn roomy() -> EngineOptions {
    options(1 << 20, 8, 32)
}

/// Everything the engine delivers, in the order of delivery, and how it ended.
pub fn answer(
    model: &ToyModel,
    vocabulary: &Vocabulary,
    options: &EngineOptions,
    requests: &[Request],
) -> (Vec<Response>, Result<EngineTimings, EngineError>) {
    let mut responses = Vec::new();
    let ended = serve(
        model,
        &ToyTokenizer::default(),
        vocabulary,
        options,
        requests,
        &mut |response| {
            responses.push(response);
            ControlFlow::Continue(())
        },
    );
    (responses, ended)
}

/// What variants that are asked together are given, in the order of delivery, and how it ended.
pub type AnsweredAll = (Vec<(usize, Response)>, Result<SharedTimings, EngineError>);

/// Everything the engine delivers to variants that are asked together.
pub fn answer_all(
    model: &ToyModel,
    vocabulary: &Vocabulary,
    options: &EngineOptions,
    requests: &[Request],
    asked: &[Vec<usize>],
) -> AnsweredAll {
    let mut responses = Vec::new();
    let asked: Vec<&[usize]> = asked.iter().map(Vec::as_slice).collect();
    let ended = serve_all(
        model,
        &ToyTokenizer::default(),
        vocabulary,
        options,
        requests,
        &asked,
        &mut |variant, response| {
            responses.push((variant, response));
            ControlFlow::Continue(())
        },
    );
    (responses, ended)
}
