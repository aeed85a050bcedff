//! A run folder through its life: made, killed, resumed, finished, read.

use evalh_record::{
    Answer, FileIdentity, Finish, Generation, Manifest, Outcome, Part, Provenance, Record,
    RecordError, ResultRow, RunFolder, Sample, SamplingSettings, Settings, SuiteSettings,
    TaskSettings, Timings, VariantSettings, sha256_bytes,
};
use proptest::prelude::*;
use std::{collections::BTreeMap, fs, path::Path};

fn settings() -> Settings {
    Settings {
        evalh: "0.1.0".into(),
        suites: vec![SuiteSettings {
            name: "mini".into(),
            protocol: "chat".into(),
            tasks: vec![TaskSettings {
                name: "mini".into(),
                group: None,
                items: 3,
            }],
            shots: 0,
            items: 3,
            limit: None,
            samples: 2,
            sampling: Some(SamplingSettings {
                temperature: 0.0,
                top_p: 1.0,
                seed: 0,
            }),
            max_new_tokens: Some(8),
            options: serde_json::Map::new(),
            data: vec![FileIdentity {
                name: "mini.jsonl".into(),
                bytes: 1,
                sha256: sha256_bytes(b"x"),
            }],
        }],
        checkpoints: vec![],
        variants: ["zeta", "alpha"]
            .map(|name| VariantSettings {
                name: name.into(),
                checkpoint: "zeta".into(),
                adapter: None,
            })
            .to_vec(),
        device: "cpu".into(),
        kernel: "auto".into(),
        dtype: "f32".into(),
        sandbox: None,
    }
}

fn manifest() -> Manifest {
    Manifest::new(settings(), Provenance::default())
}

/// All samples of the run, in canonical order: variants as in the manifest, item 10 after item 2.
fn samples() -> Vec<Sample> {
    let mut all = Vec::new();
    for variant in ["zeta", "alpha"] {
        for (position, item) in ["m/1", "m/2", "m/10"].into_iter().enumerate() {
            for sample in 0..2 {
                all.push(Sample {
                    suite: "mini".into(),
                    task: "mini".into(),
                    protocol: "chat".into(),
                    variant: variant.into(),
                    item: item.into(),
                    position,
                    sample,
                    shots: Vec::new(),
                    prompt_sha256: sha256_bytes(item.as_bytes()),
                    prompt_tokens: 3,
                    truncated_tokens: 0,
                    answer: Answer::Generated(Generation {
                        text: format!("{variant} {item}\n\u{e9}"),
                        tokens: 2,
                        finish: Finish::Length,
                    }),
                    extracted: None,
                    target: None,
                    program_sha256: None,
                    outcome: Some(Outcome::Failed {
                        message: String::new(),
                    }),
                    suspicions: Vec::new(),
                    score: 0.1 + sample as f64,
                    scores: BTreeMap::new(),
                });
            }
        }
    }
    all
}

fn finished(dir: &Path, mut run: RunFolder) -> Vec<u8> {
    run.complete().unwrap();
    run.finish(&[]).unwrap();
    fs::read(dir.join("samples.jsonl")).unwrap()
}

fn uninterrupted() -> Vec<u8> {
    let temp = tempfile::tempdir().unwrap();
    let mut run = RunFolder::claim(temp.path())
        .unwrap()
        .begin(manifest())
        .unwrap();
    for sample in samples() {
        run.append(&sample).unwrap();
    }
    finished(temp.path(), run)
}

#[test]
fn a_finished_run_reads_back_in_canonical_order() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().join("a/b");
    let mut run = RunFolder::claim(&dir).unwrap().begin(manifest()).unwrap();
    for sample in samples().iter().rev() {
        run.append(sample).unwrap();
    }
    let session = Timings {
        sessions: 1,
        load_seconds: 2.0,
        ..Timings::default()
    };
    run.write_timings(&session).unwrap();
    assert_eq!(run.complete().unwrap(), samples());
    let row = ResultRow {
        suite: "mini".into(),
        task: "mini".into(),
        part: Part::Whole,
        protocol: "chat".into(),
        variant: "zeta".into(),
        metric: "pass@1".into(),
        value: 0.1,
        stderr: Some(0.05),
        n: 3,
        chance: None,
    };
    run.finish(std::slice::from_ref(&row)).unwrap();

    let record = Record::read(&dir).unwrap();
    assert_eq!(record.manifest, manifest());
    assert_eq!(record.samples, samples());
    assert_eq!(record.results, [row]);
    assert_eq!(record.timings, session);
    let mut names: Vec<_> = fs::read_dir(&dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(
        names,
        [
            ".lock",
            "manifest.json",
            "results.json",
            "samples.jsonl",
            "timings.json"
        ]
    );
}

#[test]
fn timings_of_sessions_add_up() {
    let temp = tempfile::tempdir().unwrap();
    let session = Timings {
        sessions: 1,
        load_seconds: 2.0,
        ..Timings::default()
    };
    let run = RunFolder::claim(temp.path())
        .unwrap()
        .begin(manifest())
        .unwrap();
    run.write_timings(&session).unwrap();
    assert_eq!(
        run.write_timings(&session).unwrap(),
        session,
        "one session, written twice"
    );
    drop(run);
    let run = RunFolder::open(temp.path())
        .unwrap()
        .resume(&settings())
        .unwrap();
    let sum = run.write_timings(&session).unwrap();
    assert_eq!(sum.sessions, 2);
    assert!((sum.load_seconds - 4.0).abs() < 1e-12);
}

