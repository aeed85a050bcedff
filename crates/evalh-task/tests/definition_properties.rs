//! Whatever a definition or its rows hold, opening it ends in a task or an error.
#![allow(missing_docs)]

mod common;

use evalh_task::{Chat, DataFiles, TaskOptions, definition::Definition, open_suite};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::path::Path;

const TEXTS: [&str; 4] = [
    include_str!("../../../datasets/tasks/mini_gsm8k.toml"),
    include_str!("../../../datasets/tasks/mini_mmlu.toml"),
    include_str!("../../../datasets/tasks/mini_glue_prompt.toml"),
    include_str!("../../../datasets/tasks/gsm8k_loss.toml"),
];

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (0..4_i64).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
        "[A-D]".prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 8, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-c]", inner, 0..3).prop_map(|map| json!(map)),
        ]
    })
}

fn template() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        Just("{{ q }}".to_owned()),
        Just("{{ c[y] }}".to_owned()),
        Just("{{ q.strip().split('a')[-1] }}".to_owned()),
        Just("{{ q | regex_replace(q, 'x') }}".to_owned()),
        Just("{% for i in c %}{{ i }} {% endfor %}".to_owned()),
        Just("{{ row }}{{ task }}".to_owned()),
        "[ -~]{0,6}",
    ];
    prop::collection::vec(part, 0..4).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn a_damaged_definition_is_an_error_or_still_one(
        text in 0..TEXTS.len(),
        at in any::<prop::sample::Index>(),
        removed in 0..30_usize,
        added in "[ -~\n]{0,12}",
    ) {
        let mut bytes = TEXTS[text].as_bytes().to_vec();
        let at = at.index(bytes.len());
        let end = (at + removed).min(bytes.len());
        bytes.splice(at..end, added.bytes());
        let text = String::from_utf8_lossy(&bytes);
        let _ = Definition::parse(&text, Path::new("damaged.toml")).map_err(|error| error.to_string());
    }

    #[test]
    fn any_text_is_no_definition(text in "\\PC{0,60}") {
        prop_assert!(Definition::parse(&text, Path::new("any.toml")).is_err());
    }

    #[test]
    fn any_form_over_any_rows_opens_or_is_refused(
        rows in prop::collection::vec(prop::collection::btree_map("[qycz]", value(), 0..5), 0..6),
        context in template(),
        target in template(),
        preamble in prop::option::of(template()),
        prefill in prop::option::of(template()),
        choices in prop_oneof![Just(json!("c")), Just(json!("[q, y]")), Just(json!(["A", "B", "C"])), template().prop_map(|text| json!(text))],
        shots in 0..4_usize,
        sampler in prop_oneof![Just("first"), Just("random")],
        filter in prop::option::of(prop_oneof![Just("y"), Just("q == task"), Just("c | length > 1")]),
        chat in prop::option::of(any::<bool>()),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let text: String = rows.iter().map(|row| json!(row).to_string() + "\n").collect();
        std::fs::write(folder.path().join("rows.jsonl"), text).unwrap();
        let mut items = json!({ "file": "rows.jsonl" });
        if let Some(filter) = filter {
            items["where"] = filter.into();
        }
        let mut protocol = json!({
            "context": context,
            "target": target,
            "choices": choices,
            "shots": { "count": shots, "sampler": sampler },
        });
        for (field, template) in [("preamble", preamble), ("prefill", prefill)] {
            if let Some(template) = template {
                protocol[field] = template.into();
            }
        }
        let definition = json!({
            "name": "own",
            "description": "random",
            "layout": [{ "items": items, "shots": items }],
            "protocol": { "plain": protocol },
        });
        let path = folder.path().join("own.toml");
        std::fs::write(&path, toml::to_string(&definition).unwrap()).unwrap();
        let Ok(suite) = open_suite(&path) else { return Ok(()) };
        let options = TaskOptions {
            has_chat_template: true,
            chat: chat.map(|shots_as_turns| Chat { system: None, shots_as_turns }),
            ..TaskOptions::default()
        };
        let data = DataFiles { root: folder.path().to_owned(), files: Vec::new() };
        if let Ok(task) = suite.open(&data, &options) {
            let requests = task.requests();
            prop_assert!(!requests.is_empty() && requests.len() <= rows.len());
            prop_assert!(requests.iter().all(|request| task.slot(request.index).is_some()));
        }
    }
}
