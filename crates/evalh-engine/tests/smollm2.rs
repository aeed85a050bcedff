//! A real model against lm-eval: log-probabilities to 1e-3, greedy texts to the letter.
//!
//! Runs where `EVALH_TEST_MODEL` names the GGUF file of `SmolLM2-135M-Instruct` (`Q4_1`) and `../shared/reference` is there.

use evalh_checkpoint::Checkpoint;
use evalh_engine::{Engine, EngineOptions, LocalEngine};
use evalh_model::{Decoder, DeviceChoice, LoadOptions};
use evalh_record::{
    Answer, Finish, Generate, LogLikelihood, Message, Prompt, Request, RequestKind, Response, Role,
    Sampling, sha256_bytes,
};
use serde_json::Value;
use std::{collections::BTreeSet, fs, ops::ControlFlow, path::Path};

const REFERENCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/reference");

/// The engine, unless this machine has not got what the test needs.
fn engine(test: &str, max_rows: usize) -> Option<LocalEngine> {
    let Some(path) = std::env::var_os("EVALH_TEST_MODEL") else {
        eprintln!("skipped {test}: EVALH_TEST_MODEL does not name a model");
        return None;
    };
    if !Path::new(REFERENCE).is_dir() {
        eprintln!("skipped {test}: ../shared is absent");
        return None;
    }
    let checkpoint = Checkpoint::open(Path::new(&path)).expect("opens");
    let decoder =
        Decoder::load(&checkpoint, DeviceChoice::Cpu, LoadOptions::default()).expect("loads");
    let tokenizer = checkpoint.tokenizer().expect("has a tokenizer");
    let template = checkpoint.chat_template().expect("parses");
    let options = EngineOptions {
        max_rows: max_rows.try_into().expect("not zero"),
        ..EngineOptions::default()
    };
    Some(
        LocalEngine::new(
            decoder,
            tokenizer,
            template,
            checkpoint.generation(),
            options,
        )
        .expect("fits together"),
    )
}

/// The rows of a reference file, one per item: lm-eval writes an item once per answer filter.
fn reference(file: &str) -> Vec<Value> {
    let text = fs::read_to_string(Path::new(REFERENCE).join(file)).expect("is there");
    let rows = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("is JSON"));
    let mut seen = BTreeSet::new();
    rows.filter(|row| seen.insert((row["task"].to_string(), row["doc_id"].to_string())))
        .collect()
}

fn answers(engine: &mut LocalEngine, requests: &[Request]) -> Vec<Response> {
    let mut responses = Vec::new();
    let timings = engine.answer(requests, &mut |response| {
        responses.push(response);
        ControlFlow::Continue(())
    });
    let timings = timings.expect("answers");
    eprintln!(
        "{} requests: {} prompt tokens at {:.0}/s, {} decoded at {:.0}/s, {:.1} s in all ({:.2} s to prepare)",
        requests.len(),
        timings.prefill_tokens,
        timings.prefill_tokens as f64 / timings.prefill_seconds,
        timings.decode_tokens,
        timings.decode_tokens as f64 / timings.decode_seconds.max(1e-9),
        timings.wall_seconds,
        timings.prepare_seconds,
    );
    responses.sort_by_key(|response| response.index);
    responses
}

fn text_of(value: &Value) -> String {
    value.as_str().expect("is text").to_owned()
}

fn assert_prompt(response: &Response, row: &Value) {
    let ids = row["context_ids"].as_array().expect("has ids");
    let bytes: Vec<u8> = ids
        .iter()
        .flat_map(|id| (id.as_u64().expect("is an id") as u32).to_le_bytes())
        .collect();
    assert_eq!(
        (response.prompt_tokens, &response.prompt_sha256),
        (ids.len(), &sha256_bytes(&bytes))
    );
}

