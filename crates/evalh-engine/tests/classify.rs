//! Encoders with classification heads against transformers, from text to logits.
//!
//! The references are from `tools/make_encoder_inputs.py`. Checkpoints are the repository's tiny ones with tokenizers of
//! invented words; those of `../shared/fixtures` run where it is there.

use evalh_adapter::Adapter;
use evalh_checkpoint::{Checkpoint, WeightSource as _};
use evalh_engine::{
    EncoderEngine, EncoderTokenizer, Engine, EngineError, EngineOptions, EngineTimings,
    LocalEngine, ModelEngine, RequestProblem, Variant,
};
use evalh_model::{
    Decoder, DeviceChoice, Encoder, EncoderConfig, HeadChoice, LoadOptions, ModelError,
};
use evalh_record::{
    Answer, Generate, LogLikelihood, Loss, Prompt, Request, RequestKind, Response, Sampling,
    sha256_bytes,
};
use serde_json::Value;
use std::{fs, ops::ControlFlow, path::Path};

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures");
const INPUTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/encoders");
const SHARED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/fixtures");

fn reference() -> Value {
    serde_json::from_str(include_str!("data/encoders/reference.json")).expect("is JSON")
}

/// A tiny checkpoint with its tokenizer of invented words.
fn tiny(name: &str) -> (tempfile::TempDir, Checkpoint) {
    let folder = tempfile::tempdir().expect("a folder");
    for (from, file) in [
        (FIXTURES, "config.json"),
        (FIXTURES, "model.safetensors"),
        (INPUTS, "tokenizer.json"),
        (INPUTS, "tokenizer_config.json"),
    ] {
        let source = Path::new(from).join(name).join(file);
        fs::copy(source, folder.path().join(file)).expect("copies");
    }
    let checkpoint = Checkpoint::open(folder.path()).expect("opens");
    (folder, checkpoint)
}

fn adapter(path: &Path) -> Adapter {
    Adapter::open(path).expect("opens")
}

fn brings(labels: usize) -> Adapter {
    adapter(&Path::new(INPUTS).join(format!("roberta_mlm/adapter_{labels}")))
}

fn engine(base: &Checkpoint, head: HeadChoice, options: EngineOptions) -> EncoderEngine {
    let encoder = Encoder::load_with_head(base, DeviceChoice::Cpu, LoadOptions::default(), head)
        .expect("loads");
    let tokenizer = base.tokenizer().expect("has a tokenizer");
    EncoderEngine::new(encoder, tokenizer, options).expect("fits together")
}

/// The reference's inputs with their places, but those for which there is no answer.
fn requests(reference: &Value, name: &str) -> Vec<Request> {
    let inputs = reference["inputs"].as_array().expect("inputs");
    let answers = reference[name].as_array().expect("answers");
    let kept = inputs.iter().zip(answers).enumerate();
    kept.filter(|(_, (_, answer))| !answer.is_null())
        .map(|(index, (input, _))| {
            let first = input[0].as_str().expect("a text").to_owned();
            let prompt = match input[1].as_str() {
                None => Prompt::Text(first),
                Some(second) => Prompt::Pair {
                    first,
                    second: second.to_owned(),
                },
            };
            Request {
                index,
                prompt,
                kind: RequestKind::Classify,
            }
        })
        .collect()
}

fn answers(engine: &mut EncoderEngine, requests: &[Request]) -> (Vec<Response>, EngineTimings) {
    let mut responses = Vec::new();
    let sink = &mut |response| {
        responses.push(response);
        ControlFlow::Continue(())
    };
    let timings = engine.answer(requests, sink).expect("answers");
    responses.sort_by_key(|response: &Response| response.index);
    (responses, timings)
}

fn outputs(response: &Response) -> &[f32] {
    match &response.answer {
        Answer::Classified(outputs) => outputs,
        other => panic!("not classified: {other:?}"),
    }
}

