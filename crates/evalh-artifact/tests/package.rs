//! Python packages through the real pip, out of a folder instead of an index.

mod support;

use evalh_artifact::{ArtifactError, NoProgress, PullOptions, SourceKind};
use flate2::{Compression, write::GzEncoder};
use std::{fs, io::Write, path::PathBuf};
use support::{catalog, have, pinned, pip_options, sha256, tree, wheel};

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

fn source(file: &str) -> String {
    format!(
        "[[source]]\ntype = \"package\"\npackage = \"tiny-data\"\nversion = \"1.2.3\"\n[[source.file]]\n{file}\n"
    )
}

fn pip(test: &str) -> bool {
    have(test, "python3", &["-m", "pip", "--version"])
}

#[test]
fn a_member_of_a_wheel_is_taken_and_decompressed() {
    if !pip("a_member_of_a_wheel_is_taken_and_decompressed") {
        return;
    }
    let (cache, packages) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let lines = b"{\"id\": 1}\n{\"id\": 2}\n".repeat(50);
    wheel(
        packages.path(),
        "tiny_data",
        "1.2.3",
        &[("tiny_data/rows.jsonl.gz", &gzip(&lines))],
    );
    let file =
        "path = \"rows.jsonl\"\nmember = \"tiny_data/rows.jsonl.gz\"\ndecompress = \"gzip\"\n";
    let catalog = catalog("suite", &source(&format!("{file}{}", pinned(&lines))));
    let options = pip_options(cache.path(), packages.path());
    let pulled = catalog.pull("tiny", &options, &NoProgress).unwrap();
    assert_eq!(pulled.source(), "pip tiny-data 1.2.3");
    assert_eq!(pulled.origin.kind, SourceKind::Package);
    assert_eq!(pulled.entry(), pulled.file("rows.jsonl").unwrap().path);
    assert_eq!(fs::read(pulled.entry()).unwrap(), lines);
    assert_eq!(
        tree(cache.path()),
        [
            "locks/suite-tiny.lock",
            "suites/tiny/pip-tiny-data-1.2.3.receipt.json",
            "suites/tiny/pip-tiny-data-1.2.3/rows.jsonl",
        ]
    );
    fs::remove_dir_all(packages.path()).unwrap();
    assert_eq!(
        catalog
            .pull("tiny", &options, &NoProgress)
            .unwrap()
            .source(),
        "cache (from pip tiny-data 1.2.3)"
    );
}

#[test]
fn a_member_larger_than_declared_is_no_bomb() {
    if !pip("a_member_larger_than_declared_is_no_bomb") {
        return;
    }
    let (cache, packages) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let zeros = vec![0; 50 << 20];
    wheel(
        packages.path(),
        "tiny_data",
        "1.2.3",
        &[("z.gz", &gzip(&zeros)), ("z", &zeros)],
    );
    for file in [
        "path = \"z\"\nmember = \"z.gz\"\ndecompress = \"gzip\"",
        "path = \"z\"",
    ] {
        let catalog = catalog("suite", &source(&format!("{file}\nbytes = 1000")));
        let error = catalog
            .pull(
                "tiny",
                &pip_options(cache.path(), packages.path()),
                &NoProgress,
            )
            .unwrap_err();
        assert!(
            error
                .to_string()
                .contains("has more than the 1000 bytes expected"),
            "{error}"
        );
        assert!(!cache.path().join("suites").exists());
        assert!(
            !cache
                .path()
                .join("partial")
                .read_dir()
                .unwrap()
                .any(|_| true),
            "{:?}",
            tree(cache.path())
        );
    }
}

#[test]
fn what_a_package_lacks_is_named() {
    if !pip("what_a_package_lacks_is_named") {
        return;
    }
    let (cache, packages) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let options = pip_options(cache.path(), packages.path());
    let catalog = catalog("suite", &source("path = \"rows.jsonl\""));
    let reason = || {
        let error = catalog.pull("tiny", &options, &NoProgress).unwrap_err();
        let ArtifactError::NoSource(report) = error else {
            panic!("{error}")
        };
        report.attempts.last().unwrap().reason.clone()
    };
    let none = reason();
    assert!(
        none.contains("No matching distribution found for tiny-data==1.2.3"),
        "{none}"
    );
    let name = wheel(packages.path(), "tiny_data", "1.2.3", &[("other", b"x")]);
    assert_eq!(reason(), format!("{name} has no member rows.jsonl"));
    fs::write(packages.path().join(&name), b"PK not a zip").unwrap();
    let broken = reason();
    assert!(
        broken.contains("zip") || broken.contains("invalid") || broken.contains("wheel"),
        "{broken}"
    );
    assert!(!cache.path().join("suites").exists());
}