fn scores_agree(engine: &mut LocalEngine, file: &str) {
    let rows = reference(file);
    let request = |(index, row): (usize, &Value)| {
        let arguments = row["arguments"].as_array().expect("has arguments");
        let continuations = arguments
            .iter()
            .map(|argument| text_of(&argument[1]))
            .collect();
        Request {
            index,
            prompt: Prompt::Text(text_of(&arguments[0][0])),
            kind: RequestKind::LogLikelihood(LogLikelihood { continuations }),
        }
    };
    let requests: Vec<_> = rows.iter().enumerate().map(request).collect();
    let mut worst = 0.0f64;
    for (response, row) in answers(engine, &requests).iter().zip(&rows) {
        assert_prompt(response, row);
        let Answer::Scored(scores) = &response.answer else {
            panic!("not scored")
        };
        let expected = row["resps"].as_array().expect("has responses");
        assert_eq!(scores.len(), expected.len());
        for (score, expected) in scores.iter().zip(expected) {
            let log_prob = expected[0][0].as_f64().expect("is a number");
            worst = worst.max((score.log_prob - log_prob).abs());
            assert_eq!(Some(score.is_greedy), expected[0][1].as_bool());
        }
    }
    eprintln!("{file}: largest difference {worst:.1e}");
    assert!(worst < 1e-3, "{file}: largest difference {worst}");
}

fn texts_agree(engine: &mut LocalEngine, file: &str) {
    let rows = reference(file);
    let request = |(index, row): (usize, &Value)| {
        let arguments = &row["arguments"][0];
        let stops = arguments[1]["until"]
            .as_array()
            .expect("has stops")
            .iter()
            .map(text_of)
            .collect();
        // 256 where the task does not say, as in lm-eval
        let max_new_tokens = arguments[1]["max_gen_toks"].as_u64().unwrap_or(256) as usize;
        let generate = Generate {
            max_new_tokens,
            stops,
            sampling: Sampling::Greedy,
        };
        Request {
            index,
            prompt: Prompt::Text(text_of(&arguments[0])),
            kind: RequestKind::Generate(generate),
        }
    };
    let requests: Vec<_> = rows.iter().enumerate().map(request).collect();
    for (response, row) in answers(engine, &requests).iter().zip(&rows) {
        assert_prompt(response, row);
        let Answer::Generated(generation) = &response.answer else {
            panic!("not generated")
        };
        assert_eq!(
            generation.text,
            text_of(&row["resps"][0][0]),
            "{file}, item {}",
            row["doc_id"]
        );
    }
}

#[test]
fn log_probabilities_are_those_of_lm_eval() {
    let Some(mut engine) = engine("log_probabilities_are_those_of_lm_eval", 16) else {
        return;
    };
    scores_agree(&mut engine, "base.glue.jsonl");
    scores_agree(&mut engine, "base.mmlu.jsonl");
}

#[test]
fn greedy_texts_are_those_of_lm_eval() {
    let Some(mut engine) = engine("greedy_texts_are_those_of_lm_eval", 16) else {
        return;
    };
    texts_agree(&mut engine, "base.local_humaneval.jsonl");
    texts_agree(&mut engine, "base.local_gsm8k.jsonl");
    texts_agree(&mut engine, "base.local_gsm8k_cot.jsonl");
}

#[test]
fn company_changes_no_bit_of_an_answer() {
    let test = "company_changes_no_bit_of_an_answer";
    let Some(mut alone) = engine(test, 1) else {
        return;
    };
    let Some(mut together) = engine(test, 7) else {
        return;
    };
    let chat = |text: &str| Prompt::Chat {
        messages: vec![Message {
            role: Role::User,
            content: text.into(),
        }],
        prefill: None,
    };
    let random = |seed| Sampling::Random {
        temperature: 0.8,
        top_p: 0.95,
        seed,
    };
    let mut requests = Vec::new();
    for (index, text) in [
        "Name three rivers.",
        "What is 17 + 25?",
        "Write a haiku.",
        "Hi",
    ]
    .into_iter()
    .enumerate()
    {
        for (k, sampling) in [Sampling::Greedy, random(1), random(2)]
            .into_iter()
            .enumerate()
        {
            let generate = Generate {
                max_new_tokens: 40,
                stops: vec!["\n\n".into()],
                sampling,
            };
            let kind = RequestKind::Generate(generate);
            requests.push(Request {
                index: index * 4 + k,
                prompt: chat(text),
                kind,
            });
        }
        let continuations = vec![
            " yes, I think so".into(),
            " no, I do not think so".into(),
            " no".into(),
        ];
        let kind = RequestKind::LogLikelihood(LogLikelihood { continuations });
        requests.push(Request {
            index: index * 4 + 3,
            prompt: chat(text),
            kind,
        });
    }
    let (one, many) = (
        answers(&mut alone, &requests),
        answers(&mut together, &requests),
    );
    assert_eq!(one, many);
    let ended = one.iter().filter(
        |response| matches!(&response.answer, Answer::Generated(g) if g.finish != Finish::Length),
    );
    assert!(ended.count() > 0, "some answers end by themselves");
}