/// The largest difference from the reference's logits; ids and truncation have to be the same.
fn difference(responses: &[Response], reference: &Value, name: &str) -> f32 {
    let mut worst = 0.0f32;
    for response in responses {
        let expected = &reference[name][response.index];
        let ids = expected["ids"].as_array().expect("ids");
        let bytes: Vec<u8> = (ids.iter())
            .flat_map(|id| (id.as_u64().expect("an id") as u32).to_le_bytes())
            .collect();
        let place = format!("{name}, input {}", response.index);
        assert_eq!(response.prompt_tokens, ids.len(), "{place}");
        assert_eq!(response.prompt_sha256, sha256_bytes(&bytes), "{place}");
        let truncated = expected["truncated"].as_u64().map(|n| n as usize);
        assert_eq!(Some(response.truncated_tokens), truncated, "{place}");
        let logits = expected["logits"].as_array().expect("logits");
        assert_eq!(outputs(response).len(), logits.len(), "{place}");
        for (got, expected) in outputs(response).iter().zip(logits) {
            worst = worst.max((got - expected.as_f64().expect("a number") as f32).abs());
        }
    }
    eprintln!("{name}: largest difference {worst:.1e}");
    worst
}

#[test]
fn texts_and_pairs_give_the_logits_of_transformers() {
    let reference = reference();
    for name in ["bert", "deberta_v2"] {
        let (_folder, checkpoint) = tiny(name);
        let head = HeadChoice::classifier(&checkpoint, &[]).expect("has a head");
        assert_eq!(head, HeadChoice::Stored);
        let mut engine = engine(&checkpoint, head, EngineOptions::default());
        let requests = requests(&reference, name);
        let (responses, timings) = answers(&mut engine, &requests);
        assert_eq!(responses.len(), 19);
        assert!(difference(&responses, &reference, name) < 1e-4);
        let config = EncoderConfig::of(checkpoint.config()).expect("reads");
        let tokenizer = checkpoint.tokenizer().expect("has a tokenizer");
        let shown = EncoderTokenizer::new(&config, tokenizer).expect("fits");
        let shown = shown.tokens(&requests).expect("encodes");
        for (response, tokens) in responses.iter().zip(&shown) {
            assert_eq!(response.prompt_tokens, tokens.context.len());
            assert_eq!(response.truncated_tokens, tokens.truncated);
        }
        let tokens: usize = responses.iter().map(|r| r.prompt_tokens).sum();
        assert_eq!(timings.prefill_tokens, tokens);
        assert!(timings.prefill_seconds > 0.0 && timings.steps > 0);
        assert_eq!((timings.decode_tokens, timings.tokens_kept), (0, 0));
    }
}

#[test]
fn shared_fixtures_give_the_logits_of_transformers() {
    if !Path::new(SHARED).is_dir() {
        eprintln!("skipped shared_fixtures_give_the_logits_of_transformers: ../shared is absent");
        return;
    }
    let reference = reference();
    for name in ["bert", "roberta", "deberta_v2"] {
        let checkpoint = Checkpoint::open(&Path::new(SHARED).join(name)).expect("opens");
        let mut engine = engine(&checkpoint, HeadChoice::Stored, EngineOptions::default());
        let name = format!("shared/{name}");
        let (responses, _) = answers(&mut engine, &requests(&reference, &name));
        assert_eq!(responses.len(), 18);
        assert!(difference(&responses, &reference, &name) < 1e-4);
        // their tokenizers add no special tokens, so nothing is left of an empty text
        let empty = Request {
            index: 7,
            prompt: Prompt::Text(String::new()),
            kind: RequestKind::Classify,
        };
        let refused = engine.answer(&[empty], &mut |_| ControlFlow::Continue(()));
        assert!(matches!(
            refused,
            Err(EngineError::Request {
                request: 7,
                problem: RequestProblem::EmptyText
            })
        ));
    }
}

#[test]
fn a_head_that_an_adapter_brings_answers_merged_and_beside() {
    let reference = reference();
    let (_folder, base) = tiny("roberta_mlm");
    for labels in [2, 3] {
        let adapter = brings(labels);
        let head = HeadChoice::classifier(&base, &[("tuned", &adapter)]).expect("has a head");
        assert_eq!(head, HeadChoice::Classification { labels });
        let mut engine = engine(&base, head, EngineOptions::default());
        let update = adapter.resolve(&engine.layout()).expect("fits");
        let name = format!("roberta_mlm+adapter_{labels}");
        let requests = requests(&reference, &name);
        // the base has no head of its own
        let refused = engine.select(Variant::Base).expect_err("no head");
        assert!(refused.to_string().contains("classifier"), "{refused}");
        let refused = engine.answer(&requests, &mut |_| ControlFlow::Continue(()));
        assert!(matches!(refused, Err(EngineError::Variant(_))));
        engine.select(Variant::Merged(&update)).expect("merges");
        let (merged, _) = answers(&mut engine, &requests);
        assert!(difference(&merged, &reference, &name) < 1e-4);
        let attached = engine.attach(&update).expect("attaches");
        engine.select(Variant::Attached(attached)).expect("selects");
        let (beside, _) = answers(&mut engine, &requests);
        assert!(difference(&beside, &reference, &name) < 1e-4);
    }
}

