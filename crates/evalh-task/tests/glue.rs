//! GLUE for classification heads: rows, labels, metrics. The reference values are scikit-learn's and `SciPy`'s.

mod common;

use common::shared;
use evalh_record::{Answer, Part, Prompt, Request, RequestKind, Response, ResultRow, sha256_bytes};
use evalh_task::{
    DataFiles, Judgement, ModelKind, Task, TaskError, TaskOptions, find_suite, sample,
};
use std::path::PathBuf;

fn options(tasks: &[&str], labels: &[&str]) -> TaskOptions {
    TaskOptions {
        tasks: tasks.iter().map(ToString::to_string).collect(),
        labels: labels.iter().map(ToString::to_string).collect(),
        ..TaskOptions::default()
    }
}

fn open(root: PathBuf, options: &TaskOptions) -> Result<Box<dyn Task>, TaskError> {
    let data = DataFiles {
        root,
        files: Vec::new(),
    };
    find_suite("glue").unwrap().open(&data, options)
}

fn mini(options: &TaskOptions) -> Result<Box<dyn Task>, TaskError> {
    find_suite("mini_glue")
        .unwrap()
        .open(&DataFiles::default(), options)
}

fn response(index: usize, outputs: Vec<f32>) -> Response {
    Response {
        index,
        prompt_sha256: sha256_bytes(b"prompt"),
        prompt_tokens: 3,
        truncated_tokens: 0,
        answer: Answer::Classified(outputs),
    }
}

/// Bytes of all texts of a request.
fn bytes(request: &Request) -> usize {
    assert_eq!(request.kind, RequestKind::Classify);
    match &request.prompt {
        Prompt::Text(text) => text.len(),
        Prompt::Pair { first, second } => first.len() + second.len(),
        Prompt::Chat { .. } => panic!("a chat"),
    }
}

/// The rows of a model whose outputs follow from each request.
fn rows(task: &dyn Task, outputs: impl Fn(&Request) -> Vec<f32>) -> Vec<ResultRow> {
    let samples: Vec<_> = (task.requests().iter())
        .map(|request| {
            let response = response(request.index, outputs(request));
            let Judgement::Scored(scored) = task.judge(&response).unwrap() else {
                panic!("nothing runs")
            };
            sample(task, "base", response, scored).unwrap()
        })
        .collect();
    task.rows("base", &samples).unwrap()
}

/// A task, its items, and its metrics' values.
type Case<'c> = (&'c str, usize, &'c [(&'c str, f64)]);

/// Chooses label 1 where the texts have an odd number of bytes.
fn parity(request: &Request) -> Vec<f32> {
    match bytes(request) % 2 {
        0 => vec![0.5, -0.5],
        _ => vec![0.1, 0.2],
    }
}

fn value(rows: &[ResultRow], part: Part, metric: &str) -> f64 {
    let row = rows
        .iter()
        .find(|row| row.part == part && row.metric == metric);
    row.unwrap_or_else(|| panic!("no {metric}")).value
}

#[test]
fn metrics_over_the_real_sets_are_those_of_scikit_learn_and_scipy() {
    let Some(shared) = shared("metrics_over_the_real_sets_are_those_of_scikit_learn_and_scipy")
    else {
        return;
    };
    let root = shared.join("datasets/glue");
    let cases: [Case; 7] = [
        ("cola", 1043, &[("mcc", 0.013_221_719_361_375_632)]),
        ("sst2", 872, &[("acc", 0.495_412_844_036_697_3)]),
        (
            "mrpc",
            408,
            &[("acc", 0.5), ("f1", 0.580_246_913_580_246_9)],
        ),
        (
            "stsb",
            1500,
            &[
                ("pearson", -0.001_615_500_592_116_55),
                ("spearman", 0.001_085_057_983_309_656_3),
            ],
        ),
        ("qnli", 5463, &[("acc", 0.488_559_399_597_291_9)]),
        ("rte", 277, &[("acc", 0.476_534_296_028_880_9)]),
        ("wnli", 71, &[("acc", 0.422_535_211_267_605_6)]),
    ];
    for (name, items, expected) in cases {
        let task = open(root.clone(), &options(&[name], &[])).unwrap();
        assert_eq!(task.settings().items, items, "{name}");
        let rows = rows(task.as_ref(), |request| match name {
            "stsb" => vec![(bytes(request) % 50) as f32 / 10.0],
            _ => parity(request),
        });
        for &(metric, reference) in expected {
            for part in [Part::Whole, Part::Task] {
                let found = value(&rows, part, metric);
                assert!((found - reference).abs() < 1e-9, "{name} {metric}: {found}");
            }
        }
        assert_eq!(rows.len(), 2 * expected.len(), "{name}");
        assert!(
            rows.iter()
                .all(|row| row.n == items && row.stderr.is_some())
        );
    }
}

#[test]
fn labels_of_another_order_are_mapped_by_name_and_recorded() {
    let outputs = |order: &[&str]| {
        let task = mini(&options(&["rte"], order)).unwrap();
        let settings = task.settings().options["outputs"]["rte"].clone();
        (
            settings,
            value(&rows(task.as_ref(), |_| vec![1.0, 0.0]), Part::Whole, "acc"),
        )
    };
    let (recorded, first) = outputs(&["LABEL_0", "LABEL_1"]);
    assert_eq!(
        recorded,
        serde_json::json!(["entailment", "not_entailment"])
    );
    let (recorded, second) = outputs(&["Not_Entailment", "ENTAILMENT"]);
    assert_eq!(
        recorded,
        serde_json::json!(["not_entailment", "entailment"])
    );
    assert!((first + second - 1.0).abs() < 1e-12);
}

