//! A training's folder from its first step over a kill to its end.

use super::*;
use crate::{FileIdentity, sha256_bytes};
use proptest::prelude::*;
use std::{collections::BTreeMap, fs, path::Path};

fn file(name: &str) -> FileIdentity {
    FileIdentity {
        name: name.to_owned(),
        bytes: name.len() as u64,
        sha256: sha256_bytes(name.as_bytes()),
    }
}

fn model() -> ModelSettings {
    ModelSettings {
        name: "tiny".to_owned(),
        files: vec![file("model.safetensors")],
        quantized: None,
    }
}

fn settings() -> TrainingSettings {
    TrainingSettings {
        evalh: "0.1.0".to_owned(),
        model: model(),
        data: DataSettings {
            name: "train".to_owned(),
            files: vec![file("train.jsonl")],
            loss: LossOn::Response,
            max_tokens: 160,
            chat_template: true,
            packing: false,
            examples: 9,
        },
        objective: Objective::CausalLm,
        method: Method::Lora,
        lora: Some(LoraSettings {
            rank: 16,
            alpha: 32.0,
            rslora: false,
            dropout: 0.05,
            targets: vec!["q_proj".to_owned()],
            rank_pattern: BTreeMap::from([("v_proj".to_owned(), 8)]),
            alpha_pattern: BTreeMap::new(),
            initial_sha256: None,
        }),
        layers: Layers {
            trained: vec![1, 3],
            of_layers: 4,
            chosen: LayerChoice::Probe {
                sha256: sha256_bytes(b"layers"),
                method: ProbeMethod::Cka,
            },
        },
        optimizer: OptimizerSettings {
            name: "adamw".to_owned(),
            learning_rate: 2e-4,
            schedule: Schedule::Cosine,
            warmup_steps: 3,
            betas: [0.9, 0.95],
            epsilon: 1e-7,
            weight_decay: 0.01,
            clip: Some(1.0),
            batch_size: 2,
            accumulation: 4,
            precision: Precision::F32,
        },
        length: Length::Steps(5),
        planned_steps: 5,
        seed: 1,
        budget: None,
        target: None,
    }
}

fn training() -> Training {
    Training {
        schema: TRAINING_SCHEMA,
        settings: settings(),
        trainable_parameters: 12,
        total_parameters: 120,
        command: "evalh train".to_owned(),
        machine: "a machine".to_owned(),
        threads: 2,
        sessions: 1,
        started: "2026-01-02T03:04:05Z".to_owned(),
        ended: None,
        seconds: Seconds::default(),
        steps: 0,
        tokens: 0,
        loss_tokens: 0,
        loss: None,
        peak_rss_bytes: Some(1 << 20),
        energy: Energy::Unavailable {
            reason: "no counter".to_owned(),
        },
        status: Status::Running,
    }
}

fn row(step: u64) -> StepRow {
    StepRow {
        step,
        loss: 2.0 / step as f64,
        learning_rate: 1e-4,
        gradient_norm: 0.3,
        tokens: 320,
        loss_tokens: 101,
        wall_s: 0.5 * step as f64,
        cpu_s: 0.75 * step as f64,
        rss_bytes: (step == 2).then_some(99),
        power_w: None,
        metric: (step == 3).then_some(1.5),
    }
}

/// A folder with `steps` steps and checkpoints after steps 2 and 4.
fn trained(dir: &Path, steps: u64) {
    let mut folder = TrainingFolder::claim(dir)
        .unwrap()
        .begin(training())
        .unwrap();
    for step in 1..=steps {
        folder.append(&row(step)).unwrap();
        if step % 2 == 0 {
            fs::create_dir_all(folder.checkpoint_dir(step)).unwrap();
        }
    }
}

#[test]
fn a_training_is_read_back_as_it_was_written() {
    let dir = tempfile::tempdir().unwrap();
    let mut folder = TrainingFolder::claim(dir.path())
        .unwrap()
        .begin(training())
        .unwrap();
    for step in 1..=3 {
        folder.append(&row(step)).unwrap();
    }
    folder.sync().unwrap();
    for status in [
        Status::Done,
        Status::Stopped {
            why: Stop::BudgetSpent,
        },
        Status::Failed(Failure {
            step: 4,
            layer: Some(2),
            tensor: Some("q_proj.lora_A".to_owned()),
            problem: "the loss is NaN".to_owned(),
        }),
    ] {
        assert!(status.is_over());
        folder
            .update(|training| {
                training.status = status.clone();
                training.loss = LossSummary::of(&[2.0, 1.0]);
                training.energy = Energy::Measured {
                    joules: 12.5,
                    source: "rapl".to_owned(),
                };
            })
            .unwrap();
        let read = TrainingRecord::read(dir.path()).unwrap();
        assert_eq!(&read.training, folder.training());
        assert_eq!(read.training.status, status);
        assert_eq!(read.steps, [row(1), row(2), row(3)]);
    }
}

