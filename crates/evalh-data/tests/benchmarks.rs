//! Files of real benchmarks, compared with what Python reads from them.

use evalh_data::{ReadOptions, Table, read};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::{collections::BTreeMap, fs, path::PathBuf};

fn datasets(test: &str) -> Option<PathBuf> {
    let path = PathBuf::from(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../shared/datasets"
    ));
    if !path.is_dir() {
        eprintln!("skipped {test}: ../shared is absent");
        return None;
    }
    Some(path)
}

/// What `tools/make_data_fixtures.py` says of a file: rows, a header included, and the sha256 of them as JSON.
fn reference() -> BTreeMap<String, (usize, String)> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/benchmarks.json");
    let values: BTreeMap<String, Value> = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    values
        .into_iter()
        .map(|(name, value)| {
            let rows = value["rows"].as_u64().unwrap() as usize;
            (name, (rows, value["sha256"].as_str().unwrap().to_owned()))
        })
        .collect()
}

fn digest(rows: Vec<Value>) -> (usize, String) {
    let count = rows.len();
    let text = serde_json::to_string(&Value::Array(rows)).unwrap();
    (count, format!("{:x}", Sha256::digest(text)))
}

fn columns(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// The fields of each row, the header first unless its names were given.
fn fields(table: Table, header: bool) -> Vec<Value> {
    let first = header.then(|| Value::from(table.columns.clone()));
    let rows = table.rows.into_iter();
    first
        .into_iter()
        .chain(rows.map(|row| row.into_values().collect()))
        .collect()
}

#[test]
fn mmlu_is_what_python_reads() {
    let Some(root) = datasets("mmlu_is_what_python_reads") else {
        return;
    };
    let names = columns(&["question", "A", "B", "C", "D", "answer"]);
    for (split, count) in [("dev", 285), ("val", 1531), ("test", 14042)] {
        let mut files: Vec<PathBuf> = fs::read_dir(root.join("mmlu").join(split))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        files.sort();
        assert_eq!(files.len(), 57);
        let mut rows = Vec::new();
        for file in files {
            let table = read(&file, &ReadOptions { columns: &names }).unwrap();
            for row in &table.rows {
                assert!(["A", "B", "C", "D"].contains(&row["answer"].as_str().unwrap()));
            }
            rows.extend(fields(table, false));
        }
        assert_eq!(rows.len(), count);
        assert_eq!(digest(rows), reference()[&format!("mmlu/{split}")]);
    }
}

#[test]
fn glue_is_what_python_reads() {
    let Some(root) = datasets("glue_is_what_python_reads") else {
        return;
    };
    for (file, count, names) in [
        (
            "CoLA/train.tsv",
            8551,
            &["source", "label", "mark", "sentence"][..],
        ),
        (
            "CoLA/dev.tsv",
            1043,
            &["source", "label", "mark", "sentence"],
        ),
        ("SST-2/train.tsv", 67349, &[]),
        ("SST-2/dev.tsv", 872, &[]),
        ("MRPC/train.tsv", 3668, &[]),
        ("MRPC/dev.tsv", 408, &[]),
        ("MRPC/test.tsv", 1725, &[]),
        ("MRPC/dev_ids.tsv", 408, &["first", "second"]),
        ("STS-B/train.tsv", 5749, &[]),
        ("STS-B/dev.tsv", 1500, &[]),
        ("RTE/train.tsv", 2490, &[]),
        ("RTE/dev.tsv", 277, &[]),
        ("WNLI/train.tsv", 635, &[]),
        ("WNLI/dev.tsv", 71, &[]),
        ("QNLI/dev.tsv", 5463, &[]),
    ] {
        let names = columns(names);
        let path = root.join("glue").join(file);
        let table = read(&path, &ReadOptions { columns: &names }).unwrap();
        assert_eq!(table.rows.len(), count, "{file}");
        if file == "MRPC/train.tsv" {
            assert_eq!(table.columns[0], "Quality", "no byte order mark");
        }
        let found = digest(fields(table, names.is_empty()));
        assert_eq!(found, reference()[&format!("glue/{file}")], "{file}");
    }
}

#[test]
fn json_lines_are_what_python_reads() {
    let Some(root) = datasets("json_lines_are_what_python_reads") else {
        return;
    };
    for (file, count) in [
        ("gsm8k/train.jsonl", 7473),
        ("gsm8k/test.jsonl", 1319),
        ("humaneval/HumanEval.jsonl", 164),
        ("quixbugs/quixbugs.jsonl", 40),
    ] {
        let table = read(&root.join(file), &ReadOptions::default()).unwrap();
        assert_eq!(table.rows.len(), count, "{file}");
        let rows = table.rows.into_iter().map(Value::Object).collect();
        assert_eq!(digest(rows), reference()[file], "{file}");
    }
}
