//! Folders with the data of the built-in suites.

use evalh_artifact::{Catalog, Kind, NoProgress, PullOptions, Pulled};
use std::path::PathBuf;

fn datasets(test: &str) -> Option<PathBuf> {
    let path = PathBuf::from(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../shared/datasets"
    ));
    if !path.is_dir() {
        eprintln!("skipped {test}: ../shared is absent");
        return None;
    }
    Some(path)
}

fn pull(suite: &str, path: PathBuf) -> Pulled {
    let cache = tempfile::tempdir().unwrap();
    let options = PullOptions {
        local: Some(path),
        ..PullOptions::in_dir(cache.path())
    };
    Catalog::builtin()
        .unwrap()
        .pull(suite, &options, &NoProgress)
        .unwrap_or_else(|e| panic!("{e}"))
}

#[test]
fn folders_of_every_suite_are_taken_and_their_bytes_known() {
    let Some(root) = datasets("folders_of_every_suite_are_taken_and_their_bytes_known") else {
        return;
    };
    for (suite, files, some) in [
        ("mmlu", 3 * 57, "test/abstract_algebra_test.csv"),
        ("gsm8k", 2, "train.jsonl"),
        ("glue", 15, "STS-B/dev.tsv"),
        ("quixbugs", 2, "quixbugs.jsonl"),
        ("humaneval", 1, "HumanEval.jsonl"),
    ] {
        let pulled = pull(suite, root.join(suite));
        assert_eq!(pulled.files.len(), files, "{suite}");
        assert!(pulled.file(some).is_some(), "{suite}");
        for file in &pulled.files {
            assert!(!file.differs, "{suite} {}", file.name);
            // The one copy that is not the official file.
            assert_eq!(file.first_use, file.name == "QNLI/dev.tsv", "{}", file.name);
        }
    }
    let pulled = pull("gsm8k", root.join("gsm8k/test.jsonl"));
    assert_eq!(pulled.files[0].name, "test.jsonl");
    let pulled = pull("mmlu", root.join("mmlu/dev/anatomy_dev.csv"));
    assert_eq!(pulled.files[0].name, "dev/anatomy_dev.csv");
    assert_eq!(pulled.dir, root.join("mmlu").canonicalize().unwrap());
}

#[test]
fn suites_say_what_they_hold() {
    let catalog = Catalog::builtin().unwrap();
    let items = |name: &str| catalog.get(name).unwrap().items;
    assert_eq!(items("mmlu"), Some(14042));
    assert_eq!(items("gsm8k"), Some(1319));
    // CoLA, SST-2, MRPC, STS-B, QQP, MNLI matched and mismatched, QNLI, RTE and WNLI.
    let glue = [1043, 872, 408, 1500, 40430, 9815, 9832, 5463, 277, 71];
    assert_eq!(items("glue"), Some(glue.iter().sum()));
    assert_eq!(items("quixbugs"), Some(40));
    for suite in catalog.iter(Some(Kind::Suite)) {
        assert!(!suite.sources.is_empty(), "{}", suite.name);
    }
}
