//! Completions made elsewhere: read, checked, scored, written back.

use evalh_record::Outcome;
use evalh_task::{
    TaskError,
    human_eval::{ExternalSamples, Problems, REFERENCE_KS, pass_at_k_estimates},
};
use serde_json::{Value, json};
use std::{fs, path::Path};

fn problems() -> Problems {
    let text = include_str!("../../../datasets/mini/mini_humaneval.jsonl");
    Problems::parse(Path::new("mini_humaneval.jsonl"), text).unwrap()
}

fn line(problem: usize, completion: &str) -> String {
    json!({"task_id": format!("MiniHumanEval/{problem}"), "completion": completion, "model": "m"})
        .to_string()
        + "\n"
}

fn parse(text: &str) -> Result<ExternalSamples, TaskError> {
    ExternalSamples::parse(Path::new("samples.jsonl"), text, &problems())
}

#[track_caller]
fn assert_refused<T>(result: Result<T, TaskError>, parts: &[&str]) {
    let message = result.err().expect("it is refused").to_string();
    for part in parts {
        assert!(message.contains(part), "{part:?} is not in: {message}");
    }
}

#[test]
fn samples_are_counted_by_problem_in_any_order() {
    let text: String = (0..8)
        .rev()
        .chain([0, 0])
        .map(|problem| line(problem, "    pass\n"))
        .collect();
    let samples = parse(&text).unwrap();
    samples.check_all_attempted(&problems()).unwrap();
    let programs: Vec<_> = samples.programs(&problems()).collect();
    assert_eq!(programs[0], problems().all()[7].completed("    pass\n"));
    // Problem 0 has the last three samples; of those the first passes.
    let outcomes: Vec<_> = (0..10)
        .map(|at| {
            if at == 7 {
                Outcome::Passed
            } else {
                Outcome::OutOfMemory
            }
        })
        .collect();
    let tallies = samples.tallies(&problems(), &outcomes);
    assert_eq!(
        (tallies[0].samples, tallies[0].passed, tallies[1].samples),
        (3, 1, 1)
    );
    let found = pass_at_k_estimates(&tallies, &REFERENCE_KS);
    assert_eq!(found.len(), 1, "pass@10 needs 10 samples of every problem");
    assert!((found[0].estimate.value - 1.0 / 24.0).abs() < 1e-15);
}

#[test]
fn bad_lines_are_named() {
    let good = line(0, "x");
    assert_refused(
        parse(&format!("{good}\n{{\"task_id\": \"MiniHumanEval/1\"}}")),
        &["samples.jsonl, line 3", "`completion` is missing"],
    );
    assert_refused(
        parse(&format!("{good}{{\"completion\": \"\"}}")),
        &["line 2", "`task_id` is missing"],
    );
    assert_refused(
        parse(&format!("{good}{}", line(8, ""))),
        &[
            "line 2",
            "`MiniHumanEval/8`",
            "mini_humaneval.jsonl",
            "problem file",
        ],
    );
    assert_refused(parse(&format!("{good}oops")), &["line 2", "not JSON"]);
    assert_refused(parse(" \n"), &["no sample"]);
}

#[test]
fn problems_that_are_not_attempted_stop_the_score() {
    let samples = parse(&(line(2, "") + &line(0, ""))).unwrap();
    assert_refused(
        samples.check_all_attempted(&problems()),
        &[
            "Some problems are not attempted.",
            "6 of 8",
            "`MiniHumanEval/1`",
            "samples.jsonl",
        ],
    );
}

#[test]
fn results_are_written_beside_the_samples() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("mine.jsonl");
    fs::write(
        &path,
        (0..7).map(|problem| line(problem, "ü")).collect::<String>(),
    )
    .unwrap();
    let samples = ExternalSamples::open(&path, &problems()).unwrap();
    let error = |class: &str, message: &str| Outcome::Error {
        class: class.into(),
        message: message.into(),
    };
    let outcomes = [
        Outcome::Passed,
        Outcome::Failed {
            message: String::new(),
        },
        error("NameError", "name 'x' is not defined"),
        Outcome::TimedOut,
        Outcome::OutOfMemory,
        Outcome::Exited { code: 3 },
        Outcome::Crashed {
            reason: "trap".into(),
        },
    ];
    let written = samples.save_results(&outcomes).unwrap();
    assert_eq!(written, dir.path().join("mine.jsonl_results.jsonl"));
    let text = fs::read_to_string(&written).unwrap();
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let expected = [
        ("passed", true, "passed", None),
        ("failed: ", false, "failed", None),
        (
            "failed: name 'x' is not defined",
            false,
            "error",
            Some("NameError: name 'x' is not defined"),
        ),
        ("timed out", false, "timed out", None),
        ("failed: out of memory", false, "out of memory", None),
        ("failed: exited: 3", false, "exited", Some("3")),
        ("failed: crashed: trap", false, "crashed", Some("trap")),
    ];
    for (at, (result, passed, outcome, detail)) in expected.into_iter().enumerate() {
        let line = &lines[at];
        assert_eq!(
            (&line["result"], &line["passed"]),
            (&json!(result), &json!(passed))
        );
        assert_eq!(
            (&line["outcome"], line.get("outcome_detail")),
            (&json!(outcome), detail.map(|d| json!(d)).as_ref())
        );
        assert_eq!(
            (&line["model"], &line["completion"]),
            (&json!("m"), &json!("ü"))
        );
        assert_eq!(line["task_id"], format!("MiniHumanEval/{at}"));
    }
    assert_eq!(lines.len(), 7);
    // Scoring the results again replaces what they say.
    let again = ExternalSamples::open(&written, &problems()).unwrap();
    let mut second = Vec::new();
    again
        .write_results(&vec![Outcome::TimedOut; 7], &mut second)
        .unwrap();
    assert!(
        !String::from_utf8(second)
            .unwrap()
            .contains("outcome_detail")
    );
    assert_eq!(
        fs::read_dir(dir.path()).unwrap().count(),
        2,
        "nothing else is left in the folder"
    );
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("mine.jsonl");
    fs::write(&path, line(0, "")).unwrap();
    let samples = ExternalSamples::open(&path, &problems()).unwrap();
    drop(dir);
    assert_refused(
        samples.save_results(&[Outcome::Passed]),
        &["write", "mine.jsonl_results.jsonl", "writable"],
    );
}