#[test]
fn a_killed_training_goes_on_from_a_checkpoint_without_the_steps_after_it() {
    let dir = tempfile::tempdir().unwrap();
    trained(dir.path(), 5);
    let path = dir.path().join("steps.jsonl");
    let mut bytes = fs::read(&path).unwrap();
    bytes.extend(b"{\"step\":6,\"lo");
    fs::write(&path, &bytes).unwrap();
    assert_eq!(TrainingRecord::read(dir.path()).unwrap().steps.len(), 5);

    let found = TrainingFolder::open(dir.path()).unwrap();
    assert_eq!(found.steps().len(), 5);
    let (step, checkpoint) = found.last_checkpoint().unwrap().unwrap();
    assert_eq!(step, 4);
    assert!(checkpoint.ends_with("checkpoints/step-4"));
    let mut folder = found.resume(&settings(), step).unwrap();
    assert!(matches!(
        folder.append(&row(6)),
        Err(TrainingError::NotNext { step: 6, last: 4 })
    ));
    folder.append(&row(5)).unwrap();
    let steps = TrainingRecord::read(dir.path()).unwrap().steps;
    assert_eq!(steps.last(), Some(&row(5)));
    assert_eq!(steps.len(), 5);
}

#[test]
fn a_checkpoint_ahead_of_the_steps_is_passed_over() {
    let dir = tempfile::tempdir().unwrap();
    trained(dir.path(), 3);
    fs::create_dir_all(dir.path().join("checkpoints/step-8")).unwrap();
    fs::create_dir_all(dir.path().join("checkpoints/.step-3.partial")).unwrap();
    let found = TrainingFolder::open(dir.path()).unwrap();
    assert_eq!(found.last_checkpoint().unwrap().unwrap().0, 2);
    let error = found.resume(&settings(), 8).map(drop).unwrap_err();
    assert!(matches!(
        error,
        TrainingError::StepsMissing {
            last: 3,
            from: 8,
            ..
        }
    ));
}

#[test]
fn one_without_a_checkpoint_begins_anew() {
    let dir = tempfile::tempdir().unwrap();
    trained(dir.path(), 1);
    let found = TrainingFolder::open(dir.path()).unwrap();
    assert_eq!(found.last_checkpoint().unwrap(), None);
    found
        .resume(&settings(), 0)
        .unwrap()
        .append(&row(1))
        .unwrap();
    assert_eq!(TrainingRecord::read(dir.path()).unwrap().steps, [row(1)]);
}

#[test]
fn a_changed_setting_is_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    trained(dir.path(), 2);
    let mut other = settings();
    other.optimizer.learning_rate = 1e-3;
    let found = TrainingFolder::open(dir.path()).unwrap();
    let error = found.resume(&other, 2).map(drop).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("optimizer.learning_rate was 0.0002 and is now 0.001"),
        "{error}"
    );
    assert_eq!(TrainingRecord::read(dir.path()).unwrap().steps.len(), 2);
}

#[test]
fn folders_of_others_are_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    assert!(matches!(
        TrainingRecord::read(dir.path()),
        Err(TrainingError::NoTraining { .. })
    ));
    let claimed = TrainingFolder::claim(dir.path()).unwrap();
    assert!(matches!(
        TrainingFolder::claim(dir.path()),
        Err(TrainingError::Locked { .. })
    ));
    drop(claimed.begin(training()).unwrap());
    assert!(matches!(
        TrainingFolder::claim(dir.path()),
        Err(TrainingError::AlreadyATraining { .. })
    ));
    let other = tempfile::tempdir().unwrap();
    fs::write(other.path().join("thesis.tex"), "").unwrap();
    assert!(matches!(
        TrainingFolder::claim(other.path()),
        Err(TrainingError::NotEmpty { .. })
    ));
}

#[test]
fn numbers_that_json_cannot_hold_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let mut folder = TrainingFolder::claim(dir.path())
        .unwrap()
        .begin(training())
        .unwrap();
    let mut bad = row(1);
    bad.gradient_norm = f64::INFINITY;
    let error = folder.append(&bad).unwrap_err();
    assert!(matches!(
        error,
        TrainingError::NotFinite {
            step: 1,
            field: "gradient_norm"
        }
    ));
    folder.append(&row(1)).unwrap();
}

