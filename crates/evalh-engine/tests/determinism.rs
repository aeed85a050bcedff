//! An answer is the same to the bit, whoever shares its passes: alone or among others, of its variant or of several, with
//! or without shared beginnings and drafts, for any bound on rows, memory and step, with any number of threads, in f32 and
//! in bf16.
//!
//! Over the repository's tiny checkpoints, with their adapters beside the weights.

use evalh_adapter::Adapter;
use evalh_checkpoint::Checkpoint;
use evalh_engine::{
    Beside, Engine, EngineOptions, LocalEngine, MemoryBudget, ModelEngine, SharedTimings, Variant,
};
use evalh_model::{Decoder, DeviceChoice, LoadOptions, LoraId, PrecisionChoice};
use evalh_record::{
    Generate, LogLikelihood, Loss, Prompt, Request, RequestKind, Response, Sampling,
};
use proptest::prelude::*;
use std::{num::NonZeroUsize, ops::ControlFlow, path::Path, sync::OnceLock};

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures");

/// The checkpoints, and their adapters: one of `llama`'s replaces its head, so that its rows have passes of their own;
/// `phi3` has frequencies that depend on a sequence's length, so that it shares nothing; `gemma2` has windows.
const CHECKPOINTS: [(&str, &[&str]); 4] = [
    ("llama", &["plain", "dora", "rslora"]),
    ("gemma2", &["all"]),
    ("mixtral", &["attention"]),
    ("phi3", &["all"]),
];

/// A checkpoint by its place, and the arithmetic.
type Subject = (usize, PrecisionChoice);

const PRECISIONS: [PrecisionChoice; 2] = [PrecisionChoice::F32, PrecisionChoice::Bf16];

/// An engine over a checkpoint, and its variants: the base, its adapters, the last of them without its lowest layer, so that
/// it has something in common with the base, and the base once more.
fn engine(
    (place, precision): Subject,
    options: EngineOptions,
) -> (LocalEngine, Vec<Option<LoraId>>) {
    let (name, adapters) = CHECKPOINTS[place];
    let folder = Path::new(FIXTURES).join(name);
    let checkpoint = Checkpoint::open(&folder).expect("opens");
    let load = LoadOptions {
        precision,
        ..LoadOptions::default()
    };
    let decoder = Decoder::load(&checkpoint, DeviceChoice::Cpu, load);
    let tokenizer = checkpoint.tokenizer().expect("has a tokenizer");
    let generation = checkpoint.generation();
    let mut engine = LocalEngine::new(
        decoder.expect("loads"),
        tokenizer,
        None,
        generation,
        options,
    )
    .expect("fits together");
    let mut variants = vec![None];
    for (place, adapter) in adapters.iter().enumerate() {
        let adapter = Adapter::open(&folder.join("adapters").join(adapter)).expect("opens");
        let mut update = adapter.resolve(&engine.layout()).expect("fits");
        variants.push(Some(engine.attach(&update).expect("attaches")));
        if place + 1 == adapters.len() {
            update.lora.retain(|lora| !lora.module.contains(".0."));
            update.saved.retain(|saved| saved.name.contains(".1."));
            assert!(!update.lora.is_empty());
            let upper = engine.attach(&update).expect("attaches");
            assert!(engine.decoder().shared_layers(None, Some(upper)) > 0);
            variants.push(Some(upper));
        }
    }
    variants.push(None);
    (engine, variants)
}

/// Requests of every kind, some of which begin alike for more than a cache block.
fn requests() -> Vec<Request> {
    let shared = "the quick brown fox jumps over the lazy dog and ";
    let beginnings = ["", "a", "sphinx", shared, shared, shared];
    let ends = ["b", "fox", "dog", "cat", "rat", "the end"];
    let mut requests = Vec::new();
    for (place, (beginning, end)) in beginnings.iter().zip(ends).enumerate() {
        let generate = |max_new_tokens, sampling| {
            RequestKind::Generate(Generate {
                max_new_tokens,
                stops: vec!["zz".into()],
                sampling,
            })
        };
        let drawn = Sampling::Random {
            temperature: 0.9,
            top_p: 0.9,
            seed: place as u64,
        };
        let kinds = [
            generate(4 + 2 * place, Sampling::Greedy),
            generate(6, drawn),
            // The same prompt once more: a sample that shares all of it.
            generate(5, drawn),
            RequestKind::LogLikelihood(LogLikelihood {
                continuations: vec![" jumps".into(), " jumped".into(), " x".into()],
            }),
            RequestKind::Loss(Loss {
                window: Some(16),
                stride: None,
            }),
        ];
        for kind in kinds {
            requests.push(Request {
                index: requests.len() * 2,
                prompt: Prompt::Text(format!("{beginning}{end}")),
                kind,
            });
        }
    }
    requests
}

