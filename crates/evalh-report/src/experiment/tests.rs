//! An experiment made up by a formula: what is computed, and what its report says.

use super::*;
use crate::{
    Comparison, Style,
    compare::{Against, Contrast, Finding, Role},
    plot::example::{contrast, empty, metric, noise, part, scored, suite, variant},
};
use evalh_record::{
    FileIdentity, Part, Sha256, sha256_bytes,
    training::{
        Budget, DataSettings, Energy, Failure, LAYERS_SCHEMA, LayerChoice, LayerSelection, Layers,
        Length, LoraSettings, LossOn, LossSummary, Method, ModelSettings, Objective,
        OptimizerSettings, Precision, ProbeMethod, Schedule, Seconds, Status, StepRow, Stop,
        TRAINING_SCHEMA, Target, TargetMetric, Training, TrainingRecord, TrainingSettings,
    },
};
use std::collections::BTreeMap;

const STEPS: u64 = 40;

fn file(name: &str) -> FileIdentity {
    FileIdentity {
        name: name.into(),
        bytes: 1,
        sha256: sha256_bytes(name.as_bytes()),
    }
}

fn model() -> ModelSettings {
    ModelSettings {
        name: "smollm2-135m".into(),
        files: vec![file("model.safetensors")],
        quantized: None,
    }
}

fn data() -> DataSettings {
    DataSettings {
        name: "gsm8k-train".into(),
        files: vec![file("train.jsonl")],
        loss: LossOn::Response,
        max_tokens: 160,
        chat_template: false,
        packing: false,
        examples: 7473,
    }
}

fn hash() -> Sha256 {
    sha256_bytes(b"layers.json")
}

/// A training of the standard arm: 40 steps of about 3 seconds.
fn standard(seed: u64, step_seconds: f64) -> TrainingRecord {
    let at = |step: u64| seed as usize * 1000 + step as usize;
    let steps: Vec<StepRow> = (1..=STEPS)
        .map(|step| StepRow {
            step,
            loss: 2.5 / (1.0 + step as f64 / 20.0) + 0.1 * noise(at(step)),
            learning_rate: 1e-4,
            gradient_norm: 1.0,
            tokens: 320,
            loss_tokens: 100,
            wall_s: step as f64 * step_seconds + 0.02 * noise(at(step)),
            cpu_s: step as f64 * step_seconds * 1.9,
            rss_bytes: Some(1 << 30),
            power_w: None,
            metric: None,
        })
        .collect();
    let mut record = TrainingRecord {
        training: Training {
            schema: TRAINING_SCHEMA,
            settings: TrainingSettings {
                evalh: "0.1.0".into(),
                model: model(),
                data: data(),
                objective: Objective::CausalLm,
                method: Method::Lora,
                lora: Some(LoraSettings {
                    rank: 16,
                    alpha: 32.0,
                    rslora: false,
                    dropout: 0.0,
                    targets: vec!["q_proj".into()],
                    rank_pattern: BTreeMap::new(),
                    alpha_pattern: BTreeMap::new(),
                    initial_sha256: None,
                }),
                layers: Layers {
                    trained: (0..6).collect(),
                    of_layers: 6,
                    chosen: LayerChoice::All,
                },
                optimizer: OptimizerSettings {
                    name: "adamw".into(),
                    learning_rate: 1e-4,
                    schedule: Schedule::Cosine,
                    warmup_steps: 2,
                    betas: [0.9, 0.95],
                    epsilon: 1e-7,
                    weight_decay: 0.01,
                    clip: Some(1.0),
                    batch_size: 2,
                    accumulation: 1,
                    precision: Precision::F32,
                },
                length: Length::Steps(STEPS),
                planned_steps: STEPS,
                seed,
                budget: None,
                target: None,
            },
            trainable_parameters: 4_884_480,
            total_parameters: 139_399_488,
            command: "evalh experiment plan.toml".into(),
            machine: "a machine, 8 GiB".into(),
            threads: 2,
            sessions: 1,
            started: "2026-01-02T03:04:05Z".into(),
            ended: Some("2026-01-02T03:07:05Z".into()),
            seconds: Seconds::default(),
            steps: 0,
            tokens: 0,
            loss_tokens: 0,
            loss: None,
            peak_rss_bytes: Some(1_400 << 20),
            energy: Energy::Unavailable {
                reason: "no counter can be read".into(),
            },
            status: Status::Done,
        },
        steps,
    };
    sum_up(&mut record);
    record
}