#[test]
fn a_newer_schema_is_refused_by_number_and_a_stray_field_by_name() {
    let path = Path::new("training.json");
    let error = Training::parse(path, br#"{"schema": 2, "new": 1}"#).unwrap_err();
    assert_eq!(
        error.to_string(),
        "training.json is of schema 2, this evalh reads schema 1"
    );
    let mut value = serde_json::to_value(training()).unwrap();
    value["settings"]["optimizer"]["momentum"] = 0.9.into();
    let error = Training::parse(path, &serde_json::to_vec(&value).unwrap()).unwrap_err();
    let TrainingError::Parse { source, .. } = error else {
        panic!("{error}")
    };
    assert!(source.to_string().contains("momentum"), "{source}");
}

fn selection() -> LayerSelection {
    LayerSelection {
        schema: LAYERS_SCHEMA,
        evalh: "0.1.0".to_owned(),
        method: ProbeMethod::Gradient,
        seed: 0,
        model: model(),
        data: Some(settings().data),
        batches: Some(5),
        samples: Some(10),
        scores: vec![0.5, 2.0, 1.0, 3.0],
        ranks: vec![4, 2, 3, 1],
        layers_to_transform: vec![1, 3],
        ratio: 0.5,
        seconds: Seconds {
            wall: 1.0,
            cpu: 2.0,
        },
    }
}

type Spoil = fn(&mut LayerSelection);

#[test]
fn selections_survive_the_disk_and_must_fit_together() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("layers.json");
    selection().write(&path).unwrap();
    assert_eq!(LayerSelection::read(&path).unwrap(), selection());
    let wrong: [(&str, Spoil); 4] = [
        ("`ranks` are not 1 to 4", |s| s.ranks[0] = 3),
        ("`layers_to_transform` has layer 4 of 4 layers", |s| {
            s.layers_to_transform = vec![1, 4];
        }),
        ("not ascending", |s| s.layers_to_transform = vec![3, 1]),
        ("is empty", |s| s.layers_to_transform.clear()),
    ];
    for (told, spoil) in wrong {
        let mut spoilt = selection();
        spoil(&mut spoilt);
        let text = serde_json::to_vec(&spoilt).unwrap();
        let error = LayerSelection::parse(&path, &text).unwrap_err().to_string();
        assert!(error.contains(told), "{error}");
    }
    let mut infinite = selection();
    infinite.scores[1] = f64::NAN;
    assert!(infinite.write(&path).is_err());
    assert_eq!(LayerSelection::read(&path).unwrap(), selection());
}

fn lines() -> Vec<u8> {
    (1..=4)
        .flat_map(|step| step::to_line(&row(step)).unwrap())
        .collect()
}

proptest! {
    #[test]
    fn every_cut_gives_the_whole_steps_before_it(cut in 0usize..2000) {
        let bytes = lines();
        let cut = &bytes[..cut % (bytes.len() + 1)];
        let parsed = parse_steps(Path::new("s"), cut).unwrap();
        let whole = cut.split(|&b| b == b'\n').count() - 1;
        prop_assert_eq!(parsed.steps.len(), whole);
        prop_assert!(cut.len() - parsed.whole_bytes() < bytes.len() / 2);
        prop_assert!(!cut[parsed.whole_bytes()..].contains(&b'\n'));
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        if let Ok(parsed) = parse_steps(Path::new("s"), &bytes) {
            prop_assert!(parsed.whole_bytes() <= bytes.len());
        }
        let _ = Training::parse(Path::new("t"), &bytes);
        let _ = LayerSelection::parse(Path::new("l"), &bytes);
    }

    #[test]
    fn steps_survive_their_line(
        loss in -1e300f64..1e300, rate in 0.0f64..1.0, norm in 0.0f64..1e30, wall in 0.0f64..1e7,
        rss in proptest::option::of(any::<u64>()), power in proptest::option::of(0.0f64..1e4)
    ) {
        let made = StepRow {
            loss, learning_rate: rate, gradient_norm: norm, wall_s: wall, rss_bytes: rss, power_w: power, ..row(1)
        };
        let parsed = parse_steps(Path::new("s"), &step::to_line(&made).unwrap()).unwrap();
        prop_assert_eq!(parsed.steps, [made]);
    }
}
