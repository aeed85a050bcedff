//! What is asked, against lm-eval's own texts, and what comes back.

mod common;

use common::{mini, options, response, samples, shared};
use evalh_record::{Answer, Generate, Prompt, Request, RequestKind, Role, Sampling};
use evalh_task::{
    DataFiles, Judgement, TaskOptions, find_suite, human_eval::Protocol, sample, score_name,
};
use serde_json::Value;
use std::{fs, path::PathBuf};

fn lm_eval() -> Value {
    serde_json::from_str(include_str!("data/lm_eval.json")).unwrap()
}

fn generate(request: &Request) -> &Generate {
    match &request.kind {
        RequestKind::Generate(generate) => generate,
        _ => panic!("text is asked for"),
    }
}

fn text(request: &Request) -> &str {
    match &request.prompt {
        Prompt::Text(text) => text,
        _ => panic!("a raw prompt is expected"),
    }
}

fn jsonl(text: &str) -> impl Iterator<Item = Value> + '_ {
    text.lines().map(|line| serde_json::from_str(line).unwrap())
}

#[test]
fn completion_is_lm_evals_humaneval() {
    let expected = lm_eval();
    let requests = mini(&options("completion", true)).requests();
    for (request, item) in requests.iter().zip(expected["items"].as_array().unwrap()) {
        assert_eq!(text(request), item["completion"]);
        assert_eq!(
            serde_json::json!(generate(request).stops),
            expected["until"]
        );
        assert_eq!(
            serde_json::json!(generate(request).max_new_tokens),
            expected["max_gen_toks"]
        );
        assert_eq!(generate(request).sampling, Sampling::Greedy);
    }
    assert_eq!(requests.len(), 8);
}

#[test]
fn prefill_is_lm_evals_humaneval_instruct() {
    let expected = lm_eval();
    let items = expected["items"].as_array().unwrap();
    for (request, item) in mini(&options("prefill", true)).requests().iter().zip(items) {
        let Prompt::Chat { messages, prefill } = &request.prompt else {
            panic!("a chat is expected")
        };
        assert_eq!((messages.len(), messages[0].role), (1, Role::User));
        assert_eq!(messages[0].content, item["user"]);
        assert_eq!(prefill.as_deref(), item["prefill"].as_str());
        assert_eq!(
            serde_json::json!(generate(request).stops),
            expected["until"]
        );
        assert_eq!(
            serde_json::json!(generate(request).max_new_tokens),
            expected["max_gen_toks"]
        );
    }
    for (request, item) in mini(&options("prefill", false))
        .requests()
        .iter()
        .zip(items)
    {
        assert_eq!(
            text(request),
            format!(
                "{}{}",
                item["user"].as_str().unwrap(),
                item["prefill"].as_str().unwrap()
            )
        );
    }
}

#[test]
fn programs_are_lm_evals_predictions_and_references() {
    let expected = lm_eval();
    for protocol in ["completion", "prefill"] {
        let task = mini(&options(protocol, true));
        let requests = task.requests();
        for case in expected["responses"].as_array().unwrap() {
            let judgement = task
                .judge(&response(&requests[0], case["text"].as_str().unwrap()))
                .unwrap();
            let Judgement::Run(program) = judgement else {
                panic!("a program runs")
            };
            assert_eq!(program.code, case[protocol].as_str().unwrap());
            assert_eq!(
                program.tests,
                expected["items"][0]["target"].as_str().unwrap()
            );
        }
    }
}

#[test]
fn chat_asks_for_a_whole_script_and_runs_its_block() {
    let task = mini(&options("chat", true));
    let requests = task.requests();
    let Prompt::Chat { messages, prefill } = &requests[1].prompt else {
        panic!("a chat is expected")
    };
    let content = &messages[0].content;
    assert!(content.starts_with(
        "Please provide a self-contained Python script that solves the following problem in a markdown code block:\n\
         ```python\nfrom typing import List\n\n\ndef running_total"
    ));
    assert!(
        content.ends_with("    \"\"\"\n```"),
        "the white space around the prompt is left out"
    );
    assert_eq!(*prefill, None);
    assert!(generate(&requests[1]).stops.is_empty());
    assert_eq!(generate(&requests[1]).max_new_tokens, 512);

    let answer = response(
        &requests[1],
        "Sure!\n```python\ndef running_total(v: List[int]):\n    return v\n```\nDone.",
    );
    let Judgement::Run(program) = task.judge(&answer).unwrap() else {
        panic!("a program runs")
    };
    assert_eq!(
        program.code,
        "from typing import List\ndef running_total(v: List[int]):\n    return v\n"
    );
    assert!(program.tests.ends_with("\ncheck(running_total)"));
}

