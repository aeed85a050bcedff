//! The programs of `QuixBugs` in both layouts: all of them, the same from either, and errors that name what is wrong.

mod common;

use common::shared;
use evalh_task::{
    DataFiles, TaskError, find_suite,
    quixbugs::{Items, QuixBugsRepair},
};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// A program of this project's own in upstream's form.
fn own() -> Value {
    json!({
        "name": "double",
        "buggy": "def double(x):\n    return x + 1\n\n\n\"\"\"\nDouble\n\nOutput:\n    Twice x\n\"\"\"\n",
        "correct": "\ndef double(x):\n    return x + x\n\n\"\"\"\ndef double(x):\n    return 2 * x\n\"\"\"\n",
        "cases": [[[1], 2], [3, 6]],
        "pytest": null,
    })
}

fn with(field: &str, value: Value) -> Value {
    let mut item = own();
    item[field] = value;
    item
}

fn parse(text: &str) -> Result<Items, TaskError> {
    Items::parse((Path::new("quixbugs.jsonl"), text), None)
}

#[track_caller]
fn assert_refused<T>(result: Result<T, TaskError>, parts: &[&str]) {
    let message = result.err().expect("it is refused").to_string();
    for part in parts {
        assert!(message.contains(part), "{part:?} is not in: {message}");
    }
}

fn data(root: &Path) -> DataFiles {
    DataFiles {
        root: root.to_owned(),
        files: Vec::new(),
    }
}

/// Writes the programs of a file of JSON Lines as a checkout of upstream.
fn write_checkout(root: &Path, jsonl: &str, node: &str) {
    let write = |folder: &str, file: String, text: &str| {
        fs::create_dir_all(root.join(folder)).unwrap();
        fs::write(root.join(folder).join(file), text).unwrap();
    };
    write("python_programs", "node.py".into(), node);
    for line in jsonl.lines() {
        let item: Value = serde_json::from_str(line).unwrap();
        let name = item["name"].as_str().unwrap();
        let text = |field: &str| item[field].as_str();
        write(
            "python_programs",
            format!("{name}.py"),
            text("buggy").unwrap(),
        );
        write(
            "correct_python_programs",
            format!("{name}.py"),
            text("correct").unwrap(),
        );
        // Every program of upstream has a test module; those that compare case by case are not kept.
        let generic = "def test(): ...\n";
        write(
            "python_testcases",
            format!("test_{name}.py"),
            text("pytest").unwrap_or(generic),
        );
        if let Some(cases) = item["cases"].as_array() {
            let lines: Vec<String> = cases.iter().map(Value::to_string).collect();
            write(
                "json_testcases",
                format!("{name}.json"),
                &(lines.join("\n") + "\n"),
            );
        }
    }
}

#[test]
fn a_program_is_read() {
    let items = parse(&own().to_string()).unwrap();
    let item = &items.all()[0];
    assert_eq!(item.signature(), "def double(x):");
    assert_eq!(item.buggy_code(), "def double(x):\n    return x + 1");
    assert_eq!(item.correct_code(), "def double(x):\n    return x + x");
    assert_eq!(
        item.specification(),
        "\"\"\"\nDouble\n\nOutput:\n    Twice x\n\"\"\""
    );
    // A lone argument is put into a list.
    assert_eq!(item.cases.as_ref().unwrap()[1].arguments, [json!(3)]);
    assert_eq!(items.files()[0].name, "quixbugs.jsonl");
}

#[test]
fn programs_come_in_the_order_of_their_names() {
    let other = own().to_string().replace("double", "a_double");
    let items = parse(&format!("{}\n\n{other}\n", own())).unwrap();
    let names: Vec<_> = items.all().iter().map(|item| item.name.as_str()).collect();
    assert_eq!(names, ["a_double", "double"]);
}