#[test]
fn company_changes_no_bit_of_an_answer() {
    let reference = reference();
    for name in ["bert", "deberta_v2"] {
        let (_folder, checkpoint) = tiny(name);
        let of = |rows: usize, tokens: usize| {
            let options = EngineOptions {
                max_rows: rows.try_into().expect("not zero"),
                step_tokens: tokens.try_into().expect("not zero"),
                ..EngineOptions::default()
            };
            engine(&checkpoint, HeadChoice::Stored, options)
        };
        let requests = requests(&reference, name);
        let (alone, timings) = answers(&mut of(1, 1), &requests);
        assert_eq!((timings.steps, timings.peak_rows), (requests.len(), 1));
        for (rows, tokens) in [(64, 4096), (3, 4096), (64, 70)] {
            let (together, timings) = answers(&mut of(rows, tokens), &requests);
            assert!(timings.peak_rows > 1 && timings.peak_rows <= rows);
            assert_eq!(together, alone);
        }
        let (some, _) = answers(&mut of(64, 4096), &requests[5..9]);
        assert_eq!(some, alone[5..9]);
    }
}

#[test]
fn variants_are_told_apart_and_the_base_comes_back() {
    let reference = reference();
    let (_folder, base) = tiny("bert");
    let tuned = adapter(&Path::new(FIXTURES).join("bert/adapters/head"));
    let head = HeadChoice::classifier(&base, &[("tuned", &tuned)]).expect("fits");
    assert_eq!(head, HeadChoice::Stored);
    let mut engine = engine(&base, head, EngineOptions::default());
    let update = tuned.resolve(&engine.layout()).expect("fits");
    let requests = requests(&reference, "bert");
    let (before, _) = answers(&mut engine, &requests);
    let far = |a: &[Response], b: &[Response]| {
        let pairs = a.iter().zip(b);
        pairs
            .flat_map(|(a, b)| outputs(a).iter().zip(outputs(b)))
            .map(|(a, b)| (a - b).abs())
            .fold(0.0f32, f32::max)
    };
    engine.select(Variant::Merged(&update)).expect("merges");
    let (merged, _) = answers(&mut engine, &requests);
    assert!(far(&merged, &before) > 0.1);
    let attached = engine.attach(&update).expect("attaches");
    engine.select(Variant::Attached(attached)).expect("selects");
    let (beside, _) = answers(&mut engine, &requests);
    assert!(far(&merged, &beside) < 1e-4);
    engine.select(Variant::Base).expect("restores");
    assert_eq!(answers(&mut engine, &requests).0, before);
    assert!(engine.footprint().adapter_bytes > 0);
}

#[test]
fn heads_that_are_not_there_or_not_one_are_named() {
    let (_folder, base) = tiny("roberta_mlm");
    let text = |error: ModelError| error.to_string();
    let none = HeadChoice::classifier(&base, &[]).expect_err("no head");
    assert!(matches!(&none, ModelError::NoClassifier { adapters } if adapters.is_empty()));
    let dora = adapter(&Path::new(FIXTURES).join("roberta_mlm/adapters/dora"));
    let none = HeadChoice::classifier(&base, &[("plain", &dora)]).expect_err("no head");
    assert!(text(none).contains("nor the adapter plain has one"));
    let (two, three) = (brings(2), brings(3));
    let adapters = [("plain", &dora), ("a", &two), ("b", &three)];
    let other = HeadChoice::classifier(&base, &adapters).expect_err("two counts");
    assert!(text(other).contains("the adapter a has 2 labels and the adapter b has 3"));
    // an adapter whose head does not go with the base's
    let (_folder, bert) = tiny("bert");
    let other = HeadChoice::classifier(&bert, &[("a", &two)]);
    let classifier = "classifier.out_proj";
    assert!(brings(2).saved().any(|t| t.name.contains(classifier)));
    // BERT's classifier has another name, so this one is no head of it; it is refused when it is matched
    assert!(matches!(other, Ok(HeadChoice::Stored)));
    let masked = Encoder::load(&base, DeviceChoice::Cpu, LoadOptions::default()).expect("loads");
    let tokenizer = base.tokenizer().expect("has a tokenizer");
    let refused = EncoderEngine::new(masked, tokenizer, EngineOptions::default());
    assert!(matches!(refused, Err(EngineError::NoClassifier)));
    let labels = HeadChoice::Classification { labels: 3 };
    let names = labels.labels(base.config());
    assert_eq!(names.expect("reads"), ["LABEL_0", "LABEL_1", "LABEL_2"]);
}