/// What the steps come to.
fn sum_up(record: &mut TrainingRecord) {
    let losses: Vec<f64> = record.steps.iter().map(|step| step.loss).collect();
    let training = &mut record.training;
    training.steps = losses.len() as u64;
    training.tokens = 320 * training.steps;
    training.loss = LossSummary::of(&losses);
    training.seconds = record
        .steps
        .last()
        .map_or(Seconds::default(), |last| Seconds {
            wall: last.wall_s,
            cpu: last.cpu_s,
        });
}

fn selective(seed: u64, step_seconds: f64) -> TrainingRecord {
    let mut record = standard(seed, step_seconds);
    record.training.trainable_parameters /= 2;
    record.training.settings.layers = Layers {
        trained: vec![1, 4, 5],
        of_layers: 6,
        chosen: LayerChoice::Probe {
            sha256: hash(),
            method: ProbeMethod::Gradient,
        },
    };
    for step in &mut record.steps {
        step.loss += 0.02 + 0.01 * noise(seed as usize);
    }
    sum_up(&mut record);
    record
}

fn matched(seed: u64, of: &TrainingRecord) -> TrainingRecord {
    let mut record = selective(seed, 2.2);
    let budget = of.training.seconds.wall;
    let extra = (budget / 2.2) as u64 - STEPS;
    for step in STEPS + 1..=STEPS + extra {
        let last = record.steps[record.steps.len() - 1];
        record.steps.push(StepRow {
            step,
            loss: last.loss - 0.005,
            wall_s: last.wall_s + 2.2,
            ..last
        });
    }
    record.training.settings.budget = Some(Budget {
        of: format!("standard-s{seed}"),
        wall_seconds: budget,
    });
    record.training.settings.planned_steps = 200;
    record.training.status = Status::Stopped {
        why: Stop::BudgetSpent,
    };
    sum_up(&mut record);
    record
}

fn to_target(mut record: TrainingRecord, steps: usize, reached: bool) -> TrainingRecord {
    record.steps.truncate(steps);
    record.training.settings.target = Some(Target {
        metric: TargetMetric::Loss,
        value: 1.3,
        data: Vec::new(),
        every: 10,
    });
    if reached {
        record.training.status = Status::Stopped {
            why: Stop::TargetReached,
        };
    }
    sum_up(&mut record);
    record
}

/// The trainings of an arm by seed; `None` did not begin.
type Runs = Vec<(u64, Option<TrainingRecord>)>;

/// Six arms, three seeds; one training failed and one did not begin.
fn trainings() -> Vec<(&'static str, Runs)> {
    let seeds = [1, 2, 3];
    let of =
        |make: &dyn Fn(u64) -> TrainingRecord| seeds.map(|seed| (seed, Some(make(seed)))).to_vec();
    let pace = |seed: u64| 3.0 + 0.1 * noise(seed as usize + 70);
    let mut random = of(&|seed| selective(seed, 0.8 * pace(seed)));
    for (_, record) in &mut random {
        let settings = &mut record.as_mut().unwrap().training.settings;
        settings.lora.as_mut().unwrap().rank = 8;
        settings.layers.trained = vec![0, 2, 3];
        settings.layers.chosen = LayerChoice::List;
    }
    let failed = random[1].1.as_mut().unwrap();
    failed.steps.truncate(7);
    sum_up(failed);
    failed.training.status = Status::Failed(Failure {
        step: 8,
        layer: Some(3),
        tensor: Some("v_proj.lora_B".into()),
        problem: "the loss is NaN".into(),
    });
    random[2].1 = None;
    vec![
        ("standard", of(&|seed| standard(seed, pace(seed)))),
        (
            "gradient",
            of(&|seed| selective(seed, (0.72 + 0.01 * noise(seed as usize)) * pace(seed))),
        ),
        (
            "matched",
            of(&|seed| matched(seed, &standard(seed, pace(seed)))),
        ),
        ("random", random),
        (
            "standard-iso",
            of(&|seed| to_target(standard(seed, pace(seed)), 30, true)),
        ),
        (
            "gradient-iso",
            of(&|seed| {
                let is_slow = seed == 3;
                let steps = if is_slow { STEPS } else { 30 + seed } as usize;
                to_target(selective(seed, 0.75 * pace(seed)), steps, !is_slow)
            }),
        ),
    ]
}

