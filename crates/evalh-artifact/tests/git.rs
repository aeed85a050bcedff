//! A git repository on this machine through the real git.

mod support;

use evalh_artifact::{Catalog, NoProgress, PullOptions};
use std::{fs, path::Path, process::Command};
use support::{catalog, have, pinned};

fn git(dir: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .current_dir(dir)
        .args([
            "-c",
            "user.name=t",
            "-c",
            "user.email=t@example.org",
            "-c",
            "commit.gpgsign=false",
        ])
        .args(arguments)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn source(repository: &Path, commit: &str, content: &[u8]) -> Catalog {
    catalog(
        "suite",
        &format!(
            "[[source]]\ntype = \"git\"\nurl = \"file://{}\"\ncommit = \"{commit}\"\n[[source.file]]\npath = \"rows\"\nmember = \"data/rows.txt\"\n{}\n",
            repository.display(),
            pinned(content)
        ),
    )
}

#[test]
fn a_file_is_taken_at_its_commit() {
    if !have("a_file_is_taken_at_its_commit", "git", &["--version"]) {
        return;
    }
    let (cache, repository) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    git(repository.path(), &["init", "--quiet"]);
    fs::create_dir(repository.path().join("data")).unwrap();
    let file = repository.path().join("data/rows.txt");
    fs::write(&file, "old\n").unwrap();
    git(repository.path(), &["add", "."]);
    git(repository.path(), &["commit", "--quiet", "-m", "old"]);
    let old = git(repository.path(), &["rev-parse", "HEAD"]);
    fs::write(&file, "new\n").unwrap();
    git(repository.path(), &["commit", "--quiet", "-am", "new"]);

    let catalog = source(repository.path(), &old, b"old\n");
    let pulled = catalog
        .pull("tiny", &PullOptions::in_dir(cache.path()), &NoProgress)
        .unwrap();
    assert_eq!(fs::read(pulled.entry()).unwrap(), b"old\n");
    assert_eq!(pulled.origin.commit.as_deref(), Some(old.as_str()));
    assert!(
        pulled.source().starts_with("git file://"),
        "{}",
        pulled.source()
    );

    let absent = "f".repeat(40);
    let catalog = source(repository.path(), &absent, b"old\n");
    let error = catalog
        .pull("tiny", &PullOptions::in_dir(cache.path()), &NoProgress)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("fatal:") || error.contains("no such commit"),
        "{error}"
    );

    let other = tempfile::tempdir().unwrap();
    let catalog = source(other.path(), &old, b"old\n");
    let error = catalog
        .pull("tiny", &PullOptions::in_dir(other.path()), &NoProgress)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("does not appear to be a git repository"),
        "{error}"
    );
}

#[test]
fn a_missing_git_is_named() {
    let cache = tempfile::tempdir().unwrap();
    let mut options = PullOptions::in_dir(cache.path());
    options.tools.git = "no-such-git".into();
    let error = source(cache.path(), &"a".repeat(40), b"x")
        .pull("tiny", &options, &NoProgress)
        .unwrap_err();
    assert!(
        error.to_string().contains("git is not found (install git)"),
        "{error}"
    );
}
