//! The export in lm-evaluation-harness's format, of a record made by hand.

use evalh_record::{
    AdapterSettings, Answer, CheckpointSettings, ContinuationScore, Finish, Generation, Manifest,
    Part, Provenance, Record, ResultRow, Sample, SamplingSettings, Settings, Sitting,
    SuiteSettings, TaskSettings, TextScore, Timings, VariantSettings, sha256_bytes,
};
use evalh_report::export::lm_eval;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

fn suite(name: &str, protocol: &str, tasks: &[(&str, Option<&str>, usize)]) -> SuiteSettings {
    SuiteSettings {
        name: name.into(),
        protocol: protocol.into(),
        tasks: tasks
            .iter()
            .map(|&(name, group, items)| TaskSettings {
                name: name.into(),
                group: group.map(str::to_owned),
                items,
            })
            .collect(),
        shots: 0,
        items: tasks.iter().map(|(_, _, items)| items).sum(),
        limit: None,
        samples: 1,
        sampling: None,
        max_new_tokens: None,
        options: Map::new(),
        data: Vec::new(),
    }
}

fn generated(mut of: SuiteSettings, most: usize) -> SuiteSettings {
    of.sampling = Some(SamplingSettings {
        temperature: 0.0,
        top_p: 0.95,
        seed: 7,
    });
    of.max_new_tokens = Some(most);
    of
}

fn mmlu() -> SuiteSettings {
    let tasks = [
        ("abstract_algebra", Some("stem"), 2),
        ("anatomy", Some("stem"), 2),
        ("sociology", Some("social_sciences"), 2),
    ];
    SuiteSettings {
        shots: 5,
        limit: Some(2),
        ..suite("mmlu", "lm-eval", &tasks)
    }
}

fn gsm8k() -> SuiteSettings {
    let mut of = generated(suite("gsm8k", "lm-eval", &[("gsm8k", None, 4)]), 256);
    of.shots = 5;
    of.limit = Some(4);
    of.options.insert("shot_seed".into(), json!(1234));
    of
}

fn row(
    suite: &SuiteSettings,
    part: Part,
    task: &str,
    metric: &str,
    value: f64,
    n: usize,
) -> ResultRow {
    ResultRow {
        suite: suite.name.clone(),
        task: task.into(),
        part,
        protocol: suite.protocol.clone(),
        variant: "base".into(),
        metric: metric.into(),
        value,
        stderr: Some(0.25),
        n,
        chance: None,
    }
}

fn rows(suite: &SuiteSettings) -> Vec<ResultRow> {
    let whole =
        |metric: &str, value: f64| row(suite, Part::Whole, &suite.name, metric, value, suite.items);
    match suite.name.as_str() {
        "mmlu" => {
            let mut rows = vec![
                whole("acc", 0.5),
                row(suite, Part::Group, "stem", "acc", 0.75, 4),
                row(suite, Part::Group, "social_sciences", "acc", 0.0, 2),
            ];
            rows.extend(
                suite
                    .tasks
                    .iter()
                    .map(|task| row(suite, Part::Task, &task.name, "acc", 0.5, task.items)),
            );
            rows
        }
        "gsm8k" => vec![
            whole("exact_match,strict-match", 0.25),
            whole("exact_match,flexible-extract", 0.5),
        ],
        "humaneval" => vec![whole("pass@1", 0.125)],
        "gsm8k_loss" => {
            let mut rows = vec![whole("nats_per_token", 1.5), whole("bits_per_byte", 0.75)];
            rows[1].stderr = None;
            rows
        }
        _ => {
            let mut rows = vec![whole("average", 0.4)];
            for (task, metric) in [("cola", "mcc"), ("qqp", "f1")] {
                rows.push(row(suite, Part::Task, task, metric, 0.3, 8));
            }
            rows
        }
    }
}

fn answer(suite: &SuiteSettings) -> Answer {
    if suite.sampling.is_some() {
        return Answer::Generated(Generation {
            text: "4".into(),
            finish: Finish::Eos(2),
            tokens: 1,
        });
    }
    if suite.name == "gsm8k_loss" {
        return Answer::Loss(TextScore {
            log_prob: -1.5,
            tokens: 1,
            bytes: 2,
            windows: 1,
        });
    }
    Answer::Scored(vec![ContinuationScore {
        log_prob: -1.0,
        tokens: 1,
        is_greedy: true,
    }])
}

fn sample(suite: &SuiteSettings) -> Sample {
    Sample {
        suite: suite.name.clone(),
        task: suite.tasks[0].name.clone(),
        protocol: suite.protocol.clone(),
        variant: "base".into(),
        item: "1".into(),
        position: 0,
        sample: 0,
        shots: Vec::new(),
        prompt_sha256: sha256_bytes(b"p"),
        prompt_tokens: 10,
        truncated_tokens: 0,
        answer: answer(suite),
        extracted: None,
        target: None,
        program_sha256: None,
        outcome: None,
        suspicions: Vec::new(),
        score: 1.0,
        scores: BTreeMap::new(),
    }
}

