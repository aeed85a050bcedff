//! All prompts of whole benchmarks against lm-eval 0.4.13, by digest: `tools/make_suite_reference.py` made them.
#![allow(missing_docs)]

mod common;

use evalh_record::{Prompt, Request, RequestKind, sha256_bytes};
use evalh_task::{Chat, TaskOptions, find_suite};
use serde_json::Value;

/// The bytes of a prompt that `canonical` in `tools/suite_reference/harness.py` takes.
fn canonical(request: &Request, bytes: &mut Vec<u8>) {
    let mut texts: Vec<&str> = Vec::new();
    let mut is_begun = false;
    match &request.prompt {
        Prompt::Text(text) => texts.push(text),
        Prompt::Chat { messages, prefill } => {
            for message in messages {
                texts.push(match message.role {
                    evalh_record::Role::System => "system",
                    evalh_record::Role::User => "user",
                    evalh_record::Role::Assistant => "assistant",
                });
                texts.push(&message.content);
            }
            if let Some(prefill) = prefill {
                texts.extend(["assistant", prefill]);
                is_begun = true;
            }
        }
        prompt @ Prompt::Pair { .. } => panic!("{prompt:?}"),
    }
    let mut push = |text: &str| {
        bytes.extend(text.as_bytes());
        bytes.push(0);
    };
    texts.into_iter().for_each(&mut push);
    if is_begun {
        bytes.push(1);
    }
    if let RequestKind::LogLikelihood(asked) = &request.kind {
        for continuation in &asked.continuations {
            bytes.extend(continuation.as_bytes());
            bytes.push(0);
        }
    }
    bytes.push(b'\n');
}

#[test]
fn whole_benchmarks_are_asked_as_lm_eval_asks_them() {
    let Some(shared) = common::shared("whole_benchmarks_are_asked_as_lm_eval_asks_them") else {
        return;
    };
    let cases: Vec<Value> =
        serde_json::from_str(include_str!("data/lm_eval_digests.json")).unwrap();
    assert_eq!(cases.len(), 16);
    for case in cases {
        let suite = case["suite"].as_str().unwrap();
        let chat = case["chat"].as_object().map(|chat| Chat {
            system: chat["system"].as_str().map(str::to_owned),
            shots_as_turns: chat["shots_as_turns"] == true,
        });
        let options = TaskOptions {
            has_chat_template: chat.is_some(),
            chat,
            tasks: serde_json::from_value(case["tasks"].clone()).unwrap(),
            shots: Some(case["shots"].as_u64().unwrap() as usize),
            shot_seed: case["seed"].as_u64(),
            ..TaskOptions::default()
        };
        let folder = suite.split('_').next().unwrap();
        let data = common::shared_data(&shared, folder);
        let task = find_suite(suite).unwrap().open(&data, &options).unwrap();
        let requests = task.requests();
        assert_eq!(
            requests.len() as u64,
            case["items"].as_u64().unwrap(),
            "{case}"
        );
        let mut bytes = Vec::new();
        for request in &requests {
            canonical(request, &mut bytes);
        }
        assert_eq!(
            sha256_bytes(&bytes).as_str(),
            case["sha256"].as_str().unwrap(),
            "{case}"
        );
    }
}
