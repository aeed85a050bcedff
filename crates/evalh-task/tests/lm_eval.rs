//! Definitions against lm-eval 0.4.13 itself: `tools/make_suite_reference.py` made the reference values.
#![allow(missing_docs)]

mod common;

use common::{response, scored_response};
use evalh_record::{ContinuationScore, Prompt, Request, RequestKind};
use evalh_task::{Chat, DataFiles, DataSource, Judgement, Scored, Task, TaskOptions, open_suite};
use serde_json::Value;
use std::fmt::Write as _;

/// A folder with the invented rows and a definition for each case.
struct Cases {
    folder: tempfile::TempDir,
    all: Vec<Value>,
}

impl Cases {
    fn new() -> Cases {
        let mut reference: Value =
            serde_json::from_str(include_str!("data/lm_eval_cases.json")).unwrap();
        let folder = tempfile::tempdir().unwrap();
        for (split, rows) in [("test", "rows"), ("pool", "pool")] {
            let mut text = String::new();
            for row in reference[rows].as_array().unwrap() {
                writeln!(text, "{row}").unwrap();
            }
            std::fs::write(folder.path().join(format!("{split}.jsonl")), text).unwrap();
        }
        let Value::Array(all) = reference["cases"].take() else {
            panic!("cases are a list")
        };
        for case in &all {
            let name = case["name"].as_str().unwrap();
            let text = format!(
                "name = \"{name}\"\ndescription = \"invented\"\n[[layout]]\nitems = {{ file = \"test.jsonl\" }}\n\
                 shots = {{ file = \"{}.jsonl\" }}\n[protocol.plain]\n{}",
                case["pool"].as_str().unwrap(),
                case["protocol"].as_str().unwrap()
            );
            std::fs::write(folder.path().join(format!("{name}.toml")), text).unwrap();
        }
        Cases { folder, all }
    }

    fn open(&self, case: &Value, chat: Option<Chat>) -> Box<dyn Task> {
        let name = case["name"].as_str().unwrap();
        let suite = open_suite(&self.folder.path().join(format!("{name}.toml"))).unwrap();
        assert_eq!(
            suite.data(),
            DataSource::Folder(self.folder.path().to_owned())
        );
        let has_shots = case["protocol"].as_str().unwrap().contains("shots");
        let options = TaskOptions {
            has_chat_template: chat.is_some(),
            chat,
            shots: has_shots.then(|| case["shots"].as_u64().unwrap() as usize),
            shot_seed: has_shots.then(|| case["seed"].as_u64().unwrap()),
            ..TaskOptions::default()
        };
        let data = DataFiles {
            root: self.folder.path().to_owned(),
            files: Vec::new(),
        };
        suite.open(&data, &options).unwrap()
    }
}

fn chat_of(chat: &Value) -> Option<Chat> {
    chat.is_object().then(|| Chat {
        system: chat["system"].as_str().map(str::to_owned),
        shots_as_turns: chat["shots_as_turns"].as_bool().unwrap(),
    })
}

/// The prompt as the stub of a chat template in `tools/suite_reference/harness.py` keeps it.
fn shown(request: &Request) -> Value {
    let mut shown = serde_json::json!({ "continuations": [] });
    match &request.prompt {
        Prompt::Text(text) => shown["context"] = text.as_str().into(),
        Prompt::Chat { messages, prefill } => {
            let mut messages = serde_json::to_value(messages).unwrap();
            if let Some(prefill) = prefill {
                let begun = serde_json::json!({ "role": "assistant", "content": prefill });
                messages.as_array_mut().unwrap().push(begun);
            }
            shown["messages"] = messages;
            shown["add_generation_prompt"] = prefill.is_none().into();
        }
        prompt @ Prompt::Pair { .. } => panic!("{prompt:?}"),
    }
    match &request.kind {
        RequestKind::LogLikelihood(asked) => {
            shown["continuations"] = serde_json::json!(asked.continuations);
        }
        RequestKind::Generate(asked) => shown["until"] = serde_json::json!(asked.stops),
        kind => panic!("{kind:?}"),
    }
    shown
}