#[test]
fn every_damaged_field_is_named() {
    let good = own().to_string();
    let cases = [
        (with("name", json!("a b")), "field `name` is `a b`"),
        (with("name", json!("")), "field `name` is ``"),
        (with("name", json!(1)), "field `name` is not a string"),
        (
            with("name", json!("half")),
            "field `buggy` has no line `def half(...):`",
        ),
        (
            with("buggy", json!("def double(x):\n    return x\n")),
            "field `buggy` does not end in its specification",
        ),
        (
            with(
                "buggy",
                json!("def double(x):\n    return x\n\"\"\"d\"\"\"\nx = 1\n"),
            ),
            "field `buggy` does not end in its specification",
        ),
        (
            with("buggy", json!("def double(x):\n    return x\n\"\"\"d\n")),
            "field `buggy` does not end in its specification",
        ),
        (
            with("correct", json!("def double(y):\n    return 2 * y\n")),
            "field `correct` does not have the line `def double(x):`",
        ),
        (
            with("correct", own()["buggy"].clone()),
            "field `correct` is the same",
        ),
        (with("cases", json!({})), "field `cases` is not a list"),
        (with("cases", json!([])), "field `cases` is empty"),
        (
            with("cases", json!([[[1], 2], [1]])),
            "case 2 of field `cases` is not a list of arguments and result",
        ),
        (
            with("cases", json!([3])),
            "case 1 of field `cases` is not a list",
        ),
        (
            with("cases", Value::Null),
            "field `pytest` is missing, and so are cases",
        ),
        (with("pytest", json!(1)), "field `pytest` is not a string"),
        (
            with("pytest", json!("from node import Node\n")),
            "there is no node.json",
        ),
        (with("tests", json!("")), "field `tests` is unknown"),
    ];
    for (item, problem) in cases {
        let text = format!("{}\n{item}\n", good.replace("double", "first"));
        assert_refused(parse(&text), &["quixbugs.jsonl, line 2", problem, ";"]);
    }
    let big = good.replace("[3,6]", "[3,18446744073709551616]");
    assert_refused(
        parse(&big),
        &["case 2 of field `cases` holds a number of more than 64 bits"],
    );
    assert_refused(
        parse(&format!("{good}\n{good}")),
        &["line 2", "field `name` repeats `double`"],
    );
    assert_refused(parse("\n"), &["quixbugs.jsonl", "no program"]);
    assert_refused(parse("[]"), &["line 1", "not a JSON object"]);
    let node = |text| {
        Items::parse(
            (Path::new("quixbugs.jsonl"), &good),
            Some((Path::new("node.json"), text)),
        )
    };
    for (text, problem) in [
        ("{", "not JSON"),
        ("{}", "field `node.py` is missing"),
        ("{\"node.py\": 1}", "field `node.py` is not a string"),
    ] {
        assert_refused(node(text), &["node.json", problem, "fetch the data again"]);
    }
}

#[test]
fn a_checkout_gives_the_same_programs() {
    let dir = tempfile::tempdir().unwrap();
    let text = own().to_string();
    write_checkout(dir.path(), &text, "class Node: ...\n");
    // What other commits of upstream have beside the programs, and what an editor leaves.
    for file in ["double_test.py", "__init__.py", "double.pyc"] {
        fs::write(dir.path().join("python_programs").join(file), "").unwrap();
    }
    let items = Items::open(&data(dir.path())).unwrap();
    assert_eq!(items.all(), parse(&text).unwrap().all());
    let files: Vec<_> = items
        .files()
        .iter()
        .map(|file| file.name.as_str())
        .collect();
    assert_eq!(
        files,
        [
            "python_programs/double.py",
            "correct_python_programs/double.py",
            "json_testcases/double.json"
        ]
    );
    // Line ends of Windows are no difference of the programs.
    let program = dir.path().join("python_programs/double.py");
    let windows = fs::read_to_string(&program).unwrap().replace('\n', "\r\n");
    fs::write(&program, windows).unwrap();
    let again = Items::open(&data(dir.path())).unwrap();
    assert_eq!(again.all(), items.all());
    assert_ne!(again.files(), items.files());
}

#[test]
fn a_damaged_checkout_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let open = || Items::open(&data(dir.path()));
    assert_refused(open(), &["quixbugs.jsonl", "python_programs", "checkout"]);
    write_checkout(dir.path(), &own().to_string(), "");
    let cases = dir.path().join("json_testcases/double.json");
    for (text, problem) in [
        ("[[1], 2]\n[1\n", "line 2: it is not JSON"),
        (
            "[[1], 2]\n\n[1, 2, 3]\n",
            "line 3: it is not a list of arguments and result",
        ),
        ("\n", "field `cases` of `double` is empty"),
    ] {
        fs::write(&cases, text).unwrap();
        assert_refused(open(), &["double", problem, "fetch the data again"]);
    }
    fs::write(&cases, b"\xff").unwrap();
    assert_refused(open(), &["double.json", "not UTF-8"]);
    fs::remove_file(&cases).unwrap();
    assert_eq!(
        open().unwrap().all()[0].pytest.as_deref(),
        Some("def test(): ...\n"),
        "without cases the test module counts"
    );
    fs::remove_file(dir.path().join("correct_python_programs/double.py")).unwrap();
    assert_refused(
        open(),
        &["read", "correct_python_programs/double.py", "checkout"],
    );
}

