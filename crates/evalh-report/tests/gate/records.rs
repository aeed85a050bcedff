//! Records that were never run: scores are drawn, or given item by item.

use evalh_record::{
    AdapterPart, AdapterSettings, Answer, CheckpointSettings, ContinuationScore, FileIdentity,
    Finish, Generation, Held, Manifest, Outcome, Part, Provenance, Record, ResultRow, Sample,
    SamplingSettings, Settings, Sitting, SuiteSettings, TaskSettings, TextScore, Timings,
    VariantSettings, VariantTimings, sha256_bytes,
};
use evalh_report::{
    baseline::Baseline,
    compare::Role,
    gate::{GateReport, GateResult, Inputs, Policy, judge},
};
use evalh_stats::{Bootstrap, Estimate, classification, mean};
use std::{collections::BTreeMap, path::Path};

/// The variants of [`run`], in their order.
pub const VARIANTS: [&str; 3] = ["smollm", "good", "broken"];
/// Their roles.
pub const ROLES: [Role; 3] = [Role::Base, Role::Standard, Role::Selective];

/// Draws numbers in [0, 1) from a seed: enough for records that were never run.
pub struct Draws(pub u64);

impl Draws {
    pub fn next(&mut self) -> f64 {
        // SplitMix64 (Steele, Lea and Flood 2014).
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }
}

pub fn file(name: &str) -> FileIdentity {
    FileIdentity {
        name: name.into(),
        bytes: 1000,
        sha256: sha256_bytes(name.as_bytes()),
    }
}

fn variant(name: &str, is_base: bool) -> VariantSettings {
    VariantSettings {
        name: name.into(),
        checkpoint: "smollm".into(),
        adapter: (!is_base).then(|| AdapterSettings {
            apply: "unmerged".into(),
            parts: vec![AdapterPart {
                files: vec![file(name)],
                weight: 1.0,
            }],
            modules: 2,
            layers: vec![0],
            of_layers: 2,
            parameters: 100,
        }),
    }
}

/// A record without suites.
pub fn empty(variants: &[&str]) -> Record {
    let settings = Settings {
        evalh: "0.1.0".into(),
        suites: Vec::new(),
        checkpoints: vec![CheckpointSettings {
            name: "smollm".into(),
            files: vec![file("model.safetensors")],
            stored: "BF16".into(),
            parameters: 134_515_008,
            quantized: None,
            chat_template_sha256: None,
            chat_template_moment: None,
        }],
        variants: (variants.iter().enumerate())
            .map(|(place, name)| variant(name, place == 0))
            .collect(),
        device: "cpu".into(),
        kernel: "auto".into(),
        dtype: "f32".into(),
        sandbox: None,
    };
    let timing = |(place, name): (usize, &&str)| VariantTimings {
        variant: (*name).into(),
        prefill_tokens: 10_000,
        prefill_seconds: 20.0,
        decode_tokens: 6000,
        decode_seconds: 100.0 + 20.0 * place as f64,
        kept_tokens: 6000,
        ..VariantTimings::default()
    };
    Record {
        manifest: Manifest::new(settings, Provenance::default()),
        samples: Vec::new(),
        results: Vec::new(),
        timings: Timings {
            sessions: 1,
            sittings: vec![Sitting {
                variants: variants.iter().enumerate().map(timing).collect(),
                peak_memory_bytes: Some(700 << 20),
                held: Some(Held {
                    parameters: 134_515_008,
                    bytes: 1 << 28,
                    adapter_bytes: 1 << 20,
                    dtype: "bf16".into(),
                }),
                ..Sitting::default()
            }],
            ..Timings::default()
        },
    }
}

/// What a variant answered to one item.
pub struct Answered {
    pub answer: Answer,
    pub outcome: Option<Outcome>,
    pub score: f64,
    /// What was read out, and what is right.
    pub labels: Option<(String, String)>,
}

impl Answered {
    pub fn right(is_right: bool) -> Answered {
        Answered {
            answer: Answer::Scored(vec![ContinuationScore {
                log_prob: if is_right { -1.0 } else { -2.0 },
                tokens: 1,
                is_greedy: is_right,
            }]),
            outcome: None,
            score: f64::from(u8::from(is_right)),
            labels: None,
        }
    }

    pub fn program(outcome: Outcome) -> Answered {
        Answered {
            answer: Answer::Generated(Generation {
                text: "def f(): pass".into(),
                tokens: 9,
                finish: Finish::Eos(2),
            }),
            score: f64::from(u8::from(outcome.is_passed())),
            outcome: Some(outcome),
            labels: None,
        }
    }

    /// Yes or no, of which yes is right on every second item.
    pub fn label(place: usize, is_right: bool) -> Answered {
        let label = |yes: bool| if yes { "yes" } else { "no" }.to_owned();
        let target = place.is_multiple_of(2);
        Answered {
            labels: Some((label(target == is_right), label(target))),
            ..Answered::right(is_right)
        }
    }