fn probe() -> LayerSelection {
    LayerSelection {
        schema: LAYERS_SCHEMA,
        evalh: "0.1.0".into(),
        method: ProbeMethod::Gradient,
        seed: 0,
        model: model(),
        data: Some(data()),
        batches: Some(5),
        samples: None,
        scores: vec![0.31, 0.82, 0.45, 0.4, 1.2, 0.97],
        ranks: vec![6, 3, 4, 5, 1, 2],
        layers_to_transform: vec![1, 4, 5],
        ratio: 0.5,
        seconds: Seconds {
            wall: 4.5,
            cpu: 8.6,
        },
    }
}

/// What the arms answered: better on what was trained for, and the standard arm worse on the guard.
fn answered(trainings: &[(&str, Runs)]) -> Comparison {
    let mut found = empty();
    found
        .variants
        .push(variant("base", "smollm2-135m", Role::Base, None));
    let (mut target, mut guard): (Vec<Contrast>, Vec<Contrast>) = (Vec::new(), Vec::new());
    for (arm, runs) in trainings {
        for (seed, _) in runs.iter().filter(|(_, record)| record.is_some()) {
            let at = found.variants.len();
            let shift = 0.004 * noise(at + 300);
            let role = if arm.starts_with("standard") {
                Role::Standard
            } else {
                Role::Selective
            };
            found.variants.push(variant(
                &format!("{arm}-s{seed}"),
                "smollm2-135m",
                role,
                Some(0),
            ));
            let forgotten = if arm.starts_with("standard") {
                -0.09
            } else {
                -0.011
            };
            target.push(contrast(
                at,
                0,
                Against::Base,
                0.08 + shift,
                0.03,
                Finding::Better,
            ));
            guard.push(contrast(
                at,
                0,
                Against::Base,
                forgotten - shift,
                0.02,
                Finding::Inconclusive,
            ));
        }
    }
    let suites = [
        ("gsm8k", "exact_match,strict-match", 0.02, target),
        ("mini_mmlu", "acc", 0.31, guard),
    ];
    found.suites = suites
        .into_iter()
        .map(|(name, of, base, contrasts)| {
            let each = contrasts
                .iter()
                .map(|of| scored(of.variant, base + of.value, 0.03, 200));
            let scores = [scored(0, base, 0.03, 200)]
                .into_iter()
                .chain(each)
                .collect();
            suite(
                name,
                "lm-eval",
                200,
                vec![part(Part::Whole, name, metric(of, scores, contrasts))],
            )
        })
        .collect();
    found
}

