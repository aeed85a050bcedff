//! One engine, several variants: what is selected answers, and the base comes back bit for bit.

use evalh_adapter::Adapter;
use evalh_checkpoint::Checkpoint;
use evalh_engine::{Engine, EngineOptions, LocalEngine, ModelEngine, Variant};
use evalh_model::{Decoder, DeviceChoice, LoadOptions};
use evalh_record::{
    Answer, Generate, LogLikelihood, Prompt, Request, RequestKind, Response, Sampling,
};
use std::{ops::ControlFlow, path::Path};

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/fixtures");

fn answers(engine: &mut LocalEngine) -> Vec<Response> {
    let prompt = Prompt::Text("the quick brown fox".into());
    let sampling = Sampling::Greedy;
    let generate = Generate {
        max_new_tokens: 24,
        stops: vec![],
        sampling,
    };
    let continuations = vec![" jumps over".into(), " sleeps".into(), " a".into()];
    let kinds = [
        RequestKind::Generate(generate),
        RequestKind::LogLikelihood(LogLikelihood { continuations }),
    ];
    let requests: Vec<_> = kinds
        .into_iter()
        .enumerate()
        .map(|(index, kind)| Request {
            index,
            prompt: prompt.clone(),
            kind,
        })
        .collect();
    let mut responses = Vec::new();
    engine
        .answer(&requests, &mut |response| {
            responses.push(response);
            ControlFlow::Continue(())
        })
        .expect("answers");
    responses.sort_by_key(|response| response.index);
    responses
}

fn log_probs(responses: &[Response]) -> Vec<f64> {
    match &responses[1].answer {
        Answer::Scored(scores) => scores.iter().map(|score| score.log_prob).collect(),
        other => panic!("not scored: {other:?}"),
    }
}

fn largest_difference(a: &[Response], b: &[Response]) -> f64 {
    log_probs(a)
        .iter()
        .zip(log_probs(b))
        .map(|(a, b)| (a - b).abs())
        .fold(0.0, f64::max)
}

#[test]
fn variants_are_told_apart_and_the_base_comes_back() {
    for family in ["llama", "llama_gqa_rope3"] {
        let folder = Path::new(FIXTURES).join(family);
        if !folder.is_dir() {
            eprintln!(
                "skipped variants_are_told_apart_and_the_base_comes_back: ../shared is absent"
            );
            return;
        }
        let checkpoint = Checkpoint::open(&folder).expect("opens");
        let decoder =
            Decoder::load(&checkpoint, DeviceChoice::Cpu, LoadOptions::default()).expect("loads");
        let updates = |name: &str| {
            let adapter = Adapter::open(&folder.join("adapters").join(name)).expect("opens");
            adapter.resolve(&decoder.layout()).expect("fits")
        };
        let adapters = [updates("all"), updates("subset")];
        let tokenizer = checkpoint.tokenizer().expect("has a tokenizer");
        let options = EngineOptions::default();
        let mut engine =
            LocalEngine::new(decoder, tokenizer, None, checkpoint.generation(), options)
                .expect("fits together");
        let base = answers(&mut engine);
        let mut seen = vec![base.clone()];
        for updates in &adapters {
            engine.select(Variant::Merged(updates)).expect("merges");
            let merged = answers(&mut engine);
            assert!(
                seen.iter()
                    .all(|other| largest_difference(&merged, other) > 0.1)
            );
            let attached = engine.attach(updates).expect("attaches");
            assert_eq!(answers(&mut engine), merged, "attaching selects nothing");
            engine.select(Variant::Attached(attached)).expect("selects");
            let unmerged = answers(&mut engine);
            assert!(largest_difference(&merged, &unmerged) < 1e-4);
            engine.select(Variant::Base).expect("restores");
            assert_eq!(answers(&mut engine), base);
            seen.push(merged);
        }
    }
}
