//! Files of problems: good ones load, corrupt ones are refused with file, line, field and remedy.

mod common;

use common::shared;
use evalh_task::{DataFiles, DataSource, TaskError, TaskOptions, find_suite, human_eval::Problems};
use flate2::{Compression, write::GzEncoder};
use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};

const MINI: &str = include_str!("../../../datasets/mini/mini_humaneval.jsonl");

fn parse(text: &str) -> Result<Problems, TaskError> {
    Problems::parse(Path::new("problems.jsonl"), text)
}

#[track_caller]
fn assert_refused<T>(result: Result<T, TaskError>, parts: &[&str]) {
    let message = result.err().expect("it is refused").to_string();
    for part in parts {
        assert!(message.contains(part), "{part:?} is not in: {message}");
    }
}

#[test]
fn the_built_in_problems_load() {
    let problems = parse(MINI).unwrap();
    assert_eq!(problems.all().len(), 8);
    assert_eq!(problems.position("MiniHumanEval/3"), Some(3));
    let program = problems.all()[0].canonical().unwrap();
    assert!(
        program.code.starts_with("def count_vowels") && program.code.ends_with("text.lower())\n")
    );
    assert!(program.tests.ends_with("\n\ncheck(count_vowels)"));
}

#[test]
fn blank_lines_are_passed_over_and_line_numbers_kept() {
    let text = format!("\n  \n{}\n\r\n{{\n", MINI.lines().next().unwrap());
    assert_refused(
        parse(&text),
        &["problems.jsonl, line 5", "not JSON", "fetch the file again"],
    );
}

#[test]
fn every_damaged_line_is_named() {
    let good = r#"{"task_id": "T/0", "prompt": "def f():\n", "entry_point": "f", "canonical_solution": "", "test": ""}"#;
    parse(good).unwrap();
    let cases = [
        (
            good.replace("\"prompt\"", "\"promt\""),
            "field `prompt` is missing",
        ),
        (
            good.replace("\"task_id\": \"T/0\", ", ""),
            "field `task_id` is missing",
        ),
        (
            good.replace("\"T/0\"", "0"),
            "field `task_id` is not a string",
        ),
        (good.replace("\"T/0\"", "\"\""), "field `task_id` is empty"),
        (
            good.replace(", \"test\": \"\"", ""),
            "field `test` is missing",
        ),
        (good.replace("\"f\"", "\"\""), "field `entry_point` is ``"),
        (
            good.replace("\"f\"", "\"f)\\nimport os\\n(\""),
            "field `entry_point`",
        ),
        (
            good.replace("solution\": \"\"", "solution\": null"),
            "field `canonical_solution` is not a string",
        ),
        ("[1, 2]".to_owned(), "not a JSON object"),
        (good[..good.len() - 9].to_owned(), "not JSON"),
        (good.replace("T/0", "A/0"), "field `task_id` repeats `A/0`"),
    ];
    for (line, problem) in cases {
        let text = format!("{}\n{line}\n", good.replace("T/0", "A/0"));
        assert_refused(parse(&text), &["problems.jsonl, line 2", problem, ";"]);
    }
    parse(&good.replace(", \"canonical_solution\": \"\"", "")).unwrap();
    assert_refused(parse("\n\n"), &["problems.jsonl", "no problem"]);
}

#[test]
fn gzipped_files_load_with_the_same_identity() {
    let dir = tempfile::tempdir().unwrap();
    let (plain, packed) = (
        dir.path().join("mine.jsonl"),
        dir.path().join("mine.jsonl.gz"),
    );
    fs::write(&plain, MINI).unwrap();
    let mut encoder = GzEncoder::new(fs::File::create(&packed).unwrap(), Compression::fast());
    encoder.write_all(MINI.as_bytes()).unwrap();
    encoder.finish().unwrap();
    let (plain, unpacked) = (
        Problems::open(&plain).unwrap(),
        Problems::open(&packed).unwrap(),
    );
    assert_eq!(plain.identity(), unpacked.identity());
    assert_eq!(plain.identity().name, "mine.jsonl");

    let bytes = fs::read(&packed).unwrap();
    fs::write(&packed, &bytes[..bytes.len() / 2]).unwrap();
    assert_refused(Problems::open(&packed), &["mine.jsonl.gz", "damaged"]);
}

#[test]
fn files_that_are_no_text_or_not_there_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("mine.jsonl");
    assert_refused(Problems::open(&path), &["mine.jsonl", ".jsonl.gz"]);
    fs::write(&path, b"{}\n\xff\xfe").unwrap();
    assert_refused(Problems::open(&path), &["mine.jsonl, line 2", "not UTF-8"]);
}

#[test]
fn the_suite_insists_on_its_own_file_and_count() {
    let suite = find_suite("humaneval").unwrap();
    let open = |files: &[PathBuf]| {
        let data = DataFiles {
            root: PathBuf::new(),
            files: files.to_vec(),
        };
        suite.open(&data, &TaskOptions::default()).map(|_| ())
    };
    assert_refused(open(&[]), &["use humaneval", "HumanEval.jsonl"]);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("HumanEval.jsonl");
    fs::write(&path, MINI).unwrap();
    assert_refused(
        open(std::slice::from_ref(&path)),
        &["HumanEval.jsonl", "holds 8 problems", "has 164"],
    );
    let others = [dir.path().join("LICENSE"), path];
    assert_refused(open(&others), &["holds 8 problems"]);
    assert_eq!(suite.data(), DataSource::Artifact("humaneval".into()));
    let mini = find_suite("mini_humaneval").unwrap();
    assert_eq!(mini.data(), DataSource::BuiltIn);
}

#[test]
fn the_published_problems_load() {
    let Some(shared) = shared("the_published_problems_load") else {
        return;
    };
    let path = shared.join("datasets/humaneval/HumanEval.jsonl");
    let data = DataFiles {
        root: PathBuf::new(),
        files: vec![path],
    };
    let problems = find_suite("humaneval").unwrap().problems(&data).unwrap();
    assert_eq!(problems.all().len(), 164);
    assert_eq!(
        problems.identity().sha256.as_str(),
        "1d49078ba3e2b196b9344535bef34a43021f038fad9561d6ee7c53450609a6a2"
    );
    for (at, problem) in problems.all().iter().enumerate() {
        assert_eq!(problem.task_id, format!("HumanEval/{at}"));
        assert!(problem.canonical_solution.is_some());
    }
}
