//! Paths that the user gives.

mod support;

use evalh_artifact::{NoProgress, PullOptions, PulledFile};
use std::{fs, path::Path};
use support::{COMMIT, bytes, catalog, hub_source, pinned, tree};

fn local(cache: &Path, path: &Path) -> PullOptions {
    PullOptions {
        local: Some(path.to_path_buf()),
        ..PullOptions::in_dir(cache)
    }
}

#[test]
fn a_single_file_may_have_any_name() {
    let (cache, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let content = bytes(1000, 1);
    let path = folder.path().join("mine.txt");
    fs::write(&path, &content).unwrap();
    let catalog = catalog(
        "suite",
        &hub_source(COMMIT, &[("rows.jsonl", &pinned(&content))]),
    );
    for _ in 0..2 {
        let pulled = catalog
            .pull("tiny", &local(cache.path(), &path), &NoProgress)
            .unwrap();
        assert_eq!(pulled.entry(), path.canonicalize().unwrap());
        assert_eq!(
            pulled.source(),
            format!("path {}", path.canonicalize().unwrap().display())
        );
        assert!(!pulled.files[0].first_use);
    }
    fs::write(&path, bytes(1000, 2)).unwrap();
    let pulled = catalog
        .pull("tiny", &local(cache.path(), &path), &NoProgress)
        .unwrap();
    assert!(
        pulled.files[0].differs,
        "a suite's file may be the user's own"
    );
    assert_eq!(
        tree(cache.path()).len(),
        1,
        "only the hashes are remembered: {:?}",
        tree(cache.path())
    );
}

#[test]
fn a_folder_holds_the_files_of_one_source() {
    let (cache, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let content = bytes(1000, 3);
    let package = format!(
        "[[source]]\ntype = \"package\"\npackage = \"p\"\nversion = \"1\"\n[[source.file]]\npath = \"all.gguf\"\n{}\n",
        pinned(&content)
    );
    let sources =
        hub_source(COMMIT, &[("config.json", ""), ("w.bin", &pinned(&content))]) + &package;
    let catalog = catalog("model", &sources);
    let pull = || catalog.pull("tiny", &local(cache.path(), folder.path()), &NoProgress);
    let error = pull().unwrap_err().to_string();
    assert!(
        error.contains("it lacks config.json, w.bin; or it lacks all.gguf"),
        "{error}"
    );

    fs::write(folder.path().join("all.gguf"), &content).unwrap();
    assert_eq!(
        pull()
            .unwrap()
            .files
            .iter()
            .map(|f| f.name.as_str())
            .collect::<Vec<_>>(),
        ["all.gguf"]
    );
    fs::write(folder.path().join("config.json"), "{}").unwrap();
    fs::write(folder.path().join("w.bin"), &content).unwrap();
    let pulled = pull().unwrap();
    assert_eq!(
        pulled
            .files
            .iter()
            .map(|f| f.name.as_str())
            .collect::<Vec<_>>(),
        ["config.json", "w.bin"]
    );
    assert_eq!(
        pulled.files.iter().map(|f| f.first_use).collect::<Vec<_>>(),
        [true, false]
    );
    fs::write(folder.path().join("all.gguf"), b"other").unwrap();
    fs::write(folder.path().join("w.bin"), b"other").unwrap();
    let error = pull().unwrap_err().to_string();
    assert!(
        error.contains("w.bin has the sha256") && error.contains("is not what the name stands for"),
        "a model's bytes are the manifest's: {error}"
    );
}

#[test]
fn a_suite_takes_what_a_folder_holds_of_any_layout() {
    let (cache, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (rows, own) = (bytes(100, 1), bytes(100, 2));
    let sources = hub_source(
        COMMIT,
        &[("all/test.parquet", ""), ("rows.csv", &pinned(&rows))],
    ) + "[[layout]]\n"
        + &format!("[[layout.file]]\npath = \"rows.csv\"\n{}\n", pinned(&own))
        + "[[layout.file]]\npath = \"train/more.csv\"\n";
    let catalog = catalog("suite", &sources);
    let pull = |path: &Path| catalog.pull("tiny", &local(cache.path(), path), &NoProgress);
    let seen = |path: &Path| -> Vec<(String, bool, bool)> {
        let files = pull(path).unwrap().files;
        let seen = |f: &PulledFile| (f.name.clone(), f.first_use, f.differs);
        files.iter().map(seen).collect()
    };
    let error = pull(folder.path()).unwrap_err().to_string();
    assert!(
        error.contains(
            "it holds no file of the suite, which are: all/test.parquet, rows.csv; or rows.csv, train/more.csv"
        ),
        "{error}"
    );
    fs::write(folder.path().join("unknown.csv"), &rows).unwrap();
    let error = pull(&folder.path().join("unknown.csv"))
        .unwrap_err()
        .to_string();
    assert!(error.contains("give the folder that holds"), "{error}");

    let path = folder.path().join("rows.csv");
    for (content, differs) in [(&rows, false), (&own, false), (&bytes(99, 3), true)] {
        fs::write(&path, content).unwrap();
        let expected = [("rows.csv".to_owned(), false, differs)];
        assert_eq!(seen(folder.path()), expected);
        assert_eq!(seen(&path), expected);
    }
    fs::create_dir(folder.path().join("train")).unwrap();
    let train = folder.path().join("train/more.csv");
    fs::write(&train, "x").unwrap();
    let names: Vec<_> = seen(folder.path()).into_iter().map(|f| f.0).collect();
    assert_eq!(names, ["rows.csv", "train/more.csv"]);
    let pulled = pull(&train).unwrap();
    assert_eq!(pulled.dir, folder.path().canonicalize().unwrap());
    assert!(pulled.files[0].first_use);
}

#[test]
fn a_path_that_is_not_there_is_named() {
    let cache = tempfile::tempdir().unwrap();
    let catalog = catalog("suite", &hub_source(COMMIT, &[("a", "")]));
    let error = catalog
        .pull(
            "tiny",
            &local(cache.path(), &cache.path().join("none")),
            &NoProgress,
        )
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("use ") && error.contains("none as `tiny`: "),
        "{error}"
    );
}