fn record(suites: Vec<SuiteSettings>) -> Record {
    let variant = |name: &str, adapter| VariantSettings {
        name: name.into(),
        checkpoint: "tiny".into(),
        adapter,
    };
    let adapter = AdapterSettings {
        apply: "unmerged".into(),
        parts: Vec::new(),
        modules: 2,
        layers: vec![0],
        of_layers: 2,
        parameters: 64,
    };
    Record {
        samples: suites.iter().map(sample).collect(),
        results: suites.iter().flat_map(rows).collect(),
        manifest: Manifest::new(
            Settings {
                evalh: "0.1.0".into(),
                suites,
                checkpoints: vec![CheckpointSettings {
                    name: "tiny".into(),
                    files: Vec::new(),
                    stored: "F32".into(),
                    parameters: 4096,
                    quantized: None,
                    chat_template_sha256: Some(sha256_bytes(b"template")),
                    chat_template_moment: None,
                }],
                variants: vec![variant("base", None), variant("tuned", Some(adapter))],
                device: "cpu".into(),
                kernel: "auto".into(),
                dtype: "f32".into(),
                sandbox: None,
            },
            Provenance {
                command: "evalh run".into(),
                machine: "a machine".into(),
                ..Provenance::default()
            },
        ),
        timings: Timings {
            sittings: vec![Sitting {
                load_seconds: 1.0,
                wall_seconds: 2.5,
                ..Sitting::of(&["base".into()])
            }],
            ..Timings::default()
        },
    }
}

fn all() -> Record {
    record(vec![
        mmlu(),
        gsm8k(),
        generated(suite("humaneval", "chat", &[("humaneval", None, 164)]), 512),
        suite(
            "glue_prompt",
            "lm-eval",
            &[("cola", None, 8), ("qqp", None, 8)],
        ),
        suite("gsm8k_loss", "rolling", &[("gsm8k_loss", None, 200)]),
    ])
}

fn names(value: &Value, field: &str) -> Vec<String> {
    value[field]
        .as_object()
        .map(|map| map.keys().cloned().collect())
        .unwrap_or_default()
}

fn exported(suites: Vec<SuiteSettings>) -> Value {
    lm_eval(&record(suites), "base").unwrap()
}

fn with_chat(mut of: SuiteSettings, ending: &str, turns: bool) -> SuiteSettings {
    of.protocol.push_str(ending);
    of.options.insert(
        "chat".into(),
        json!({ "system": "Be brief.", "shots_as_turns": turns }),
    );
    of
}

#[test]
fn the_export() {
    let value = lm_eval(&all(), "base").unwrap();
    insta::assert_snapshot!(serde_json::to_string_pretty(&value).unwrap());
}

#[test]
fn only_lm_evals_own_protocol_has_its_name() {
    let prefill = || {
        generated(
            suite("humaneval", "prefill", &[("humaneval", None, 164)]),
            1024,
        )
    };
    let completion = generated(
        suite("humaneval", "completion", &[("humaneval", None, 164)]),
        1024,
    );
    let cases = [
        (completion, "humaneval", "pass@1,create_test"),
        (prefill(), "humaneval_instruct", "pass@1,create_test"),
        (
            generated(suite("humaneval", "chat", &[("humaneval", None, 164)]), 512),
            "humaneval@chat",
            "pass@1,none",
        ),
        (
            SuiteSettings {
                protocol: "first-shots".into(),
                ..gsm8k()
            },
            "gsm8k@first-shots",
            "exact_match,strict-match",
        ),
    ];
    for (suite, name, metric) in cases {
        let value = exported(vec![suite]);
        assert_eq!(names(&value, "results"), [name]);
        assert!(value["results"][name][metric].is_number(), "{name}");
        assert_eq!(value["versions"].get(name).is_some(), !name.contains('@'));
    }
    // The answer begun for the model is a chat.
    let value = exported(vec![prefill()]);
    assert_eq!(value["chat_template_sha"], json!(sha256_bytes(b"template")));
}

#[test]
fn a_chat_is_told_of_the_run_or_in_the_name() {
    let chat = with_chat(gsm8k(), "+chat-turns", true);
    let value = exported(vec![chat.clone(), with_chat(mmlu(), "+chat-turns", true)]);
    assert!(names(&value, "results").contains(&"mmlu_anatomy".to_owned()));
    assert_eq!(value["system_instruction"], "Be brief.");
    assert_eq!(
        value["system_instruction_sha"],
        json!(sha256_bytes(b"Be brief."))
    );
    assert_eq!(value["fewshot_as_multiturn"], true);

    let value = exported(vec![chat.clone(), mmlu()]);
    let names_of = names(&value, "results");
    assert!(
        names_of.contains(&"gsm8k@lm-eval+chat-turns".to_owned())
            && names_of.contains(&"mmlu".to_owned())
    );
    assert!(value["chat_template_sha"].is_null() && value["system_instruction"].is_null());

    let other = with_chat(mmlu(), "+chat", false);
    let value = exported(vec![chat, other]);
    assert!(
        names(&value, "results")
            .iter()
            .all(|name| name.contains('@'))
    );
}

#[test]
fn a_part_of_the_tasks_has_no_score_of_the_whole() {
    let mut some = mmlu();
    some.tasks.truncate(1);
    some.options
        .insert("tasks".into(), json!(["abstract_algebra"]));
    let mut record = record(vec![some]);
    record
        .results
        .retain(|row| row.part != Part::Task || row.task == "abstract_algebra");
    let value = lm_eval(&record, "base").unwrap();
    assert_eq!(names(&value, "results"), ["mmlu_abstract_algebra"]);
    assert_eq!(value["group_subtasks"], json!({}));
}

#[test]
fn variants_are_told_apart() {
    let record = all();
    let value = lm_eval(&record, "tuned").unwrap();
    assert_eq!(value["model_name"], "tiny+tuned");
    assert_eq!(value["results"], json!({}));
    assert!(value["total_evaluation_time_seconds"].is_null());
    let error = lm_eval(&record, "tined").unwrap_err();
    assert_eq!(
        error.to_string(),
        "the run has no variant called tined; it has base, tuned"
    );
}