/// The analysis of some trainings.
fn analysed(trainings: &[(&str, Runs)], comparison: Option<&Comparison>) -> Experiment {
    let selection = probe();
    let sha256 = hash();
    let names: Vec<Vec<String>> = trainings
        .iter()
        .map(|(arm, runs)| {
            runs.iter()
                .map(|(seed, _)| format!("{arm}-s{seed}"))
                .collect()
        })
        .collect();
    let arms = trainings
        .iter()
        .zip(&names)
        .map(|((name, runs), names)| ArmInput {
            name,
            runs: runs
                .iter()
                .zip(names)
                .map(|((seed, record), variant)| RunInput {
                    variant,
                    seed: *seed,
                    record: record.as_ref(),
                    problem: record
                        .is_none()
                        .then_some("no space was left on the device"),
                })
                .collect(),
        });
    analyse(&ExperimentInput {
        name: "aletheia-small",
        arms: arms.collect(),
        probes: vec![ProbeInput {
            name: "gradient-50",
            sha256: &sha256,
            selection: &selection,
        }],
        comparison,
        target: &["gsm8k".to_owned()],
        guard: &["mini_mmlu".to_owned()],
        confidence: 0.95,
    })
}

fn whole() -> Experiment {
    let trainings = trainings();
    analysed(&trainings, Some(&answered(&trainings)))
}

#[test]
fn arms_are_held_against_the_arm_that_ends_alike() {
    let found = whole();
    let references: Vec<Option<usize>> = found.arms.iter().map(|arm| arm.reference).collect();
    assert_eq!(references, [None, Some(0), Some(0), Some(0), None, Some(4)]);
    assert_eq!(found.standard, Some(0));
    assert_eq!(
        found.arms[2].ending,
        Ending::Compute {
            of: "standard".into()
        }
    );
    let gradient = &found.arms[1];
    let speed = gradient.speed.as_ref().unwrap();
    assert_eq!(speed.claim, Claim::Higher);
    assert!((speed.value - 1.0 / 0.725).abs() < 0.01, "{}", speed.value);
    assert!(gradient.speed_with_probe.as_ref().unwrap().value < speed.value);
    assert_eq!(
        gradient.loss_difference.as_ref().unwrap().claim,
        Claim::Higher
    );
    assert!(
        (found.probes[0].share.unwrap() - 4.5 / found.arms[0].wall.unwrap().mean).abs() < 1e-12
    );
    assert_eq!(
        found.probes[0].arms,
        ["gradient", "matched", "gradient-iso"]
    );
}

#[test]
fn the_same_compute_has_no_speed_and_more_steps() {
    let found = whole();
    let matched = &found.arms[2];
    assert!(matched.speed.is_none() && matched.speed_with_probe.is_none());
    let steps = matched.steps_ratio.as_ref().unwrap();
    assert!(steps.value > 1.2 && steps.claim == Claim::Higher);
    assert!(matched.differing.is_empty(), "{:?}", matched.differing);
}

#[test]
fn what_failed_is_a_row_and_no_number() {
    let found = whole();
    let random = &found.arms[3];
    let states: Vec<&str> = random.runs.iter().map(RunResult::state).collect();
    assert_eq!(states, ["done", "failed", "not begun"]);
    assert_eq!(
        random.runs[1].problem.as_deref(),
        Some("step 8, layer 3, v_proj.lora_B: the loss is NaN")
    );
    assert_eq!(random.wall.unwrap().seeds, 1);
    assert_eq!(random.speed.as_ref().unwrap().claim, Claim::TooFewSeeds);
    assert_eq!(random.differing[0].field, "lora.rank");
    assert!(
        found
            .cautions
            .iter()
            .any(|caution| caution.starts_with("2 of 18 trainings"))
    );
}

#[test]
fn only_targets_that_both_reached_are_timed() {
    let found = whole();
    let iso = &found.arms[5];
    let speed = iso.speed.as_ref().unwrap();
    assert_eq!(
        speed.each.iter().map(|(seed, _)| *seed).collect::<Vec<_>>(),
        [1, 2]
    );
    assert_eq!(speed.claim, Claim::TooFewSeeds);
    assert!(iso.loss_difference.is_none());
    let told = found
        .findings
        .iter()
        .find(|of| of.sentence.contains("did not reach"));
    assert_eq!(
        told.unwrap().sentence,
        "gradient-iso did not reach 1.3 in 1 of 3 trainings"
    );
}