#[test]
fn a_head_answers_only_tasks_with_its_labels() {
    let message = |tasks: &[&str], labels: &[&str]| {
        let refused = mini(&options(tasks, labels));
        refused.err().map(|error| error.to_string())
    };
    let two = ["LABEL_0", "LABEL_1"];
    let all = message(&[], &two).unwrap();
    assert!(all.contains("fit cola, sst2, mrpc, rte"), "{all}");
    let number = message(&["sst2", "stsb"], &two).unwrap();
    assert!(
        number.contains("`stsb`, which needs a head of one output"),
        "{number}"
    );
    assert_eq!(message(&["sst2", "rte"], &two), None);
    assert_eq!(message(&["stsb"], &["LABEL_0"]), None);
    let three = message(&["rte"], &["a", "b", "c"]).unwrap();
    assert!(
        three.contains("needs a head of 2 labels, and the checkpoint's has 3"),
        "{three}"
    );
    let unknown = message(&["rted"], &two).unwrap();
    assert!(unknown.contains("the nearest is `rte`"), "{unknown}");
    let none = message(&[], &["a", "b", "c", "d"]).unwrap();
    assert!(
        none.contains("a checkpoint with a head for one of them"),
        "{none}"
    );
}

#[test]
fn items_keep_their_places_and_ids_whatever_is_asked() {
    let task = mini(&TaskOptions {
        limit: Some(2),
        ..options(&["sst2", "stsb"], &[])
    })
    .unwrap();
    let slots: Vec<_> = (0..task.requests().len())
        .map(|index| task.slot(index).unwrap())
        .map(|slot| (slot.task.to_owned(), slot.item.to_owned(), slot.position))
        .collect();
    let expected = [
        ("sst2", "sst2/0", 10),
        ("sst2", "sst2/1", 11),
        ("stsb", "stsb/0", 30),
        ("stsb", "stsb/1", 31),
    ];
    let expected: Vec<_> = (expected.iter())
        .map(|&(task, item, position)| (task.to_owned(), item.to_owned(), position))
        .collect();
    assert_eq!(slots, expected);
    assert_eq!(task.slot(2).unwrap().target, Some("4.4"));
    let settings = task.settings();
    assert_eq!(
        (settings.items, settings.limit, settings.sampling),
        (4, Some(2), None)
    );
    assert_eq!(settings.data.len(), 2);
}

#[test]
fn a_whole_is_the_mean_of_its_tasks_each_the_mean_of_its_metrics() {
    let task = mini(&options(&["sst2", "mrpc"], &["LABEL_0", "LABEL_1"])).unwrap();
    let rows = rows(task.as_ref(), parity);
    let of = |name: &str, metric: &str| {
        let row = rows
            .iter()
            .find(|row| row.task == name && row.metric == metric);
        row.unwrap().value
    };
    let mean = f64::midpoint(
        of("sst2", "acc"),
        f64::midpoint(of("mrpc", "acc"), of("mrpc", "f1")),
    );
    assert_eq!(
        (rows[0].part, rows[0].metric.as_str()),
        (Part::Whole, "average")
    );
    assert!((rows[0].value - mean).abs() < 1e-12);
    assert_eq!((rows[0].stderr, rows[0].n), (None, 20));
}

#[test]
fn answers_of_another_kind_and_missing_ones_are_refused() {
    let task = mini(&options(&["stsb"], &["LABEL_0"])).unwrap();
    assert!(task.judge(&response(0, vec![1.0, 2.0])).is_err());
    assert!(task.judge(&response(99, vec![1.0])).is_err());
    let missing = task.rows("base", &[]).unwrap_err().to_string();
    assert!(missing.contains("no sample of `stsb/0`"), "{missing}");
    let Judgement::Scored(near) = task.judge(&response(0, vec![3.9])).unwrap() else {
        panic!("nothing runs")
    };
    assert!((near.score - 0.9).abs() < 1e-6);
    let suite = find_suite("mini_glue").unwrap();
    assert_eq!(suite.answered_by(), ModelKind::Encoder);
    assert_eq!(
        find_suite("glue").unwrap().counterpart(),
        Some("glue_prompt")
    );
}

#[test]
fn missing_and_wrong_files_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |tasks: &[&str]| {
        let opened = open(folder.path().to_owned(), &options(tasks, &[]));
        opened.err().unwrap().to_string()
    };
    let missing = refused(&["wnli"]);
    assert!(
        missing.contains("no WNLI/dev.tsv and no wnli/validation-00000-of-00001.parquet"),
        "{missing}"
    );
    std::fs::create_dir(folder.path().join("WNLI")).unwrap();
    let write = |text: &str| std::fs::write(folder.path().join("WNLI/dev.tsv"), text).unwrap();
    write("index\tsentence1\tsentence2\tlabel\n0\ta\tb\t1\n");
    let few = refused(&["wnli"]);
    assert!(
        few.contains("holds 1 rows for the suite, and 71 are expected"),
        "{few}"
    );
    let row = |label: &str| format!("0\ta\tb\t{label}\n");
    let mut text = String::from("index\tsentence1\tsentence2\tlabel\n");
    text.extend((0..70).map(|_| row("1")));
    write(&(text + &row("2")));
    let wrong = refused(&["wnli"]);
    assert!(
        wrong.contains("field `label` is `2`") && wrong.contains("row 71"),
        "{wrong}"
    );
}