#[test]
fn the_default_protocol_follows_the_checkpoint_and_is_in_the_name() {
    let suite = find_suite("humaneval").unwrap();
    assert_eq!(
        (suite.default_protocol(true), suite.default_protocol(false)),
        ("chat", "completion")
    );
    let default = |has_chat_template| {
        mini(&TaskOptions {
            has_chat_template,
            ..TaskOptions::default()
        })
    };
    assert_eq!(
        score_name(suite.name(), default(true).protocol()),
        "humaneval (chat)"
    );
    assert_eq!(default(false).protocol(), "completion");
    assert_eq!(Protocol::ALL.map(Protocol::name), Protocol::NAMES);
}

#[test]
fn protocols_that_are_not_possible_are_refused() {
    let suite = find_suite("mini_humaneval").unwrap();
    let unknown = suite
        .open(&DataFiles::default(), &options("instruct", true))
        .err()
        .unwrap()
        .to_string();
    assert!(
        unknown.contains("`instruct` is unknown") && unknown.contains("completion, prefill, chat"),
        "{unknown}"
    );
    let chat = suite
        .open(&DataFiles::default(), &options("chat", false))
        .err()
        .unwrap()
        .to_string();
    assert!(
        chat.contains("chat template") && chat.contains("choose completion"),
        "{chat}"
    );
}

#[test]
fn limit_samples_and_seeds_make_a_stable_plan() {
    let plan = TaskOptions {
        limit: Some(3),
        samples: 4,
        temperature: 0.8,
        seed: 11,
        ..options("completion", false)
    };
    let task = mini(&plan);
    let requests = task.requests();
    assert_eq!(requests.len(), 12);
    assert!(
        requests
            .iter()
            .enumerate()
            .all(|(at, request)| request.index == at)
    );
    let slot = task.slot(6).unwrap();
    assert_eq!(
        (slot.item, slot.position, slot.sample),
        ("MiniHumanEval/1", 1, 2)
    );
    assert_eq!(task.slot(12), None);

    let whole = mini(&TaskOptions {
        limit: None,
        ..plan.clone()
    })
    .requests();
    assert_eq!(
        requests,
        whole[..12],
        "the limit changes nothing in the requests it keeps"
    );
    let beyond = mini(&TaskOptions {
        limit: Some(99),
        ..plan.clone()
    })
    .requests();
    assert_eq!(beyond, whole);

    let seed = |request: &Request| match generate(request).sampling {
        Sampling::Random {
            temperature,
            top_p,
            seed,
        } => {
            assert!((temperature - 0.8).abs() < 1e-6 && (top_p - 0.95).abs() < 1e-6);
            seed
        }
        Sampling::Greedy => panic!("samples are drawn"),
    };
    let mut seeds: Vec<u64> = whole.iter().map(seed).collect();
    let other = mini(&TaskOptions {
        seed: 12,
        ..plan.clone()
    })
    .requests();
    seeds.extend(other.iter().map(seed));
    seeds.sort_unstable();
    seeds.dedup();
    assert_eq!(seeds.len(), 32 + 12);
}

#[test]
fn settings_hold_what_can_change_a_score() {
    let plan = TaskOptions {
        limit: Some(3),
        max_new_tokens: Some(64),
        ..options("chat", true)
    };
    let settings = mini(&plan).settings();
    assert_eq!(
        (settings.name.as_str(), settings.protocol.as_str()),
        ("mini_humaneval", "chat")
    );
    assert_eq!(
        (
            settings.items,
            settings.limit,
            settings.samples,
            settings.max_new_tokens
        ),
        (3, Some(3), 1, Some(64))
    );
    assert_eq!(settings.data[0].name, "mini_humaneval.jsonl");
    let file = include_bytes!("../../../datasets/mini/mini_humaneval.jsonl");
    assert_eq!(settings.data[0].sha256, evalh_record::sha256_bytes(file));
}

