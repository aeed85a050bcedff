//! Imported definitions ask what lm-eval 0.4.13 asked (`../shared/reference`), over the real data.
#![allow(missing_docs)]

mod common;

use common::{lines, requests_by_item, shared, shared_data};
use evalh_record::{Prompt, RequestKind};
use evalh_task::{
    Suite, TaskOptions,
    definition::{DefinedSuite, Definition, Layout, Rows},
    import::import_lm_eval,
};
use std::{collections::BTreeMap, path::Path};

/// Rows of a file in its official form, where the hub's copy, which lm-eval reads, has a place for a label.
fn rows(file: &str, columns: &[&str], label: Option<&str>) -> Rows {
    let field = |label: &str| ("label".to_owned(), label.to_owned());
    Rows {
        file: file.to_owned(),
        rows: None,
        columns: columns.iter().copied().map(str::to_owned).collect(),
        filter: None,
        fields: label.map(field).into_iter().collect(),
    }
}

/// The suite of an imported task whose layout the user has corrected.
fn corrected(name: &str, layout: Layout) -> DefinedSuite {
    let yaml = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/import");
    let imported = import_lm_eval(&yaml.join(name), false).unwrap();
    let mut definition: Definition = toml::from_str(&imported.toml).unwrap();
    definition.layouts = vec![layout];
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("task.toml");
    std::fs::write(&path, toml::to_string(&definition).unwrap()).unwrap();
    DefinedSuite::read(&path).unwrap()
}

#[test]
fn imported_tasks_ask_what_lm_eval_asks() {
    let Some(shared) = shared("imported_tasks_ask_what_lm_eval_asks") else {
        return;
    };
    let rte = "['entailment', 'not_entailment'].index(label)";
    let cola = ["source", "label", "mark", "sentence"];
    let tasks = [
        (
            "rte.yaml",
            "glue",
            rows("RTE/dev.tsv", &[], Some(rte)),
            None,
        ),
        ("cola.yaml", "glue", rows("CoLA/dev.tsv", &cola, None), None),
        (
            "gsm8k.yaml",
            "gsm8k",
            rows("test.jsonl", &[], None),
            Some(rows("train.jsonl", &[], None)),
        ),
    ];
    let mut compared = BTreeMap::new();
    for (name, folder, items, shots) in tasks {
        let suite = corrected(name, Layout { items, shots });
        let task = suite
            .open(&shared_data(&shared, folder), &TaskOptions::default())
            .unwrap();
        let requests = requests_by_item(&*task);
        let own = format!("local_{}", suite.name());
        for row in lines(&shared.join(format!("reference/prompts.{folder}.jsonl"))) {
            if row["task"] != own.as_str() {
                continue;
            }
            let request = &requests[&row["doc_id"].to_string()];
            if let Some(context) = row["context"].as_str() {
                assert_eq!(request.prompt, Prompt::Text(context.into()));
            }
            match &request.kind {
                RequestKind::LogLikelihood(asked) => {
                    let choice = row["idx"].as_u64().unwrap() as usize;
                    assert_eq!(asked.continuations[choice], row["continuation"]);
                }
                RequestKind::Generate(asked) => {
                    assert_eq!(serde_json::json!(asked.stops), row["gen_kwargs"]["until"]);
                }
                kind => panic!("{kind:?}"),
            }
            *compared.entry(name).or_insert(0) += 1;
        }
    }
    let expected = [("cola.yaml", 100), ("gsm8k.yaml", 25), ("rte.yaml", 100)];
    assert_eq!(compared.into_iter().collect::<Vec<_>>(), expected);
}