#[test]
fn prompts_and_chats_of_invented_tasks_are_lm_evals() {
    let cases = Cases::new();
    let mut compared = 0;
    for case in &cases.all {
        for prompts in case["prompts"].as_array().unwrap() {
            let task = cases.open(case, chat_of(&prompts["chat"]));
            let expected = prompts["items"].as_array().unwrap();
            let requests = task.requests();
            assert_eq!(requests.len(), expected.len());
            for (request, expected) in requests.iter().zip(expected) {
                let (name, chat) = (&case["name"], &prompts["chat"]);
                assert_eq!(shown(request), *expected, "{name} {chat} {}", request.index);
                compared += 1;
            }
        }
    }
    assert_eq!(compared, 15 * 5 * 5);
}

#[test]
fn scores_of_invented_answers_are_lm_evals() {
    let cases = Cases::new();
    let (mut scores, mut readings) = (0, 0);
    for case in &cases.all {
        let task = cases.open(case, None);
        let requests = task.requests();
        let request = |row: &Value| &requests[row["item"].as_u64().unwrap() as usize];
        for row in case["scores"].as_array().unwrap() {
            let log_probs = row["log_probs"].as_array().unwrap().iter();
            let answers = log_probs.map(|log_prob| ContinuationScore {
                log_prob: log_prob.as_f64().unwrap(),
                tokens: 1,
                is_greedy: false,
            });
            let scored = judged(&*task, &scored_response(request(row), answers.collect()));
            let headline = &task.rows_headline();
            for (name, score) in row["scores"].as_object().unwrap() {
                let own = (name == headline).then_some(scored.score);
                let found = own.or_else(|| scored.scores.get(name).copied()).unwrap();
                assert_eq!(*score, found, "{} {row} {name}", case["name"]);
                scores += 1;
            }
        }
        for row in case["readings"].as_array().unwrap() {
            let answer = row["answer"].as_str().unwrap();
            let scored = judged(&*task, &response(request(row), answer));
            for (place, (filter, read)) in row["filters"].as_object().unwrap().iter().enumerate() {
                let what = format!("{} {row} {filter}", case["name"]);
                if place == 0 {
                    assert_eq!(read["score"], scored.score, "{what}");
                    if filter != "none" {
                        assert_eq!(read["text"].as_str(), scored.extracted.as_deref(), "{what}");
                    }
                } else {
                    let found = scored.scores[&format!("exact_match,{filter}")];
                    assert_eq!(read["score"], found, "{what}");
                }
                readings += 1;
            }
        }
    }
    assert_eq!((scores, readings), (10 * 5 * 6 * 3, 5 * 5 * 14 + 5 * 14));
}

fn judged(task: &dyn Task, response: &evalh_record::Response) -> Scored {
    let Judgement::Scored(scored) = task.judge(response).unwrap() else {
        panic!("read off the response")
    };
    scored
}

/// The name of the metric that a sample's own score stands for.
trait Headline {
    fn rows_headline(&self) -> String;
}

impl Headline for dyn Task + '_ {
    fn rows_headline(&self) -> String {
        let samples: Vec<_> = self
            .requests()
            .iter()
            .map(|request| {
                let RequestKind::LogLikelihood(asked) = &request.kind else {
                    panic!("choices are asked")
                };
                let score = ContinuationScore {
                    log_prob: -1.0,
                    tokens: 1,
                    is_greedy: false,
                };
                let response = scored_response(request, vec![score; asked.continuations.len()]);
                let scored = judged(self, &response);
                evalh_task::sample(self, "base", response, scored).unwrap()
            })
            .collect();
        self.rows("base", &samples).unwrap()[0].metric.clone()
    }
}