#[test]
fn folders_of_other_things_are_refused() {
    let temp = tempfile::tempdir().unwrap();
    fs::write(temp.path().join("thesis.tex"), "mine").unwrap();
    assert!(matches!(
        RunFolder::claim(temp.path()),
        Err(RecordError::NotEmpty { .. })
    ));
    assert_eq!(
        fs::read_dir(temp.path()).unwrap().count(),
        1,
        "nothing was left behind"
    );

    let file = temp.path().join("thesis.tex");
    assert!(matches!(
        RunFolder::claim(&file),
        Err(RecordError::Write { .. })
    ));
    assert!(matches!(
        RunFolder::claim(&file.join("x")),
        Err(RecordError::Write { .. })
    ));

    let empty = tempfile::tempdir().unwrap();
    assert!(matches!(
        RunFolder::open(empty.path()),
        Err(RecordError::NoRun { .. })
    ));
    assert!(matches!(
        Record::read(empty.path()),
        Err(RecordError::NoRun { .. })
    ));
}

#[test]
fn a_run_is_not_begun_twice_and_not_read_half() {
    let temp = tempfile::tempdir().unwrap();
    let run = RunFolder::claim(temp.path())
        .unwrap()
        .begin(manifest())
        .unwrap();
    assert!(matches!(
        RunFolder::claim(temp.path()),
        Err(RecordError::AlreadyARun { .. })
    ));
    assert!(matches!(
        RunFolder::open(temp.path()),
        Err(RecordError::Locked { .. })
    ));
    drop(run);
    assert!(matches!(
        Record::read(temp.path()),
        Err(RecordError::Unfinished { .. })
    ));
    assert!(RunFolder::open(temp.path()).is_ok());
}

#[test]
fn a_claim_locks_and_can_be_abandoned_without_a_trace() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().join("run");
    let claimed = RunFolder::claim(&dir).unwrap();
    assert!(matches!(
        RunFolder::claim(&dir),
        Err(RecordError::Locked { .. })
    ));
    claimed.abandon();
    assert!(!dir.exists());
    std::fs::create_dir(&dir).unwrap();
    RunFolder::claim(&dir).unwrap().abandon();
    assert_eq!(
        fs::read_dir(&dir).unwrap().count(),
        0,
        "an empty folder of the user's stays"
    );
}

#[test]
fn a_claim_that_was_killed_is_taken_over() {
    let temp = tempfile::tempdir().unwrap();
    drop(RunFolder::claim(temp.path()).unwrap());
    fs::write(temp.path().join(".manifest.json.partial"), "{").unwrap();
    assert!(
        RunFolder::claim(temp.path())
            .unwrap()
            .begin(manifest())
            .is_ok()
    );
}

#[test]
fn a_changed_setting_is_named_and_nothing_is_touched() {
    let temp = tempfile::tempdir().unwrap();
    let mut run = RunFolder::claim(temp.path())
        .unwrap()
        .begin(manifest())
        .unwrap();
    run.append(&samples()[0]).unwrap();
    drop(run);
    let before = fs::read(temp.path().join("samples.jsonl")).unwrap();
    let mut now = settings();
    now.suites[0].sampling.as_mut().unwrap().seed = 9;
    let Err(error) = RunFolder::open(temp.path()).unwrap().resume(&now) else {
        panic!("resumed with another seed")
    };
    assert!(
        error
            .to_string()
            .ends_with("suites[0].sampling.seed was 0 and is now 9"),
        "{error}"
    );
    assert_eq!(fs::read(temp.path().join("samples.jsonl")).unwrap(), before);
}

#[test]
fn doubled_and_stray_samples_are_errors_of_their_line() {
    let temp = tempfile::tempdir().unwrap();
    let mut run = RunFolder::claim(temp.path())
        .unwrap()
        .begin(manifest())
        .unwrap();
    run.append(&samples()[0]).unwrap();
    run.append(&samples()[0]).unwrap();
    assert!(matches!(
        run.complete(),
        Err(RecordError::DuplicateSample { line: 2, .. })
    ));
    drop(run);
    let path = temp.path().join("samples.jsonl");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(
        &path,
        text.replacen("\"variant\":\"zeta\"", "\"variant\":\"eta\"", 1),
    )
    .unwrap();
    let error = RunFolder::open(temp.path())
        .unwrap()
        .resume(&settings())
        .err()
        .unwrap();
    assert!(
        matches!(error, RecordError::StraySample { line: 1, .. }),
        "{error}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn killed_anywhere_and_resumed_gives_the_same_bytes(order in Just(samples()).prop_shuffle(), cuts in proptest::collection::vec(0.0..1.0f64, 1..4)) {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("samples.jsonl");
        drop(RunFolder::claim(temp.path()).unwrap().begin(manifest()).unwrap());
        for cut in cuts {
            let mut run = RunFolder::open(temp.path()).unwrap().resume(&settings()).unwrap();
            for sample in &order {
                if !run.done().contains(&sample.key()) {
                    run.append(sample).unwrap();
                }
            }
            drop(run);
            let bytes = fs::read(&path).unwrap();
            fs::write(&path, &bytes[..(bytes.len() as f64 * cut) as usize]).unwrap();
        }
        let mut run = RunFolder::open(temp.path()).unwrap().resume(&settings()).unwrap();
        for sample in &order {
            if !run.done().contains(&sample.key()) {
                run.append(sample).unwrap();
            }
        }
        prop_assert_eq!(finished(temp.path(), run), uninterrupted());
    }
}
