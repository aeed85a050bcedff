//! Losses of texts against lm-eval's rolling windows and the loop of Hugging Face's guide to perplexity, to 1e-4 a token.
//!
//! The references are from `tools/write_loss_reference.py`. The tiny checkpoints are the repository's; `SmolLM2` runs where
//! `EVALH_TEST_MODEL` names its GGUF file.

use evalh_checkpoint::Checkpoint;
use evalh_engine::{Engine, EngineOptions, LocalEngine};
use evalh_model::{Decoder, DeviceChoice, LoadOptions};
use evalh_record::{Answer, Loss, Prompt, Request, RequestKind, TextScore};
use serde_json::Value;
use std::{
    ops::ControlFlow,
    path::{Path, PathBuf},
};

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures");

fn reference() -> Value {
    serde_json::from_str(include_str!("data/loss.json")).expect("is JSON")
}

fn engine(path: &Path) -> LocalEngine {
    let checkpoint = Checkpoint::open(path).expect("opens");
    let decoder =
        Decoder::load(&checkpoint, DeviceChoice::Cpu, LoadOptions::default()).expect("loads");
    let tokenizer = checkpoint.tokenizer().expect("has a tokenizer");
    let options = EngineOptions::default();
    LocalEngine::new(decoder, tokenizer, None, checkpoint.generation(), options)
        .expect("fits together")
}

fn number(value: &Value) -> Option<usize> {
    value.as_u64().map(|number| number as usize)
}

fn scores(engine: &mut LocalEngine, requests: &[Request]) -> Vec<TextScore> {
    let mut responses = Vec::new();
    let sink = &mut |response| {
        responses.push(response);
        ControlFlow::Continue(())
    };
    engine.answer(requests, sink).expect("answers");
    responses.sort_by_key(|response: &evalh_record::Response| response.index);
    let score = |answer: Answer| match answer {
        Answer::Loss(score) => score,
        other => panic!("not a loss: {other:?}"),
    };
    responses
        .into_iter()
        .map(|response| score(response.answer))
        .collect()
}

fn agrees(name: &str, path: &Path) {
    let reference = reference();
    let cases = reference["models"][name].as_array().expect("cases");
    let requests: Vec<Request> = (cases.iter().enumerate())
        .map(|(index, case)| {
            let text = &reference["texts"][case["text"].as_str().expect("a label")];
            Request {
                index,
                prompt: Prompt::Text(text.as_str().expect("text").into()),
                kind: RequestKind::Loss(Loss {
                    window: number(&case["window"]),
                    stride: number(&case["stride"]),
                }),
            }
        })
        .collect();
    let mut engine = engine(path);
    let together = scores(&mut engine, &requests);
    let mut worst = 0.0f64;
    for ((case, request), score) in cases.iter().zip(&requests).zip(&together) {
        let expected = case["log_prob"].as_f64().expect("a number");
        assert_eq!(Some(score.tokens), number(&case["tokens"]), "{name} {case}");
        worst = worst.max((score.log_prob - expected).abs() / score.tokens as f64);
        let alone = scores(&mut engine, std::slice::from_ref(request));
        assert_eq!(alone[0].log_prob.to_bits(), score.log_prob.to_bits());
    }
    eprintln!("{name}: largest difference a token {worst:.1e}");
    assert!(worst < 1e-4, "{name}: largest difference a token {worst}");
}

#[test]
fn losses_of_tiny_models_are_the_references() {
    for name in ["llama", "gpt2", "gemma2", "mixtral", "phi3"] {
        agrees(name, &Path::new(FIXTURES).join(name));
    }
}

#[test]
fn losses_of_a_real_model_are_the_references() {
    let Some(path) = std::env::var_os("EVALH_TEST_MODEL") else {
        eprintln!(
            "skipped losses_of_a_real_model_are_the_references: EVALH_TEST_MODEL does not name a model"
        );
        return;
    };
    agrees("smollm2", &PathBuf::from(path));
}