#[test]
fn data_of_another_size_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("mine.jsonl");
    fs::write(&file, own().to_string()).unwrap();
    let files = DataFiles {
        root: PathBuf::new(),
        files: vec![file],
    };
    for suite in ["quixbugs_repair", "quixbugs_detect"] {
        let opened = find_suite(suite).unwrap().open(&files, &Default::default());
        assert_refused(
            opened.map(drop),
            &[
                "mine.jsonl",
                "1 programs, 1 of them with cases, 2 cases",
                suite,
                "40 programs",
                "242 cases",
            ],
        );
    }
}

#[test]
fn both_layouts_hold_the_published_programs() {
    let Some(shared) = shared("both_layouts_hold_the_published_programs") else {
        return;
    };
    let folder = shared.join("datasets/quixbugs");
    let items = QuixBugsRepair::PUBLISHED.items(&data(&folder)).unwrap();
    let files: Vec<_> = items
        .files()
        .iter()
        .map(|file| (file.name.as_str(), file.sha256.as_str()))
        .collect();
    assert_eq!(
        files,
        [
            (
                "quixbugs.jsonl",
                "c26dc041d7d4f94bcd36f72cea440871cf720e6e34796b8a823f7340659b1f31"
            ),
            (
                "node.json",
                "3d4f7fab3ca94693d324e3326f9b3fc3eabaf74f01e929631993526dd99eac4f"
            ),
        ]
    );
    assert_eq!(
        items
            .all()
            .iter()
            .filter(|item| item.node.is_some())
            .count(),
        6
    );

    let jsonl = fs::read_to_string(folder.join("quixbugs.jsonl")).unwrap();
    let node: Value =
        serde_json::from_str(&fs::read_to_string(folder.join("node.json")).unwrap()).unwrap();
    let dir = tempfile::tempdir().unwrap();
    write_checkout(dir.path(), &jsonl, node["node.py"].as_str().unwrap());
    let checkout = QuixBugsRepair::PUBLISHED.items(&data(dir.path())).unwrap();
    assert_eq!(checkout.all(), items.all());
    // Two texts a program, 31 files of cases, 12 test modules, and node.py.
    assert_eq!(checkout.files().len(), 2 * 40 + 31 + 12 + 1);
}

proptest! {
    #[test]
    fn mutated_lines_never_panic(at in 0usize..600, byte: u8, cut in 0usize..600) {
        let mut bytes = format!("{}\n{}", own(), own().to_string().replace("double", "other")).into_bytes();
        let at = at % bytes.len();
        bytes[at] = byte;
        if cut % 3 == 0 {
            bytes.truncate(cut);
        }
        let text = String::from_utf8_lossy(&bytes);
        if let Ok(items) = parse(&text) {
            for item in items.all() {
                prop_assert!(item.program("x").tests.contains("double") || item.name != "double");
            }
        }
    }

    #[test]
    fn programs_of_any_text_never_panic(buggy: String, correct: String, cases in ".{0,40}", answer: String) {
        let item = json!({"name": "f", "buggy": buggy, "correct": correct, "cases": [[[cases.clone()], cases]]});
        let _ = parse(&item.to_string());
        let item = &parse(&own().to_string()).unwrap().all()[0].clone();
        prop_assert!(item.program(&answer).code.contains(&answer));
    }

    #[test]
    fn mutated_checkouts_never_panic(which in 0usize..4, at in 0usize..200, byte: u8) {
        let dir = tempfile::tempdir().unwrap();
        write_checkout(dir.path(), &own().to_string(), "class Node: ...\n");
        let file = dir.path().join([
            "python_programs/double.py",
            "correct_python_programs/double.py",
            "json_testcases/double.json",
            "python_programs/node.py",
        ][which]);
        let mut bytes = fs::read(&file).unwrap();
        let at = at % bytes.len();
        bytes[at] = byte;
        fs::write(&file, bytes).unwrap();
        let _ = Items::open(&data(dir.path()));
    }
}
