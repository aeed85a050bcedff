//! An experiment for tests, made up by a formula.

use super::{ArmInput, Experiment, ExperimentInput, ProbeInput, RunInput, analyse};
use crate::{
    Comparison,
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

pub fn file(name: &str) -> FileIdentity {
    FileIdentity {
        name: name.into(),
        bytes: 1,
        sha256: sha256_bytes(name.as_bytes()),
    }
}

pub fn model() -> ModelSettings {
    ModelSettings {
        name: "smollm2-135m".into(),
        files: vec![file("model.safetensors")],
        quantized: None,
    }
}

pub fn data() -> DataSettings {
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

pub fn hash() -> Sha256 {
    sha256_bytes(b"layers.json")
}

/// A training of the standard arm: 40 steps of about 3 seconds.
pub fn standard(seed: u64, step_seconds: f64) -> TrainingRecord {
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
pub fn sum_up(record: &mut TrainingRecord) {
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

pub fn selective(seed: u64, step_seconds: f64) -> TrainingRecord {
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

pub fn matched(seed: u64, of: &TrainingRecord) -> TrainingRecord {
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

pub fn to_target(mut record: TrainingRecord, steps: usize, reached: bool) -> TrainingRecord {
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
pub type Runs = Vec<(u64, Option<TrainingRecord>)>;

/// Six arms, three seeds; one training failed and one did not begin.
pub fn trainings() -> Vec<(&'static str, Runs)> {
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

pub fn probe() -> LayerSelection {
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
pub fn answered(trainings: &[(&str, Runs)]) -> Comparison {
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
pub fn analysed(trainings: &[(&str, Runs)], comparison: Option<&Comparison>) -> Experiment {
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

pub fn whole() -> Experiment {
    let trainings = trainings();
    analysed(&trainings, Some(&answered(&trainings)))
}
