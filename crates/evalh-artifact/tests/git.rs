//! A git repository on this machine through the real git.

mod support;

use evalh_artifact::{Catalog, NoProgress, Progress, PullOptions};
use std::{
    fs,
    path::Path,
    process::Command,
    sync::atomic::{AtomicU64, Ordering},
};
use support::{bytes, catalog, have, pinned};

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

/// All bytes that a progress was told of.
#[derive(Default)]
struct Total(AtomicU64);

impl Progress for Total {
    fn start(&self, _: &str, _: Option<u64>) {}

    fn advance(&self, bytes: u64) {
        self.0.fetch_add(bytes, Ordering::SeqCst);
    }

    fn finish(&self) {}

    fn message(&self, _: &str) {}
}

#[test]
fn files_that_are_not_wanted_are_not_fetched() {
    if !have(
        "files_that_are_not_wanted_are_not_fetched",
        "git",
        &["--version"],
    ) {
        return;
    }
    let repository = tempfile::tempdir().unwrap();
    let root = repository.path();
    git(root, &["init", "--quiet"]);
    fs::create_dir(root.join("rows")).unwrap();
    for n in 0..40 {
        fs::write(root.join(format!("rows/{n}")), bytes(500, n)).unwrap();
    }
    fs::write(root.join("large"), bytes(3_000_000, 7)).unwrap();
    git(root, &["add", "."]);
    git(root, &["commit", "--quiet", "-m", "rows"]);
    let commit = git(root, &["rev-parse", "HEAD"]);
    let file = |n: u64| {
        let hash = pinned(&bytes(500, n));
        format!("[[source.file]]\npath = \"{n}\"\nmember = \"rows/{n}\"\n{hash}\n")
    };
    let files = (0..30).map(file).collect::<Vec<_>>().concat();
    let catalog = catalog(
        "suite",
        &format!(
            "[[source]]\ntype = \"git\"\nurl = \"file://{}\"\ncommit = \"{commit}\"\n{files}",
            root.display()
        ),
    );
    // As servers are: those of the public give parts of a commit, others all of it.
    for (setting, fetched) in [("false", 3_000_000..4_000_000), ("true", 1..200_000)] {
        for name in ["uploadpack.allowFilter", "uploadpack.allowAnySHA1InWant"] {
            git(root, &["config", name, setting]);
        }
        let (cache, seen) = (tempfile::tempdir().unwrap(), Total::default());
        let pulled = catalog
            .pull("tiny", &PullOptions::in_dir(cache.path()), &seen)
            .unwrap();
        assert_eq!(pulled.files.len(), 30);
        let bytes = seen.0.load(Ordering::SeqCst);
        assert!(fetched.contains(&bytes), "{setting}: {bytes}");
    }
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
