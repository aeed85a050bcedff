//! Processes that pull at once, and one that is killed at it.

mod support;

use evalh_artifact::NoProgress;
use std::{
    fs,
    path::Path,
    process::{Child, Command},
    thread,
    time::{Duration, Instant},
};
use support::{Answer, COMMIT, Server, bytes, catalog, hub_source, options, pinned, tree};

const LENGTH: usize = 1_600_000;

/// A server that takes about a second for the file.
fn slow_server() -> Server {
    let content = bytes(LENGTH, 1);
    Server::start(move |seen| {
        let mut answer = Answer::file(seen, &content);
        answer.pace = Some(Duration::from_millis(10));
        answer
    })
}

fn manifest() -> String {
    hub_source(COMMIT, &[("w.bin", &pinned(&bytes(LENGTH, 1)))])
}

/// This test binary as another process that pulls.
fn child(cache: &Path, server: &Server) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "pull_in_a_child"])
        .env("TEST_CACHE", cache)
        .env("TEST_ENDPOINT", &server.url)
        .spawn()
        .unwrap()
}

#[test]
#[ignore = "run by the other tests, as a process of its own"]
fn pull_in_a_child() {
    let server = Server::start(|_| Answer::new("500", ""));
    let mut options = options(Path::new(&std::env::var_os("TEST_CACHE").unwrap()), &server);
    options.hub.endpoint = std::env::var("TEST_ENDPOINT").unwrap();
    let pulled = catalog("model", &manifest())
        .pull("tiny", &options, &NoProgress)
        .unwrap();
    assert_eq!(fs::read(&pulled.files[0].path).unwrap(), bytes(LENGTH, 1));
}

#[test]
fn a_killed_download_shows_no_half_file_and_is_resumed() {
    let cache = tempfile::tempdir().unwrap();
    let server = slow_server();
    let part = cache
        .path()
        .join("partial/model-tiny-hub-owner--tiny-0123456789ab/parts/w.bin.part");
    let mut kept = 0;
    for _ in 0..3 {
        let mut child = child(cache.path(), &server);
        let deadline = Instant::now() + Duration::from_mins(1);
        while fs::metadata(&part).map_or(0, |m| m.len()) < kept + 200_000 {
            assert!(Instant::now() < deadline, "the child does not download");
            assert!(
                child.try_wait().unwrap().is_none(),
                "the child ended before it was killed"
            );
            thread::sleep(Duration::from_millis(5));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        kept = fs::metadata(&part).unwrap().len();
        assert!(
            !cache.path().join("models").exists(),
            "{:?}",
            tree(cache.path())
        );
    }
    let pulled = catalog("model", &manifest())
        .pull("tiny", &options(cache.path(), &server), &NoProgress)
        .unwrap();
    assert_eq!(fs::read(&pulled.files[0].path).unwrap(), bytes(LENGTH, 1));
    let last = server.seen().pop().unwrap();
    assert_eq!(
        last.headers["range"],
        format!("bytes={kept}-"),
        "the last pull goes on where the killed one was"
    );
}

#[test]
fn processes_that_pull_at_once_download_once() {
    let cache = tempfile::tempdir().unwrap();
    let server = slow_server();
    let children: Vec<Child> = (0..3).map(|_| child(cache.path(), &server)).collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    assert_eq!(server.seen().len(), 1);
}