#[test]
fn scores_are_claimed_where_seeds_and_items_agree() {
    let found = whole();
    let guard = &found.scores[1];
    assert_eq!(
        (guard.suite.as_str(), guard.purpose),
        ("mini_mmlu", Purpose::Guard)
    );
    let [standard, gradient] = &guard.arms[..2] else {
        panic!()
    };
    assert_eq!(standard.delta.claim, Claim::Lower);
    // Every seed loses, but no more than items alone make.
    assert!(gradient.delta.p.unwrap() < 0.05);
    assert_eq!(gradient.delta.claim, Claim::Inconclusive);
    assert_eq!(gradient.extra.as_ref().unwrap().claim, Claim::Higher);
    assert!((gradient.extra.as_ref().unwrap().value - 0.079).abs() < 0.006);
    assert!(standard.extra.is_none());
    assert_eq!(standard.gain_per_million.map(|gain| gain < 0.0), Some(true));
}

#[test]
fn other_machines_and_sessions_are_told() {
    let mut trainings = trainings();
    trainings.truncate(2);
    let run = trainings[1].1[0].1.as_mut().unwrap();
    run.training.threads = 1;
    run.training.sessions = 2;
    let found = analysed(&trainings, None);
    assert!(found.scores.is_empty());
    assert!(
        found.cautions[0].contains("cannot be compared"),
        "{:?}",
        found.cautions
    );
    assert!(found.cautions[1].starts_with("gradient-s1 took several sessions"));
}

#[test]
fn one_seed_claims_nothing() {
    let mut trainings = trainings();
    for (_, runs) in &mut trainings {
        runs.truncate(1);
    }
    let comparison = answered(&trainings);
    let found = analysed(&trainings, Some(&comparison));
    assert!(
        found
            .findings
            .iter()
            .all(|of| matches!(of.claim, Claim::TooFewSeeds | Claim::Untested))
    );
    assert!(
        found.cautions[0].starts_with("1 seed tell"),
        "{}",
        found.cautions[0]
    );
    assert!(markdown(&found, &[]).contains("No difference is shown beyond chance."));
}

#[test]
fn nothing_at_all_is_a_report() {
    let found = analysed(&[], None);
    assert!(markdown(&found, &[]).contains("nothing to hold times against"));
    assert!(terminal(&found, Style::Plain).starts_with("arm"));
    assert!(
        csv_files(&found)
            .iter()
            .all(|(name, text)| !text.is_empty() && name.ends_with(".csv"))
    );
}

#[test]
fn the_report_says_what_was_found() {
    insta::assert_snapshot!(markdown(&whole(), &[]));
}

#[test]
fn the_terminal_says_it_in_short() {
    insta::assert_snapshot!(terminal(&whole(), Style::Plain));
}

#[test]
fn tables_and_json_hold_everything() {
    let found = whole();
    let files = csv_files(&found);
    let first = |text: &str| text.lines().take(4).collect::<Vec<_>>().join("\n");
    insta::assert_snapshot!(
        files
            .iter()
            .map(|(name, text)| format!("{name}\n{}", first(text)))
            .collect::<Vec<_>>()
            .join("\n\n")
    );
    let rows: Vec<usize> = files
        .iter()
        .map(|(_, text)| text.lines().count() - 1)
        .collect();
    assert_eq!(rows[0], 18);
    assert_eq!((rows[2], rows[3]), (12, 6));
    let read: serde_json::Value = serde_json::from_str(&json(&found)).unwrap();
    assert_eq!(read["schema"], EXPERIMENT_SCHEMA);
    assert_eq!(read["arms"][3]["runs"][1]["status"]["layer"], 3);
}

#[test]
fn layers_are_drawn() {
    let figures = figures(&whole());
    assert_eq!(figures.len(), 1);
    let svg = &figures[0].svg;
    roxmltree::Document::parse(svg).unwrap();
    assert_eq!(svg.matches("<g><title>layer").count(), 6);
    assert_eq!(svg.matches(", selected").count(), 3);
}