#[test]
fn a_missing_python_is_named_with_its_remedy() {
    let cache = tempfile::tempdir().unwrap();
    let mut options = PullOptions::in_dir(cache.path());
    options.tools.python = Some(PathBuf::from("no-such-python"));
    let error = catalog("suite", &source("path = \"a\""))
        .pull("tiny", &options, &NoProgress)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains(
            "no-such-python is not found (install Python, or set EVALH_PYTHON to its path)"
        ),
        "{error}"
    );
}

#[test]
fn a_tool_is_installed_into_a_folder_of_its_own() {
    if !pip("a_tool_is_installed_into_a_folder_of_its_own") {
        return;
    }
    let (cache, packages) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let members: [(&str, &[u8]); 2] = [
        ("tiny_tool/__init__.py", b"VALUE = 7\n"),
        ("tiny_tool/data.txt", b"data"),
    ];
    let name = wheel(packages.path(), "tiny_tool", "0.1", &members);
    let hash = sha256(&fs::read(packages.path().join(&name)).unwrap());
    let tool = "[[source]]\ntype = \"python-tool\"\npackage = \"tiny-tool\"\nversion = \"0.1\"\nmodule = \"tiny_tool\"\n";
    let options = pip_options(cache.path(), packages.path());

    let unpinned = catalog("runtime", tool);
    let pulled = unpinned.pull("tiny", &options, &NoProgress).unwrap();
    assert!(pulled.files.iter().all(|file| file.first_use));
    assert_eq!(
        pulled.origin.archive.as_ref().unwrap().sha256.as_str(),
        hash
    );
    assert_eq!(pulled.entry(), pulled.dir);
    assert_eq!(
        fs::read(pulled.dir.join("tiny_tool/data.txt")).unwrap(),
        b"data"
    );
    let again = unpinned.pull("tiny", &options, &NoProgress).unwrap();
    assert!(again.from_cache && again.files.iter().all(|file| !file.first_use));

    // A damaged installation is replaced as a whole, by the same wheel only.
    fs::write(pulled.dir.join("tiny_tool/data.txt"), b"DATA").unwrap();
    let mended = unpinned.pull("tiny", &options, &NoProgress).unwrap();
    assert!(!mended.from_cache && mended.files.iter().all(|file| !file.first_use));
    assert_eq!(
        fs::read(pulled.dir.join("tiny_tool/data.txt")).unwrap(),
        b"data"
    );
    fs::write(pulled.dir.join("tiny_tool/data.txt"), b"DATA").unwrap();
    wheel(
        packages.path(),
        "tiny_tool",
        "0.1",
        &[("tiny_tool/__init__.py", b"VALUE = 8\n")],
    );
    let error = unpinned
        .pull("tiny", &options, &NoProgress)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("instead of recorded on first use:"),
        "{error}"
    );

    // A local folder that holds the module stands in for it.
    let local = PullOptions {
        local: Some(pulled.dir.clone()),
        ..options.clone()
    };
    assert_eq!(
        unpinned.pull("tiny", &local, &NoProgress).unwrap().dir,
        pulled.dir.canonicalize().unwrap()
    );

    // The manifest's hash is compared before anything is installed.
    let cache = tempfile::tempdir().unwrap();
    let wheels = format!("[source.wheels]\n\"{name}\" = \"{hash}\"\n");
    let error = catalog("runtime", &format!("{tool}{wheels}"))
        .pull(
            "tiny",
            &pip_options(cache.path(), packages.path()),
            &NoProgress,
        )
        .unwrap_err()
        .to_string();
    assert!(error.contains("instead of the manifest's"), "{error}");
    assert!(!cache.path().join("runtimes").exists());
    let members: [(&str, &[u8]); 2] = [
        ("tiny_tool/__init__.py", b"VALUE = 7\n"),
        ("tiny_tool/data.txt", b"data"),
    ];
    wheel(packages.path(), "tiny_tool", "0.1", &members);
    let hash = sha256(&fs::read(packages.path().join(&name)).unwrap());
    let pinned = catalog(
        "runtime",
        &format!("{tool}[source.wheels]\n\"{name}\" = \"{hash}\"\n"),
    )
    .pull(
        "tiny",
        &pip_options(cache.path(), packages.path()),
        &NoProgress,
    )
    .unwrap();
    assert!(pinned.files.iter().all(|file| !file.first_use));
}
