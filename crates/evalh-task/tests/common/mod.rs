//! What several tests need.
#![allow(dead_code, missing_docs, reason = "each test binary uses its part")]

use evalh_record::{Answer, Finish, Generation, Outcome, Request, Response, Sample, sha256_bytes};
use evalh_task::{DataFiles, Judgement, Task, TaskOptions, find_suite, sample};
use std::path::PathBuf;

/// The folder `shared` beside the checkout, or a note that the test is skipped.
pub fn shared(test: &str) -> Option<PathBuf> {
    let path = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared"));
    if !path.is_dir() {
        eprintln!("skipped {test}: ../shared is absent");
        return None;
    }
    Some(path)
}

pub fn options(protocol: &str, has_chat_template: bool) -> TaskOptions {
    TaskOptions {
        protocol: Some(protocol.into()),
        has_chat_template,
        ..TaskOptions::default()
    }
}

pub fn mini(options: &TaskOptions) -> Box<dyn Task> {
    find_suite("mini_humaneval")
        .unwrap()
        .open(&DataFiles::default(), options)
        .unwrap()
}

pub fn response(request: &Request, text: &str) -> Response {
    Response {
        index: request.index,
        prompt_sha256: sha256_bytes(b"prompt"),
        prompt_tokens: 3,
        truncated_tokens: 0,
        answer: Answer::Generated(Generation {
            text: text.into(),
            tokens: 2,
            finish: Finish::Eos(0),
        }),
    }
}

/// A sample of every request, passed where `passes` says so.
pub fn samples(task: &dyn Task, variant: &str, passes: impl Fn(usize) -> bool) -> Vec<Sample> {
    task.requests()
        .iter()
        .map(|request| {
            let response = response(request, "    return 1\n");
            let Judgement::Run(program) = task.judge(&response).unwrap() else {
                panic!("a program runs")
            };
            let outcome = if passes(request.index) {
                Outcome::Passed
            } else {
                Outcome::TimedOut
            };
            sample(task, variant, response, program.scored(outcome)).unwrap()
        })
        .collect()
}
