//! What the engine itself costs, apart from the model: bookkeeping of the scheduler in tokens a second, and the choice
//! of a token from a row of logits as wide as a real vocabulary.

#![allow(missing_docs, reason = "the macros of criterion make functions")]

#[path = "../tests/toy/mod.rs"]
mod toy;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use evalh_engine::{BoxError, Costs, Forward, LogSoftmax, LogitRows, Model, Row, Sampler, serve};
use evalh_record::{Generate, LogLikelihood, Prompt, Request, RequestKind, Sampling};
use std::{hint::black_box, ops::ControlFlow};
use toy::{
    options,
    tokenizer::{SIZE, ToyTokenizer},
    vocabulary,
};

/// A model that takes no time: always the same logits, which favour one token.
struct Instant;

impl Model for Instant {
    type Session<'m> = Instant;

    fn costs(&self) -> Costs {
        Costs {
            parameters: 100,
            weight_bytes: 400,
            token_bytes: 1,
        }
    }

    fn layers(&self) -> usize {
        1
    }

    fn block_tokens(&self) -> usize {
        16
    }

    fn session(&self, _: usize) -> Result<Instant, BoxError> {
        Ok(Instant)
    }
}

impl Forward for Instant {
    type Seq = ();
    type Logits = Favourite;

    fn open(&mut self, _: usize, _: usize) {}

    fn close(&mut self, (): ()) {}

    fn forward(&mut self, rows: &[Row<'_, ()>]) -> Result<Favourite, BoxError> {
        black_box(rows);
        let mut logits = [0.0; SIZE];
        logits[usize::from(b'a')] = 1.0;
        Ok(Favourite(logits))
    }
}

struct Favourite([f32; SIZE]);

impl LogitRows for Favourite {
    fn row(&self, _: usize) -> &[f32] {
        &self.0
    }
}

fn requests(count: usize, text: &str, kind: &RequestKind) -> Vec<Request> {
    (0..count)
        .map(|index| Request {
            index,
            prompt: Prompt::Text(text.into()),
            kind: kind.clone(),
        })
        .collect()
}

fn scheduler(c: &mut Criterion) {
    let run = |requests: &[Request]| {
        let model = Instant;
        let sink = &mut |response| {
            black_box(response);
            ControlFlow::Continue(())
        };
        serve(
            &model,
            &ToyTokenizer::default(),
            &vocabulary(4096),
            &options(1 << 20, 64, 512),
            requests,
            sink,
        )
        .expect("answers")
    };
    let mut group = c.benchmark_group("bookkeeping");
    let stops = ["\nclass", "\ndef", "\n#", "\nif", "\nprint"]
        .map(str::to_owned)
        .to_vec();
    let generate = |stops| {
        RequestKind::Generate(Generate {
            max_new_tokens: 256,
            stops,
            sampling: Sampling::Greedy,
        })
    };
    let decode = requests(256, "ab", &generate(stops));
    group.throughput(Throughput::Elements(256 * 256));
    group.bench_function("decode with stop strings, 64 rows", |b| {
        b.iter(|| run(&decode));
    });
    let decode = requests(256, "ab", &generate(Vec::new()));
    group.bench_function("decode without, 64 rows", |b| b.iter(|| run(&decode)));
    let continuations = ["x", "y", "z", "#"].map(str::to_owned).to_vec();
    let choices = requests(
        1024,
        "bb",
        &RequestKind::LogLikelihood(LogLikelihood { continuations }),
    );
    group.throughput(Throughput::Elements(1024));
    group.bench_function("requests of four choices", |b| b.iter(|| run(&choices)));
    group.finish();
}

fn choice(c: &mut Criterion) {
    let logits: Vec<f32> = (0..49_152u32)
        .map(|i| (i.wrapping_mul(2_654_435_761) >> 8) as f32 / (1 << 24) as f32 * 20.0 - 10.0)
        .collect();
    let mut group = c.benchmark_group("a token of 49152");
    let random = |top_p| {
        Sampler::new(Sampling::Random {
            temperature: 0.8,
            top_p,
            seed: 1,
        })
    };
    let samplers = [
        ("greedy", Sampler::new(Sampling::Greedy)),
        ("sampled", random(1.0)),
        ("top-p 0.95", random(0.95)),
    ];
    for (name, mut sampler) in samplers {
        group.bench_function(name, |b| b.iter(|| sampler.next(black_box(&logits))));
    }
    group.bench_function("log-softmax", |b| {
        b.iter(|| LogSoftmax::of(black_box(&logits)));
    });
    group.finish();
}

criterion_group!(benches, scheduler, choice);
criterion_main!(benches);
