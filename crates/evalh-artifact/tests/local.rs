//! Paths that the user gives.

mod support;

use evalh_artifact::{NoProgress, PullOptions};
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
    let error = catalog
        .pull("tiny", &local(cache.path(), &path), &NoProgress)
        .unwrap_err()
        .to_string();
    assert!(error.contains("is not what the name stands for"), "{error}");
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