    pub fn loss(nats: f64, tokens: usize) -> Answered {
        Answered {
            answer: Answer::Loss(TextScore {
                log_prob: -nats,
                tokens,
                bytes: 4 * tokens,
                windows: 1,
            }),
            outcome: None,
            score: nats / tokens as f64,
            labels: None,
        }
    }
}

/// A task of a suite that is added to a record.
pub struct Task<'t> {
    pub suite: &'t str,
    pub name: &'t str,
    pub group: Option<&'t str>,
    pub metric: &'t str,
    pub chance: Option<f64>,
}

/// Adds a task: of each variant its answers, item by item.
pub fn add(record: &mut Record, task: &Task<'_>, answers: Vec<Vec<Answered>>) {
    let items = answers.first().map_or(0, Vec::len);
    let settings = &mut record.manifest.settings;
    if !settings.suites.iter().any(|suite| suite.name == task.suite) {
        settings.suites.push(SuiteSettings {
            name: task.suite.into(),
            protocol: "lm-eval".into(),
            tasks: Vec::new(),
            shots: 0,
            items: 0,
            limit: None,
            samples: 1,
            sampling: Some(SamplingSettings {
                temperature: 0.0,
                top_p: 1.0,
                seed: 0,
            }),
            max_new_tokens: Some(512),
            options: serde_json::Map::new(),
            data: vec![file(task.suite)],
        });
    }
    let suite = (settings.suites.iter_mut())
        .find(|suite| suite.name == task.suite)
        .unwrap();
    let first = suite.items;
    suite.items += items;
    suite.tasks.push(TaskSettings {
        name: task.name.into(),
        group: task.group.map(str::to_owned),
        items,
    });
    let names: Vec<String> = settings.variants.iter().map(|v| v.name.clone()).collect();
    for (variant, answers) in names.iter().zip(answers) {
        for (place, answered) in answers.into_iter().enumerate() {
            let (extracted, target) = answered.labels.unzip();
            record.samples.push(Sample {
                suite: task.suite.into(),
                task: task.name.into(),
                protocol: "lm-eval".into(),
                variant: variant.clone(),
                item: format!("{}/{place}", task.name),
                position: first + place,
                sample: 0,
                shots: Vec::new(),
                prompt_sha256: sha256_bytes(b"p"),
                prompt_tokens: 100,
                truncated_tokens: 0,
                answer: answered.answer,
                extracted,
                target,
                program_sha256: None,
                outcome: answered.outcome,
                suspicions: Vec::new(),
                score: answered.score,
                scores: BTreeMap::new(),
            });
        }
    }
    rows(record, task);
}

/// Makes the rows of a task's suite anew: its whole, its groups, its tasks.
fn rows(record: &mut Record, task: &Task<'_>) {
    let suite = (record.manifest.settings.suites.iter())
        .find(|suite| suite.name == task.suite)
        .unwrap()
        .clone();
    record.results.retain(|row| row.suite != suite.name);
    let mut parts = vec![(Part::Whole, suite.name.clone())];
    for of in &suite.tasks {
        if let Some(group) = &of.group
            && !parts.contains(&(Part::Group, group.clone()))
        {
            parts.push((Part::Group, group.clone()));
        }
    }
    if suite.tasks.len() > 1 {
        parts.extend((suite.tasks.iter()).map(|of| (Part::Task, of.name.clone())));
    }
    for variant in &record.manifest.settings.variants {
        for (part, name) in &parts {
            let counts = |sample: &&Sample| {
                let group = (suite.tasks.iter())
                    .find(|of| of.name == sample.task)
                    .and_then(|of| of.group.as_ref());
                sample.suite == suite.name
                    && sample.variant == variant.name
                    && match part {
                        Part::Whole => true,
                        Part::Group => group == Some(name),
                        Part::Task => sample.task == *name,
                    }
            };
            let samples: Vec<&Sample> = record.samples.iter().filter(counts).collect();
            let Some(estimate) = value(task.metric, &samples) else {
                continue;
            };
            record.results.push(ResultRow {
                suite: suite.name.clone(),
                task: name.clone(),
                part: *part,
                protocol: "lm-eval".into(),
                variant: variant.name.clone(),
                metric: task.metric.into(),
                value: estimate.value,
                stderr: estimate.stderr,
                n: estimate.n,
                chance: task.chance,
            });
        }
    }
}

fn value(metric: &str, samples: &[&Sample]) -> Option<Estimate> {
    let scores: Vec<f64> = samples.iter().map(|sample| sample.score).collect();
    let plain = mean(&scores)?;
    Some(match metric {
        "nats_per_token" => {
            let (mut nats, mut tokens) = (0.0, 0.0);
            for sample in samples {
                let Answer::Loss(text) = &sample.answer else {
                    return None;
                };
                nats -= text.log_prob;
                tokens += text.tokens as f64;
            }
            Estimate {
                value: nats / tokens,
                ..plain
            }
        }
        "f1" => {
            let yes = |label: &Option<String>| usize::from(label.as_deref() == Some("yes"));
            let right: Vec<usize> = samples.iter().map(|sample| yes(&sample.target)).collect();
            let found: Vec<usize> = samples
                .iter()
                .map(|sample| yes(&sample.extracted))
                .collect();
            classification::f1(&right, &found, 1, Bootstrap::default())?
        }
        _ => plain,
    })
}

