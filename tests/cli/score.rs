//! `evalh score`, `evalh exec`.

use crate::support::{Evalh, has_sandbox};
use serde_json::{Value, json};

/// Two problems of our own in the reference harness's format.
const PROBLEMS: &str = concat!(
    r#"{"task_id":"own/0","prompt":"def one():\n","entry_point":"one","canonical_solution":"    return 1\n","test":"def check(f):\n    assert f() == 1\n"}"#,
    "\n",
    r#"{"task_id":"own/1","prompt":"def two():\n","entry_point":"two","canonical_solution":"    return 2\n","test":"def check(f):\n    assert f() == 2\n"}"#,
    "\n",
);

fn sample(task: &str, completion: &str) -> String {
    json!({ "task_id": task, "completion": completion }).to_string() + "\n"
}

#[test]
fn completions_are_scored_against_problems_of_ones_own() {
    if !has_sandbox("completions_are_scored_against_problems_of_ones_own") {
        return;
    }
    let evalh = Evalh::new();
    evalh.write("problems.jsonl", PROBLEMS);
    let samples = [
        sample("own/0", "    return 1\n"),
        sample("own/0", "    return 3\n"),
        sample("own/1", "    return undefined\n"),
        sample("own/1", "    import sys; sys.exit(0)\n"),
    ];
    evalh.write("samples.jsonl", samples.concat());
    let line =
        "score --suite mini_humaneval --samples samples.jsonl --problems problems.jsonl --k 1,2";
    insta::assert_snapshot!(evalh.shown(&evalh.run(&format!("{line} --quiet"))));

    let results: Vec<Value> = evalh
        .read("samples.jsonl_results.jsonl")
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let outcomes: Vec<_> = results
        .iter()
        .map(|result| result["outcome"].as_str().unwrap())
        .collect();
    assert_eq!(outcomes, ["passed", "failed", "error", "exited"]);
    assert_eq!(results[0]["passed"], true);
    assert_eq!(
        results[2]["outcome_detail"],
        "NameError: name 'undefined' is not defined"
    );

    let shown = evalh.run(&format!("{line} --json"));
    let json: Value = serde_json::from_str(&shown.out).unwrap();
    assert_eq!(json["metrics"]["pass@1"]["value"], 0.25);
    assert_eq!(json["metrics"]["pass@2"]["value"], 0.5);
    assert_eq!(
        json["outcomes"],
        json!({ "passed": 1, "failed": 1, "error": 1, "exited": 1 })
    );
}

#[test]
fn a_program_runs_and_nothing_of_the_host_is_there() {
    if !has_sandbox("a_program_runs_and_nothing_of_the_host_is_there") {
        return;
    }
    let evalh = Evalh::new();
    evalh.write("good.py", "print('hello', 6 * 7)\n");
    let shown = evalh.run("exec good.py --quiet");
    assert_eq!(
        (shown.code, shown.out.as_str(), shown.err.as_str()),
        (Some(0), "hello 42\n", "")
    );

    evalh.write("secret.txt", "secret");
    evalh.write("bad.py", "print(open('secret.txt').read())\n");
    let shown = evalh.run("exec bad.py --json");
    assert_eq!(shown.code, Some(1));
    let json: Value = serde_json::from_str(&shown.out).unwrap();
    assert!(json["outcome"]["error"]["class"].is_string(), "{json}");
    assert!(!shown.out.contains("secret\""));
}

#[test]
fn samples_that_leave_a_problem_out_are_refused() {
    let evalh = Evalh::new();
    evalh.write("problems.jsonl", PROBLEMS);
    evalh.write("samples.jsonl", sample("own/0", "    return 1\n"));
    let line = "score --suite mini_humaneval --samples samples.jsonl --problems problems.jsonl";
    insta::assert_snapshot!(evalh.shown(&evalh.run(line)));
}

#[test]
fn corrupt_lines_are_named() {
    let evalh = Evalh::new();
    evalh.write(
        "problems.jsonl",
        PROBLEMS.replace("\"entry_point\":\"two\"", "\"entry_point\":2"),
    );
    evalh.write("samples.jsonl", sample("own/0", "    return 1\n"));
    let line = "score --suite mini_humaneval --samples samples.jsonl --problems problems.jsonl";
    insta::assert_snapshot!("corrupt_problem", evalh.shown(&evalh.run(line)));

    evalh.write("problems.jsonl", PROBLEMS);
    evalh.write(
        "samples.jsonl",
        sample("own/0", "    return 1\n") + "{\"task_id\": \"own/1\", \n",
    );
    insta::assert_snapshot!("corrupt_sample", evalh.shown(&evalh.run(line)));

    evalh.write("samples.jsonl", sample("own/7", "    return 1\n"));
    insta::assert_snapshot!("stray_sample", evalh.shown(&evalh.run(line)));
}

#[test]
fn a_suite_without_programs_is_refused_before_anything_is_fetched() {
    let evalh = Evalh::new();
    evalh.write("samples.jsonl", "{}\n");
    let shown = evalh.run("score --suite mmlu --samples samples.jsonl");
    assert_eq!(shown.code, Some(2));
    insta::assert_snapshot!(evalh.shown(&shown));
}
