//! What several tests need.
#![allow(dead_code, missing_docs, reason = "each test binary uses its part")]

use evalh_record::{
    Answer, ContinuationScore, Finish, Generation, Outcome, Request, Response, Sample, sha256_bytes,
};
use evalh_task::{DataFiles, Judgement, Task, TaskOptions, find_suite, sample};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

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

/// The rows of a file of JSON Lines.
pub fn lines(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// The data of a suite in the folder `shared`.
pub fn shared_data(shared: &Path, folder: &str) -> DataFiles {
    DataFiles {
        root: shared.join("datasets").join(folder),
        files: Vec::new(),
    }
}

/// The GLUE tasks of which `shared` has the development sets.
pub const GLUE_TASKS: [&str; 6] = ["cola", "mrpc", "qnli", "rte", "sst2", "wnli"];

/// A suite over the data in `shared`, GLUE without the tasks that are not there.
pub fn reference_task(shared: &Path, suite: &str, folder: &str) -> Box<dyn Task> {
    let tasks = if suite == "glue_prompt" {
        GLUE_TASKS.map(str::to_owned).to_vec()
    } else {
        Vec::new()
    };
    let options = TaskOptions {
        tasks,
        ..TaskOptions::default()
    };
    let suite = find_suite(suite).unwrap();
    suite.open(&shared_data(shared, folder), &options).unwrap()
}

/// The requests by their items' ids.
pub fn requests_by_item(task: &dyn Task) -> BTreeMap<String, Request> {
    let requests = task.requests().into_iter();
    requests
        .map(|request| (task.slot(request.index).unwrap().item.to_owned(), request))
        .collect()
}

pub fn scored_response(request: &Request, scores: Vec<ContinuationScore>) -> Response {
    Response {
        answer: Answer::Scored(scores),
        ..response(request, "")
    }
}