/// A run of three variants on `mmlu` (two groups of two subjects), `humaneval`, `gsm8k_loss` and `detect` (F1), with so
/// many items in each subject and suite. `good` hardly differs from the base; `broken` guesses.
pub fn run(items: usize) -> Record {
    let mut record = empty(&VARIANTS);
    let mut draws = Draws(11);
    for (subject, group) in [
        ("algebra", "stem"),
        ("physics", "stem"),
        ("law", "humanities"),
        ("history", "humanities"),
    ] {
        let task = Task {
            suite: "mmlu",
            name: subject,
            group: Some(group),
            metric: "acc",
            chance: Some(0.25),
        };
        let answers = rights(&mut draws, items, 0.6, 0.25);
        let answers = answers
            .into_iter()
            .map(|of| of.into_iter().map(Answered::right).collect());
        add(&mut record, &task, answers.collect());
    }
    let whole = |suite: &'static str, metric: &'static str| Task {
        suite,
        name: suite,
        group: None,
        metric,
        chance: None,
    };
    let programs = rights(&mut draws, items, 0.3, 0.0).into_iter().map(|of| {
        let outcome = |(place, passed): (usize, bool)| match (passed, place % 10) {
            (true, _) => Outcome::Passed,
            (false, 0) => Outcome::TimedOut,
            (false, 1) => Outcome::Crashed {
                reason: "trap".into(),
            },
            (false, _) => Outcome::Failed {
                message: String::new(),
            },
        };
        let answers = of.into_iter().enumerate();
        answers
            .map(|answer| Answered::program(outcome(answer)))
            .collect()
    });
    let programs = programs.collect();
    add(&mut record, &whole("humaneval", "pass@1"), programs);
    let texts: Vec<(f64, usize)> = (0..items)
        .map(|_| {
            (
                40.0 + 30.0 * draws.next(),
                20 + (20.0 * draws.next()) as usize,
            )
        })
        .collect();
    let losses = [1.0, 1.002, 2.5].map(|times| {
        let loss = |&(nats, tokens): &(f64, usize)| {
            Answered::loss(nats * times + draws.next() * 0.1, tokens)
        };
        texts.iter().map(loss).collect()
    });
    add(
        &mut record,
        &whole("gsm8k_loss", "nats_per_token"),
        losses.into(),
    );
    let detected = rights(&mut draws, items, 0.7, 0.4).into_iter();
    let detected = detected.map(|of| {
        let answers = of.into_iter().enumerate();
        let answers = answers.map(|(place, is_right)| Answered::label(place, is_right));
        answers.collect()
    });
    add(&mut record, &whole("detect", "f1"), detected.collect());
    record
}

/// Right and wrong answers of a base, of a variant that differs on one item of fifty, won and lost in turn, and of one
/// that has its own rate.
fn rights(draws: &mut Draws, items: usize, base: f64, broken: f64) -> Vec<Vec<bool>> {
    let of_base: Vec<bool> = (0..items).map(|_| draws.next() < base).collect();
    let flip = |(place, &right): (usize, &bool)| match place % 100 {
        17 => true,
        67 => false,
        _ => right,
    };
    let good = of_base.iter().enumerate().map(flip).collect();
    let broken = (0..items).map(|_| draws.next() < broken).collect();
    vec![of_base, good, broken]
}

/// A record of a base and a variant, right or wrong on each item.
pub fn paired(base: &[bool], variant: &[bool]) -> Record {
    let mut record = empty(&["base", "tuned"]);
    let task = Task {
        suite: "s",
        name: "s",
        group: None,
        metric: "acc",
        chance: None,
    };
    let answers =
        [base, variant].map(|of| of.iter().map(|&right| Answered::right(right)).collect());
    add(&mut record, &task, answers.into());
    record
}

/// A record of so many items on which the variant gained and lost so many.
pub fn table(gained: usize, lost: usize, items: usize) -> Record {
    let base: Vec<bool> = (0..items).map(|place| place >= gained).collect();
    let variant: Vec<bool> = (0..items).map(|place| place < items - lost).collect();
    paired(&base, &variant)
}

/// A policy of this text.
pub fn policy(text: &str) -> Policy {
    Policy::parse(Path::new("gate.toml"), text).unwrap_or_else(|error| panic!("{error}"))
}

/// What comes of a policy for a record.
pub fn judged(text: &str, record: &Record) -> GateResult<GateReport> {
    judge(&policy(text), &inputs(record, None))
}

pub fn inputs<'r>(record: &'r Record, baseline: Option<&'r Baseline>) -> Inputs<'r> {
    Inputs {
        run: "runs/new",
        record,
        roles: &ROLES,
        baseline: baseline.map(|baseline| ("baseline.json", baseline)),
        bench: None,
        force: false,
    }
}
