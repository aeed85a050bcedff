//! Suites of several tasks, of choices and of losses, as a reader sees them.

use evalh_record::{
    Answer, CheckpointSettings, ContinuationScore, Manifest, Part, Provenance, Record, ResultRow,
    Sample, Settings, SuiteSettings, TaskSettings, TextScore, Timings, VariantSettings,
    sha256_bytes,
};
use evalh_report::{
    Comparison, Style,
    compare::{Options, Run, compare},
    markdown, terminal,
};
use std::collections::BTreeMap;

const TASKS: [(&str, &str); 3] = [
    ("algebra", "stem"),
    ("anatomy", "stem"),
    ("history", "humanities"),
];
const ITEMS: usize = 4;

fn suite(
    name: &str,
    tasks: Vec<TaskSettings>,
    shots: usize,
    limit: Option<usize>,
) -> SuiteSettings {
    SuiteSettings {
        name: name.into(),
        protocol: "lm-eval".into(),
        shots,
        items: tasks.iter().map(|task| task.items).sum(),
        tasks,
        limit,
        samples: 1,
        sampling: None,
        max_new_tokens: None,
        options: serde_json::Map::new(),
        data: Vec::new(),
    }
}

fn task(name: &str, group: Option<&str>) -> TaskSettings {
    TaskSettings {
        name: name.into(),
        group: group.map(str::to_owned),
        items: ITEMS,
    }
}

fn sample(suite: &str, variant: &str, task: &str, position: usize, answer: Answer) -> Sample {
    Sample {
        suite: suite.into(),
        task: task.into(),
        protocol: "lm-eval".into(),
        variant: variant.into(),
        item: format!("{task}/{position}"),
        position,
        sample: 0,
        shots: vec![0, 1],
        prompt_sha256: sha256_bytes(b"p"),
        prompt_tokens: 100,
        truncated_tokens: 0,
        answer,
        extracted: None,
        target: Some("A".into()),
        program_sha256: None,
        outcome: None,
        suspicions: Vec::new(),
        score: 0.0,
        scores: BTreeMap::new(),
    }
}

/// Right where `position` is below `right`.
fn choice(variant: &str, position: usize, right: usize) -> Sample {
    let score = |log_prob| ContinuationScore {
        log_prob,
        tokens: 1,
        is_greedy: log_prob > -1.0,
    };
    let is_right = position < right;
    let answer = if is_right {
        vec![score(-0.5), score(-2.0)]
    } else {
        vec![score(-2.0), score(-0.5)]
    };
    Sample {
        extracted: Some(if is_right { "A" } else { "B" }.into()),
        score: f64::from(u8::from(is_right)),
        ..sample(
            "quiz",
            variant,
            TASKS[position / ITEMS].0,
            position,
            Answer::Scored(answer),
        )
    }
}

fn loss(variant: &str, position: usize, nats: f64) -> Sample {
    let answer = Answer::Loss(TextScore {
        log_prob: -10.0 * nats,
        tokens: 10,
        bytes: 40,
        windows: 1,
    });
    Sample {
        score: nats,
        target: None,
        ..sample("text", variant, "text", position, answer)
    }
}

fn row(of: (&str, Part, &str), variant: &str, metric: &str, value: f64, n: usize) -> ResultRow {
    ResultRow {
        suite: of.0.into(),
        part: of.1,
        task: of.2.into(),
        protocol: "lm-eval".into(),
        variant: variant.into(),
        metric: metric.into(),
        value,
        stderr: Some(0.1),
        n,
        chance: metric.starts_with("acc").then_some(0.5),
    }
}