#[test]
fn rows_are_the_unbiased_estimates() {
    let task = mini(&TaskOptions {
        limit: Some(2),
        samples: 4,
        temperature: 0.5,
        ..options("completion", false)
    });
    // Item 0 passes once in four, item 1 always.
    let mut all = samples(&*task, "base", |index| index == 2 || index >= 4);
    all.extend(samples(&*task, "tuned", |_| false));
    let rows = task.rows("base", &all).unwrap();
    let found: Vec<_> = rows
        .iter()
        .map(|row| (row.metric.as_str(), row.n, row.value))
        .collect();
    assert_eq!(found, [("pass@1", 2, 0.625), ("pass@4", 2, 1.0)]);
    assert!((rows[0].stderr.unwrap() - 0.375).abs() < 1e-12);
    assert_eq!(
        (rows[0].suite.as_str(), rows[0].protocol.as_str()),
        ("mini_humaneval", "completion")
    );
    assert!(
        task.rows("tuned", &all)
            .unwrap()
            .iter()
            .all(|row| row.value == 0.0)
    );

    let error = task.rows("base", &all[..7]).unwrap_err().to_string();
    assert!(
        error.contains("3 samples of `MiniHumanEval/1`") && error.contains("resume"),
        "{error}"
    );
    let mut twice = all[..7].to_vec();
    twice.push(all[6].clone());
    assert!(
        task.rows("base", &twice).is_err(),
        "a repeated sample is not a further one"
    );
    assert!(task.rows("nobody", &all).is_err());
}

#[test]
fn a_response_of_another_request_is_refused() {
    let task = mini(&options("completion", false));
    let request = task.requests().remove(7);
    let stranger = response(
        &Request {
            index: 8,
            ..request.clone()
        },
        "",
    );
    assert!(
        task.judge(&stranger)
            .unwrap_err()
            .to_string()
            .contains("no request has this index")
    );
    let mut scored = response(&request, "");
    scored.answer = Answer::Scored(Vec::new());
    assert!(
        task.judge(&scored)
            .unwrap_err()
            .to_string()
            .contains("text was asked for")
    );
    let Judgement::Run(program) = task.judge(&response(&request, "")).unwrap() else {
        panic!("a program runs")
    };
    assert!(
        sample(
            &*task,
            "base",
            stranger,
            program.scored(evalh_record::Outcome::Passed)
        )
        .is_err()
    );
}

#[test]
fn reference_prompts_of_lm_eval_are_reproduced() {
    let Some(shared) = shared("reference_prompts_of_lm_eval_are_reproduced") else {
        return;
    };
    let plan = TaskOptions {
        max_new_tokens: Some(256),
        ..options("completion", true)
    };
    let data = shared.join("datasets/humaneval/HumanEval.jsonl");
    let task = find_suite("humaneval")
        .unwrap()
        .open(
            &DataFiles {
                root: PathBuf::new(),
                files: vec![data],
            },
            &plan,
        )
        .unwrap();
    let requests = task.requests();
    assert_eq!(requests.len(), 164);

    let prompts = fs::read_to_string(shared.join("reference/prompts.humaneval.jsonl")).unwrap();
    let mut compared = 0;
    for prompt in jsonl(&prompts) {
        let request = &requests[prompt["doc_id"].as_u64().unwrap() as usize];
        assert_eq!(text(request), prompt["context"]);
        assert_eq!(
            serde_json::json!(generate(request).stops),
            prompt["gen_kwargs"]["until"]
        );
        assert_eq!(
            serde_json::json!(generate(request).max_new_tokens),
            prompt["gen_kwargs"]["max_gen_toks"]
        );
        compared += 1;
    }
    assert_eq!(compared, 82);

    let answers = fs::read_to_string(shared.join("reference/base.local_humaneval.jsonl")).unwrap();
    for answer in jsonl(&answers) {
        let request = &requests[answer["doc_id"].as_u64().unwrap() as usize];
        let judgement = task
            .judge(&response(request, answer["resps"][0][0].as_str().unwrap()))
            .unwrap();
        let Judgement::Run(program) = judgement else {
            panic!("a program runs")
        };
        assert_eq!(
            program.code,
            answer["filtered_resps"][0][0].as_str().unwrap()
        );
        assert_eq!(program.tests, answer["target"].as_str().unwrap());
    }
}