#[test]
fn questions_for_the_other_kind_of_model_are_refused_by_name() {
    let (_folder, base) = tiny("bert");
    let mut encoder = engine(&base, HeadChoice::Stored, EngineOptions::default());
    let folder = Path::new(FIXTURES).join("llama");
    let checkpoint = Checkpoint::open(&folder).expect("opens");
    let model =
        Decoder::load(&checkpoint, DeviceChoice::Cpu, LoadOptions::default()).expect("loads");
    let mut decoder = LocalEngine::new(
        model,
        checkpoint.tokenizer().expect("has a tokenizer"),
        None,
        checkpoint.generation(),
        EngineOptions::default(),
    )
    .expect("fits together");
    let text = || Prompt::Text("a bell".into());
    let pair = || Prompt::Pair {
        first: "a".into(),
        second: "b".into(),
    };
    let chat = Prompt::Chat {
        messages: vec![],
        prefill: None,
    };
    let generate = RequestKind::Generate(Generate {
        max_new_tokens: 1,
        stops: vec![],
        sampling: Sampling::Greedy,
    });
    let scored = RequestKind::LogLikelihood(LogLikelihood {
        continuations: vec!["b".into()],
    });
    let loss = RequestKind::Loss(Loss {
        window: None,
        stride: None,
    });
    let refusal = |engine: &mut dyn Engine, prompt: Prompt, kind: RequestKind| {
        let request = Request {
            index: 3,
            prompt,
            kind,
        };
        match engine.answer(&[request], &mut |_| ControlFlow::Continue(())) {
            Err(EngineError::Request {
                request: 3,
                problem: RequestProblem::WrongKind(what),
            }) => what,
            other => panic!("{other:?}"),
        }
    };
    for (kind, word) in [
        (generate, "generated"),
        (scored, "continuations"),
        (loss, "loss"),
    ] {
        assert!(refusal(&mut encoder, text(), kind).contains(word));
    }
    assert!(refusal(&mut encoder, chat, RequestKind::Classify).contains("conversation"));
    assert!(refusal(&mut decoder, text(), RequestKind::Classify).contains("encoder"));
    let scored = RequestKind::LogLikelihood(LogLikelihood {
        continuations: vec!["b".into()],
    });
    assert!(refusal(&mut decoder, pair(), scored).contains("encoder"));
}

#[test]
fn inputs_are_cut_to_any_limit_that_leaves_room() {
    let (_folder, base) = tiny("bert");
    let tokenizer = base.tokenizer().expect("has a tokenizer");
    let text = |words: usize| "bell ".repeat(words);
    for (first, second) in [(0, 0), (1, 9), (9, 1), (6, 6), (7, 6), (30, 29)] {
        let (first, second) = (text(first), text(second));
        let whole = tokenizer
            .encode_input(&first, Some(&second), usize::MAX)
            .expect("encodes");
        assert_eq!(whole.truncated, 0);
        for limit in 0..70 {
            let cut = tokenizer.encode_input(&first, Some(&second), limit);
            // [CLS], and [SEP] twice
            let Ok(cut) = cut else {
                assert!(limit <= 3, "{limit}");
                continue;
            };
            assert!(limit > 3);
            assert_eq!(cut.ids.len(), whole.ids.len().min(limit));
            assert_eq!(cut.ids.len() + cut.truncated, whole.ids.len());
            assert_eq!(cut.token_types.len(), cut.ids.len());
        }
    }
}