fn record() -> Record {
    let variants = [("base", 6), ("tuned", 12)];
    let mut samples = Vec::new();
    let mut results = Vec::new();
    for (variant, right) in variants {
        samples.extend((0..12).map(|position| choice(variant, position, right)));
        let share = |from: usize, to: usize| {
            right.clamp(from, to).saturating_sub(from) as f64 / (to - from) as f64
        };
        results.push(row(
            ("quiz", Part::Whole, "quiz"),
            variant,
            "acc",
            share(0, 12),
            12,
        ));
        results.push(row(
            ("quiz", Part::Whole, "quiz"),
            variant,
            "acc_norm",
            share(0, 12),
            12,
        ));
        results.push(row(
            ("quiz", Part::Group, "stem"),
            variant,
            "acc",
            share(0, 8),
            8,
        ));
        results.push(row(
            ("quiz", Part::Group, "humanities"),
            variant,
            "acc",
            share(8, 12),
            4,
        ));
        for (at, (name, _)) in TASKS.iter().enumerate() {
            let share = share(at * ITEMS, (at + 1) * ITEMS);
            results.push(row(("quiz", Part::Task, name), variant, "acc", share, 4));
        }
    }
    for (variant, nats) in [("base", 2.5), ("tuned", 2.25)] {
        samples.extend((0..ITEMS).map(|position| loss(variant, position, nats)));
        let of = ("text", Part::Whole, "text");
        results.push(row(of, variant, "nats_per_token", nats, ITEMS));
    }
    let variant = |name: &str| VariantSettings {
        name: name.into(),
        checkpoint: "tiny".into(),
        adapter: None,
    };
    let tasks = TASKS.map(|(name, group)| task(name, Some(group)));
    Record {
        manifest: Manifest::new(
            Settings {
                evalh: "0.1.0".into(),
                suites: vec![
                    suite("quiz", tasks.to_vec(), 5, Some(ITEMS)),
                    suite("text", vec![task("text", None)], 0, None),
                ],
                checkpoints: vec![CheckpointSettings {
                    name: "tiny".into(),
                    files: Vec::new(),
                    stored: "F32".into(),
                    parameters: 12,
                    quantized: None,
                    chat_template_sha256: None,
                    chat_template_moment: None,
                }],
                variants: vec![variant("base"), variant("tuned")],
                device: "cpu".into(),
                kernel: "auto".into(),
                dtype: "f32".into(),
                sandbox: None,
            },
            Provenance::default(),
        ),
        samples,
        results,
        timings: Timings::default(),
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
fn the_report_folds_tasks_and_shows_groups() {
    insta::assert_snapshot!(report(&record()));
}

#[test]
fn the_table_shows_wholes_and_groups() {
    insta::assert_snapshot!(terminal(&compared(&record()), Style::Plain));
}

#[test]
fn every_part_is_compared_on_its_own_items() {
    let record = record();
    let found = compared(&record);
    let of = |part, name: &str| {
        let mut parts = found.suites.iter().flat_map(|suite| &suite.parts);
        let part = parts.find(|of| of.part == part && of.name == name).unwrap();
        let contrast = &part.metrics[0].contrasts[0];
        (contrast.items, contrast.won, contrast.lost)
    };
    assert_eq!(of(Part::Whole, "quiz"), (12, 6, 0));
    assert_eq!(of(Part::Group, "stem"), (8, 2, 0));
    assert_eq!(of(Part::Task, "history"), (4, 4, 0));
    // A lower loss is a gain.
    assert_eq!(of(Part::Whole, "text"), (4, 4, 0));
}

#[test]
fn a_score_that_guessing_gives_is_warned_of() {
    let found: Vec<_> = compared(&record())
        .warnings
        .into_iter()
        .map(|w| w.what)
        .collect();
    assert_eq!(
        found,
        ["scores of quiz are not distinguishable from guessing: base acc 50.0 % (chance 50.0 %)"]
    );
}

#[test]
fn many_items_gained_are_counted() {
    let mut record = record();
    let template = record.samples.clone();
    for round in 1..30 {
        record.samples.extend(template.iter().map(|sample| Sample {
            item: format!("{}/{round}", sample.item),
            position: sample.position + 100 * round,
            ..sample.clone()
        }));
    }
    let report = report(&record);
    assert!(report.contains("Not shown: tuned 130 more."), "{report}");
}