/// Every digit of a response: equal texts are equal bits.
fn shown(response: &Response) -> String {
    format!("{response:?}")
}

/// What each variant of a checkpoint answers to each request, one at a time on one thread.
fn alone(subject: Subject) -> &'static Vec<Vec<String>> {
    static ANSWERS: [OnceLock<Vec<Vec<String>>>; CHECKPOINTS.len() * 2] =
        [const { OnceLock::new() }; CHECKPOINTS.len() * 2];
    let (place, precision) = subject;
    ANSWERS[2 * place + usize::from(precision == PrecisionChoice::Bf16)].get_or_init(|| {
        on_threads(1, || {
            let (mut engine, variants) = engine(subject, EngineOptions::default());
            let mut answer = |variant: Option<LoraId>| {
                let variant = variant.map_or(Variant::Base, Variant::Attached);
                engine.select(variant).expect("selects");
                let mut answers = Vec::new();
                for request in requests() {
                    let ended = engine.answer(&[request], &mut |response| {
                        answers.push(shown(&response));
                        ControlFlow::Continue(())
                    });
                    ended.expect("answers");
                }
                answers
            };
            variants.into_iter().map(&mut answer).collect()
        })
    })
}

fn on_threads<T: Send>(threads: usize, work: impl FnOnce() -> T + Send) -> T {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    pool.expect("starts threads").install(work)
}

/// Asks variants together and compares every answer with what it is alone.
fn compare(
    subject: Subject,
    threads: usize,
    options: EngineOptions,
    asked: &[Vec<usize>],
) -> SharedTimings {
    let expected = alone(subject);
    on_threads(threads, || {
        let (mut engine, variants) = engine(subject, options);
        let asked: Vec<Beside<'_>> = variants
            .iter()
            .zip(asked)
            .map(|(adapter, requests)| Beside {
                adapter: *adapter,
                requests,
            })
            .collect();
        let mut answered = 0;
        let timings = engine.answer_all(&requests(), &asked, &mut |variant, response| {
            assert_eq!(shown(&response), expected[variant][response.index / 2]);
            answered += 1;
            ControlFlow::Continue(())
        });
        let wanted: usize = asked.iter().map(|of| of.requests.len()).sum();
        assert_eq!(answered, wanted);
        timings.expect("answers")
    })
}

fn options(
    rows: usize,
    step: usize,
    tokens: usize,
    drafts: bool,
    subject: Subject,
) -> EngineOptions {
    let (engine, _) = engine(subject, EngineOptions::default());
    EngineOptions {
        memory: MemoryBudget::Bytes((tokens * engine.decoder().kv_bytes_per_token()) as u64),
        max_rows: NonZeroUsize::new(rows).expect("not zero"),
        step_tokens: NonZeroUsize::new(step).expect("not zero"),
        drafts,
    }
}

#[test]
fn beginnings_are_shared_and_drafts_accepted_in_what_is_compared() {
    for (place, (name, _)) in CHECKPOINTS.iter().enumerate() {
        for precision in PRECISIONS {
            let subject = (place, precision);
            let everything = vec![(0..requests().len()).collect(); 6];
            let run = |drafts| {
                let options = options(2, 64, 1024, drafts, subject);
                compare(subject, 2, options, &everything).all
            };
            let (with, without) = (run(true), run(false));
            assert_eq!((without.drafted_tokens, without.accepted_tokens), (0, 0));
            let shares = *name != "phi3";
            assert_eq!(with.accepted_tokens > 0, shares, "{name}");
            assert_eq!(with.shared_tokens > 0, shares, "{name}");
            assert_eq!(with.decode_tokens, without.decode_tokens);
            assert!(with.steps < without.steps || !shares);
        }
    }
}

proptest! {
    // a failing case is printed; without a `src` beside it there is no place to keep it
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_answer_is_the_same_to_the_bit_whoever_shares_its_passes(
        place in 0..CHECKPOINTS.len(), precision in prop::sample::select(PRECISIONS.to_vec()), threads in 1usize..4, rows in 1usize..12, step in 1usize..80,
        tokens in prop_oneof![Just(96usize), 96usize..1024], drafts: bool,
        left_out in prop::collection::vec(prop::collection::vec(any::<bool>(), 30), 1..7),
    ) {
        let asked: Vec<Vec<usize>> = left_out
            .iter()
            .map(|left_out| (0..requests().len()).filter(|&request| !left_out[request]).collect())
            .collect();
        let subject = (place, precision);
        compare(subject, threads, options(rows, step, tokens, drafts, subject), &asked);
    }
}
