//! The hub source against a server on a local port.

mod support;

use evalh_artifact::{ArtifactError, CacheState, HubSettings, NoProgress, PullOptions};
use std::{fs, io::Write, sync::Mutex, thread, time::Duration};
use support::{
    Answer, COMMIT, Kept, Seen, Server, bytes, catalog, hub_source, options, pinned, sha256, tree,
};

/// A hub that knows one repository.
fn hub(files: Vec<(&'static str, Vec<u8>)>) -> Server {
    Server::start(move |seen| answer(seen, &files))
}

fn answer(seen: &Seen, files: &[(&'static str, Vec<u8>)]) -> Answer {
    if seen.path.starts_with("/api/models/owner/tiny/revision/") {
        return Answer::new(
            "200 OK",
            format!("{{\"sha\": \"{COMMIT}\", \"private\": false, \"siblings\": []}}"),
        );
    }
    let name = seen
        .path
        .strip_prefix(&format!("/owner/tiny/resolve/{COMMIT}/"));
    match name.and_then(|name| files.iter().find(|(path, _)| *path == name)) {
        Some((_, content)) => Answer::file(seen, content),
        None => Answer::new("404 Not Found", "no"),
    }
}

#[test]
fn files_are_fetched_once_and_then_cached() {
    let cache = tempfile::tempdir().unwrap();
    let (config, weights) = (b"{}".to_vec(), bytes(300_000, 1));
    let server = hub(vec![
        ("config.json", config.clone()),
        ("sub/model.bin", weights.clone()),
    ]);
    let catalog = catalog(
        "model",
        &hub_source(
            COMMIT,
            &[
                ("config.json", &pinned(&config)),
                ("sub/model.bin", &pinned(&weights)),
            ],
        ),
    );
    let options = options(cache.path(), &server);
    assert_eq!(
        catalog.state("tiny", cache.path()).unwrap(),
        CacheState::Absent
    );

    let progress = Kept::default();
    let pulled = catalog.pull("tiny", &options, &progress).unwrap();
    assert_eq!(pulled.source(), "hub owner/tiny @ 0123456789ab");
    assert_eq!(pulled.origin.commit.as_deref(), Some(COMMIT));
    assert_eq!(pulled.entry(), pulled.dir);
    assert_eq!(
        fs::read(&pulled.file("sub/model.bin").unwrap().path).unwrap(),
        weights
    );
    assert!(pulled.files.iter().all(|file| !file.first_use));
    assert_eq!(progress.advanced(), weights.len());
    assert_eq!(
        server.seen().len(),
        2,
        "a pinned commit with known hashes needs no list of files"
    );
    assert_eq!(
        tree(cache.path()),
        [
            "locks/model-tiny.lock",
            "models/tiny/hub-owner--tiny-0123456789ab.receipt.json",
            "models/tiny/hub-owner--tiny-0123456789ab/config.json",
            "models/tiny/hub-owner--tiny-0123456789ab/sub/model.bin",
        ]
    );

    let again = catalog.pull("tiny", &options, &NoProgress).unwrap();
    assert_eq!(again.source(), "cache (from hub owner/tiny @ 0123456789ab)");
    assert_eq!(again.files, pulled.files);
    assert_eq!(server.seen().len(), 2);
    let CacheState::Cached { bytes, .. } = catalog.state("tiny", cache.path()).unwrap() else {
        panic!("not cached")
    };
    assert_eq!(bytes, 300_002);
}

#[test]
fn an_unknown_hash_is_taken_on_first_use_and_kept() {
    let cache = tempfile::tempdir().unwrap();
    let content = Mutex::new(bytes(1000, 2)).into_inner().unwrap();
    let server = hub(vec![("config.json", content.clone())]);
    let catalog = catalog("model", &hub_source("main", &[("config.json", "")]));
    let pull_options = options(cache.path(), &server);
    let first = catalog.pull("tiny", &pull_options, &NoProgress).unwrap();
    assert!(first.files[0].first_use);
    assert_eq!(first.files[0].sha256.as_str(), sha256(&content));
    assert_eq!(
        first.source(),
        "hub owner/tiny @ 0123456789ab",
        "the branch's commit is resolved"
    );
    assert_eq!(
        server.downloads()[0].path,
        format!("/owner/tiny/resolve/{COMMIT}/config.json")
    );

    let second = catalog.pull("tiny", &pull_options, &NoProgress).unwrap();
    assert!(!second.files[0].first_use);

    // The file is lost and the hub now has other bytes: they are not taken for the same.
    fs::remove_file(&first.files[0].path).unwrap();
    let other = hub(vec![("config.json", bytes(1000, 3))]);
    let error = catalog
        .pull("tiny", &options(cache.path(), &other), &NoProgress)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("instead of recorded on first use:"),
        "{error}"
    );
    assert!(!first.files[0].path.exists());
    // The first hub still has them.
    let third = catalog.pull("tiny", &pull_options, &NoProgress).unwrap();
    assert_eq!(third.files[0].sha256, first.files[0].sha256);
    assert!(!third.files[0].first_use);
}

#[test]
fn the_hash_that_the_hub_lists_is_compared() {
    let cache = tempfile::tempdir().unwrap();
    let content = bytes(5000, 4);
    let listed = "0".repeat(64);
    let served = content.clone();
    let server = Server::start(move |seen| {
        if seen.path.starts_with("/api/") {
            let lfs = format!("{{\"sha256\": \"{listed}\", \"size\": 5000, \"pointerSize\": 1}}");
            let siblings =
                format!("[{{\"rfilename\": \"w.bin\", \"size\": 5000, \"lfs\": {lfs}}}]");
            return Answer::new(
                "200 OK",
                format!("{{\"sha\": \"{COMMIT}\", \"siblings\": {siblings}}}"),
            );
        }
        Answer::file(seen, &served)
    });
    let catalog = catalog("model", &hub_source("main", &[("w.bin", "")]));
    let error = catalog
        .pull("tiny", &options(cache.path(), &server), &NoProgress)
        .unwrap_err()
        .to_string();
    assert!(error.contains(&sha256(&content)), "{error}");
}

#[test]
fn a_cut_connection_is_resumed_where_it_broke() {
    let cache = tempfile::tempdir().unwrap();
    let content = bytes(400_000, 5);
    let served = content.clone();
    let server = Server::start(move |seen| {
        let mut answer = Answer::file(seen, &served);
        if !seen.headers.contains_key("range") {
            answer.cut = Some(150_000);
        }
        answer
    });
    let catalog = catalog(
        "model",
        &hub_source(COMMIT, &[("w.bin", &pinned(&content))]),
    );
    let progress = Kept::default();
    let pulled = catalog
        .pull("tiny", &options(cache.path(), &server), &progress)
        .unwrap();
    assert_eq!(fs::read(&pulled.files[0].path).unwrap(), content);
    let seen = server.seen();
    assert_eq!(seen.len(), 2);
    assert_eq!(seen[1].headers["range"], "bytes=150000-");
    assert_eq!(progress.advanced(), content.len());
    assert!(
        progress.messages().contains("going on at 150000 bytes"),
        "{}",
        progress.messages()
    );
}

#[test]
fn a_server_without_ranges_makes_it_begin_again() {
    let cache = tempfile::tempdir().unwrap();
    let content = bytes(200_000, 6);
    let served = content.clone();
    let server = Server::start(move |seen| {
        let mut answer = Answer::new("200 OK", served.clone());
        if !seen.headers.contains_key("range") {
            answer.cut = Some(100_000);
        }
        answer
    });
    let catalog = catalog(
        "model",
        &hub_source(COMMIT, &[("w.bin", &pinned(&content))]),
    );
    let pulled = catalog
        .pull("tiny", &options(cache.path(), &server), &NoProgress)
        .unwrap();
    assert_eq!(fs::read(&pulled.files[0].path).unwrap(), content);
}

#[test]
fn a_later_pull_goes_on_from_an_interrupted_one() {
    let cache = tempfile::tempdir().unwrap();
    let content = bytes(300_000, 7);
    let served = content.clone();
    // The connection always breaks after the first piece, and later ranges get nothing.
    let broken = Server::start(move |seen| {
        let mut answer = Answer::file(seen, &served);
        answer.cut = Some(if seen.headers.contains_key("range") {
            0
        } else {
            120_000
        });
        answer
    });
    let catalog = catalog(
        "model",
        &hub_source(COMMIT, &[("w.bin", &pinned(&content))]),
    );
    let error = catalog
        .pull("tiny", &options(cache.path(), &broken), &NoProgress)
        .unwrap_err()
        .to_string();
    assert!(error.contains("the connection broke"), "{error}");
    assert!(
        !cache.path().join("models").exists(),
        "no half file is visible"
    );

    // The part belongs to the first server's address, which is noted beside it.
    let note = cache
        .path()
        .join("partial/model-tiny-hub-owner--tiny-0123456789ab/parts/w.bin.url");
    let server = hub(vec![("w.bin", content.clone())]);
    fs::write(
        &note,
        fs::read_to_string(&note)
            .unwrap()
            .replace(&broken.url, &server.url),
    )
    .unwrap();
    let pulled = catalog
        .pull("tiny", &options(cache.path(), &server), &NoProgress)
        .unwrap();
    assert_eq!(fs::read(&pulled.files[0].path).unwrap(), content);
    assert_eq!(server.seen().len(), 1);
    assert_eq!(server.seen()[0].headers["range"], "bytes=120000-");
    assert!(
        !cache
            .path()
            .join("partial/model-tiny-hub-owner--tiny-0123456789ab")
            .exists()
    );
}

#[test]
fn a_damaged_part_is_found_out_and_downloaded_anew() {
    let cache = tempfile::tempdir().unwrap();
    let content = bytes(100_000, 8);
    let server = hub(vec![("w.bin", content.clone())]);
    let catalog = catalog(
        "model",
        &hub_source(COMMIT, &[("w.bin", &pinned(&content))]),
    );
    let parts = cache
        .path()
        .join("partial/model-tiny-hub-owner--tiny-0123456789ab/parts");
    fs::create_dir_all(&parts).unwrap();
    fs::write(parts.join("w.bin.part"), bytes(40_000, 9)).unwrap();
    fs::write(
        parts.join("w.bin.url"),
        format!("{}/owner/tiny/resolve/{COMMIT}/w.bin", server.url),
    )
    .unwrap();
    let progress = Kept::default();
    let pulled = catalog
        .pull("tiny", &options(cache.path(), &server), &progress)
        .unwrap();
    assert_eq!(fs::read(&pulled.files[0].path).unwrap(), content);
    assert!(
        progress
            .messages()
            .contains("downloading it again from the beginning"),
        "{}",
        progress.messages()
    );
    assert_eq!(server.seen().len(), 2);
}

#[test]
fn wrong_bytes_are_refused_and_leave_nothing() {
    let cache = tempfile::tempdir().unwrap();
    let server = hub(vec![("w.bin", bytes(1000, 10))]);
    let catalog = catalog(
        "model",
        &hub_source(COMMIT, &[("w.bin", &pinned(&bytes(1000, 11)))]),
    );
    let error = catalog
        .pull("tiny", &options(cache.path(), &server), &NoProgress)
        .unwrap_err()
        .to_string();
    assert!(error.contains("instead of the manifest's"), "{error}");
    assert!(!cache.path().join("models").exists());
    assert!(
        !tree(cache.path()).iter().any(|file| file.contains(".part")),
        "{:?}",
        tree(cache.path())
    );
}

#[test]
fn a_length_other_than_declared_is_refused_before_it_is_read() {
    let cache = tempfile::tempdir().unwrap();
    let server = hub(vec![("w.bin", bytes(2000, 12))]);
    let catalog = catalog(
        "model",
        &hub_source(COMMIT, &[("w.bin", &pinned(&bytes(1000, 12)))]),
    );
    let progress = Kept::default();
    let error = catalog
        .pull("tiny", &options(cache.path(), &server), &progress)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("has 2000 bytes instead of the 1000 expected"),
        "{error}"
    );
    assert_eq!(progress.advanced(), 0);
}

#[test]
fn a_damaged_cached_file_is_fetched_again_alone() {
    let cache = tempfile::tempdir().unwrap();
    let (a, b) = (bytes(1000, 13), bytes(2000, 14));
    let server = hub(vec![("a", a.clone()), ("b", b.clone())]);
    let catalog = catalog(
        "model",
        &hub_source(COMMIT, &[("a", &pinned(&a)), ("b", &pinned(&b))]),
    );
    let options = options(cache.path(), &server);
    let pulled = catalog.pull("tiny", &options, &NoProgress).unwrap();

    let mut damaged = b.clone();
    damaged[1999] ^= 1;
    let path = &pulled.file("b").unwrap().path;
    let times = fs::metadata(path).unwrap().modified().unwrap();
    fs::write(path, &damaged).unwrap();
    assert!(matches!(
        catalog.state("tiny", cache.path()).unwrap(),
        CacheState::Unverified { .. }
    ));
    let progress = Kept::default();
    let mended = catalog.pull("tiny", &options, &progress).unwrap();
    assert!(!mended.from_cache);
    assert_eq!(fs::read(path).unwrap(), b);
    assert!(
        progress.messages().contains("b has the sha256"),
        "{}",
        progress.messages()
    );
    assert_eq!(
        server.downloads().len(),
        3,
        "only the damaged file is fetched"
    );

    // With the old length and time only `verify` can see it.
    fs::write(path, &damaged).unwrap();
    fs::File::options()
        .write(true)
        .open(path)
        .unwrap()
        .set_modified(times)
        .unwrap();
    let receipt = cache
        .path()
        .join("models/tiny/hub-owner--tiny-0123456789ab.receipt.json");
    let ns = times
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_nanos();
    let mut json: serde_json::Value = serde_json::from_slice(&fs::read(&receipt).unwrap()).unwrap();
    json["files"]["b"]["modified_ns"] = serde_json::json!(u64::try_from(ns).unwrap());
    fs::write(&receipt, serde_json::to_vec(&json).unwrap()).unwrap();
    assert!(
        catalog
            .pull("tiny", &options, &NoProgress)
            .unwrap()
            .from_cache
    );
    let verified = catalog
        .pull(
            "tiny",
            &PullOptions {
                verify: true,
                ..options
            },
            &NoProgress,
        )
        .unwrap();
    assert!(!verified.from_cache);
    assert_eq!(fs::read(path).unwrap(), b);
}

#[test]
fn a_copied_cache_is_hashed_once_and_then_trusted_again() {
    let cache = tempfile::tempdir().unwrap();
    let a = bytes(1000, 15);
    let server = hub(vec![("a", a.clone())]);
    let catalog = catalog("model", &hub_source(COMMIT, &[("a", &pinned(&a))]));
    let options = options(cache.path(), &server);
    let pulled = catalog.pull("tiny", &options, &NoProgress).unwrap();
    let file = fs::File::options()
        .write(true)
        .open(&pulled.files[0].path)
        .unwrap();
    file.set_modified(std::time::UNIX_EPOCH + Duration::from_secs(1))
        .unwrap();
    assert!(
        catalog
            .pull("tiny", &options, &NoProgress)
            .unwrap()
            .from_cache
    );
    assert!(matches!(
        catalog.state("tiny", cache.path()).unwrap(),
        CacheState::Cached { .. }
    ));
    assert_eq!(server.seen().len(), 1);
}

#[test]
fn files_placed_by_hand_are_adopted_when_they_are_right() {
    let cache = tempfile::tempdir().unwrap();
    let a = bytes(1000, 16);
    let server = hub(vec![]);
    let catalog = catalog(
        "model",
        &hub_source(COMMIT, &[("a", &pinned(&a)), ("b", "")]),
    );
    let dir = cache
        .path()
        .join("models/tiny/hub-owner--tiny-0123456789ab");
    fs::create_dir_all(&dir).unwrap();
    fs::write(dir.join("a"), &a).unwrap();
    fs::write(dir.join("b"), "b").unwrap();
    let options = options(cache.path(), &server);
    let pulled = catalog.pull("tiny", &options, &NoProgress).unwrap();
    assert_eq!(
        pulled.source(),
        "cache (from hub owner/tiny @ 0123456789ab (placed by hand))"
    );
    assert_eq!(
        pulled.files.iter().map(|f| f.first_use).collect::<Vec<_>>(),
        [false, true]
    );
    assert!(!catalog.pull("tiny", &options, &NoProgress).unwrap().files[1].first_use);
    assert!(server.seen().is_empty());
}

#[test]
fn refusals_name_their_remedy() {
    for (status, token, remedy) in [
        (
            "401 Unauthorized",
            None,
            "set HF_TOKEN, and ask for access at",
        ),
        (
            "401 Unauthorized",
            Some("hf_secret"),
            "the token is not accepted",
        ),
        (
            "403 Forbidden",
            Some("hf_secret"),
            "the token gives no access: ask for it at",
        ),
        (
            "404 Not Found",
            None,
            "no such repository, revision or file (a private one is also hidden so: set HF_TOKEN)",
        ),
    ] {
        for revision in ["main", COMMIT] {
            let cache = tempfile::tempdir().unwrap();
            let server = Server::start(move |_| Answer::new(status, "no"));
            let a = bytes(10, 17);
            let catalog = catalog("model", &hub_source(revision, &[("a", &pinned(&a))]));
            let mut options = options(cache.path(), &server);
            options.hub.token = token.map(str::to_owned);
            let error = catalog.pull("tiny", &options, &NoProgress).unwrap_err();
            let ArtifactError::NoSource(report) = &error else {
                panic!("{error}")
            };
            let reason = &report.attempts[1].reason;
            assert!(
                reason.contains(status) && reason.contains(remedy),
                "{reason}"
            );
            assert!(!error.to_string().contains("hf_secret"));
            let sent = server.seen()[0].headers.get("authorization").cloned();
            assert_eq!(sent, token.map(|token| format!("Bearer {token}")));
        }
    }
}

#[test]
fn a_redirect_to_another_host_does_not_get_the_token() {
    let cache = tempfile::tempdir().unwrap();
    let content = bytes(1000, 18);
    let served = content.clone();
    let other = Server::start(move |seen| Answer::file(seen, &served));
    // `localhost` and `127.0.0.1` are two hosts to a client.
    let target = other.url.replace("127.0.0.1", "localhost");
    let server = Server::start(move |_| {
        let mut answer = Answer::new("302 Found", "");
        answer
            .headers
            .push(("Location".to_owned(), format!("{target}/blob")));
        answer
    });
    let catalog = catalog(
        "model",
        &hub_source(COMMIT, &[("w.bin", &pinned(&content))]),
    );
    let mut options = options(cache.path(), &server);
    options.hub.token = Some("hf_secret".to_owned());
    catalog.pull("tiny", &options, &NoProgress).unwrap();
    assert!(server.seen()[0].headers.contains_key("authorization"));
    assert!(!other.seen()[0].headers.contains_key("authorization"));
}

#[test]
fn a_busy_server_is_asked_again() {
    let cache = tempfile::tempdir().unwrap();
    let content = bytes(1000, 19);
    let served = content.clone();
    let tries = Mutex::new(0);
    let server = Server::start(move |seen| {
        let mut tries = tries.lock().unwrap();
        *tries += 1;
        match *tries {
            1 => Answer::new("503 Service Unavailable", ""),
            2 => {
                let mut answer = Answer::new("429 Too Many Requests", "");
                answer
                    .headers
                    .push(("Retry-After".to_owned(), "0".to_owned()));
                answer
            }
            _ => Answer::file(seen, &served),
        }
    });
    let catalog = catalog(
        "model",
        &hub_source(COMMIT, &[("w.bin", &pinned(&content))]),
    );
    catalog
        .pull("tiny", &options(cache.path(), &server), &NoProgress)
        .unwrap();
    assert_eq!(server.seen().len(), 3);
}

#[test]
fn two_threads_at_once_download_once() {
    let cache = tempfile::tempdir().unwrap();
    let content = bytes(400_000, 20);
    let served = content.clone();
    let server = Server::start(move |seen| {
        let mut answer = Answer::file(seen, &served);
        answer.pace = Some(Duration::from_millis(10));
        answer
    });
    let catalog = catalog(
        "model",
        &hub_source(COMMIT, &[("w.bin", &pinned(&content))]),
    );
    let options = options(cache.path(), &server);
    let waited = Kept::default();
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let pulled = catalog.pull("tiny", &options, &waited).unwrap();
                assert_eq!(fs::read(&pulled.files[0].path).unwrap(), content);
            });
        }
    });
    assert_eq!(server.seen().len(), 1);
    assert!(
        waited.messages().contains("waiting for another process"),
        "{}",
        waited.messages()
    );
}

#[test]
fn a_compressed_file_is_undone_after_its_download() {
    let lines = b"{}\n".repeat(20_000);
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
    encoder.write_all(&lines).unwrap();
    let gzip = encoder.finish().unwrap();
    let fields = format!(
        "member = \"data/rows.gz\"\ndecompress = \"gzip\"\n{}",
        pinned(&lines)
    );
    let catalog = catalog("suite", &hub_source(COMMIT, &[("rows", &fields)]));

    let cache = tempfile::tempdir().unwrap();
    let served = gzip.clone();
    let server = Server::start(move |seen| {
        let mut answer = Answer::file(seen, &served);
        if !seen.headers.contains_key("range") {
            answer.cut = Some(30_000);
        }
        answer
    });
    let pulled = catalog
        .pull("tiny", &options(cache.path(), &server), &NoProgress)
        .unwrap();
    assert_eq!(fs::read(pulled.entry()).unwrap(), lines);
    assert_eq!(server.seen().len(), 2);
    assert_eq!(tree(cache.path()).len(), 3, "{:?}", tree(cache.path()));

    // Bytes that are no gzip, and a gzip of more than was declared.
    let zeros = vec![0; 10 << 20];
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(&zeros).unwrap();
    for (content, why) in [
        (lines.clone(), "cannot be read"),
        (
            encoder.finish().unwrap(),
            "has more than the 60000 bytes expected",
        ),
        (gzip[..gzip.len() - 9].to_vec(), "cannot be read"),
    ] {
        let cache = tempfile::tempdir().unwrap();
        let server = hub(vec![("data/rows.gz", content)]);
        let error = catalog
            .pull("tiny", &options(cache.path(), &server), &NoProgress)
            .unwrap_err()
            .to_string();
        assert!(error.contains(why), "{error}");
        assert_eq!(tree(cache.path()), ["locks/suite-tiny.lock"]);
    }
}

#[test]
fn a_source_that_fails_leaves_the_next_one_to_answer() {
    let cache = tempfile::tempdir().unwrap();
    let content = bytes(1000, 30);
    let server = hub(vec![("b.bin", content.clone())]);
    let other = "f".repeat(40);
    let sources = hub_source(&other, &[("a.bin", &pinned(&content))])
        + &hub_source(COMMIT, &[("b.bin", &pinned(&content))]);
    let catalog = catalog("model", &sources);
    let progress = Kept::default();
    let options = options(cache.path(), &server);
    let pulled = catalog.pull("tiny", &options, &progress).unwrap();
    assert_eq!(pulled.entry().file_name().unwrap(), "b.bin");
    assert!(
        progress
            .messages()
            .contains("hub owner/tiny @ ffffffffffff: HTTP 404 Not Found"),
        "{}",
        progress.messages()
    );
    assert!(
        !tree(cache.path())
            .iter()
            .any(|file| file.starts_with("partial/")),
        "{:?}",
        tree(cache.path())
    );

    // What was used before is mended from its own source, and the cache of another source is no fresh download.
    let seen = server.seen().len();
    fs::write(pulled.entry(), "x").unwrap();
    assert_eq!(
        catalog.pull("tiny", &options, &NoProgress).unwrap().entry(),
        pulled.entry()
    );
    assert_eq!(server.seen().len(), seen + 1);
    let first = cache
        .path()
        .join("models/tiny/hub-owner--tiny-ffffffffffff");
    fs::create_dir_all(&first).unwrap();
    fs::write(first.join("a.bin"), "x").unwrap();
    let seen = server.seen().len();
    let again = catalog.pull("tiny", &options, &NoProgress).unwrap();
    assert!(again.from_cache);
    assert_eq!(
        server.seen().len(),
        seen + 1,
        "only the damaged source is asked"
    );
}

#[test]
fn what_other_tools_fetched_is_taken_from_the_hubs_own_cache() {
    let (cache, hf) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let content = bytes(1000, 21);
    let repo = hf.path().join("models--owner--tiny");
    fs::create_dir_all(repo.join("snapshots").join(COMMIT)).unwrap();
    fs::create_dir_all(repo.join("refs")).unwrap();
    fs::write(repo.join("refs/main"), COMMIT).unwrap();
    fs::write(repo.join("snapshots").join(COMMIT).join("w.bin"), &content).unwrap();
    let server = hub(vec![]);
    for revision in [COMMIT, "main"] {
        let cache = cache.path().join(revision);
        let catalog = catalog(
            "model",
            &hub_source(revision, &[("w.bin", &pinned(&content))]),
        );
        let mut options = options(&cache, &server);
        options.hub.cache = Some(hf.path().to_path_buf());
        options.hub.offline = true;
        let pulled = catalog.pull("tiny", &options, &NoProgress).unwrap();
        assert_eq!(pulled.origin.commit.as_deref(), Some(COMMIT));
        assert_eq!(fs::read(&pulled.files[0].path).unwrap(), content);
    }
    assert!(server.seen().is_empty());
}

#[test]
fn offline_connects_to_nothing() {
    let cache = tempfile::tempdir().unwrap();
    let server = hub(vec![("a", bytes(10, 22))]);
    let catalog = catalog(
        "model",
        &hub_source(COMMIT, &[("a", &pinned(&bytes(10, 22)))]),
    );
    let settings = HubSettings {
        offline: true,
        ..options(cache.path(), &server).hub
    };
    for (options, why) in [
        (
            PullOptions {
                offline: true,
                ..options(cache.path(), &server)
            },
            "offline was asked for",
        ),
        (
            PullOptions {
                hub: settings,
                ..options(cache.path(), &server)
            },
            "HF_HUB_OFFLINE is set",
        ),
    ] {
        let error = catalog
            .pull("tiny", &options, &NoProgress)
            .unwrap_err()
            .to_string();
        assert!(error.contains(why), "{error}");
    }
    assert!(server.seen().is_empty());
}

#[test]
fn nonsense_from_a_server_is_an_error_and_no_panic() {
    for body in [
        "",
        "{}",
        "[]",
        "{\"sha\": \"../../etc\"}",
        "{\"sha\": 5}",
        "\u{0}\u{1}",
        "{\"sha\": \"abc\"",
    ] {
        let cache = tempfile::tempdir().unwrap();
        let server = Server::start(move |_| Answer::new("200 OK", body));
        let catalog = catalog("model", &hub_source("main", &[("a", "")]));
        assert!(
            catalog
                .pull("tiny", &options(cache.path(), &server), &NoProgress)
                .is_err(),
            "{body}"
        );
        assert!(!cache.path().join("models").exists());
    }
    // A redirect to nowhere, and an answer to a range that was not asked for.
    for (status, header, value) in [
        ("302 Found", "X", "y"),
        ("302 Found", "Location", "::not a url"),
        ("206 Partial Content", "Content-Range", "bytes 7-9/10"),
    ] {
        let cache = tempfile::tempdir().unwrap();
        let server = Server::start(move |_| {
            let mut answer = Answer::new(status, "abc");
            answer.headers.push((header.to_owned(), value.to_owned()));
            answer
        });
        let catalog = catalog("model", &hub_source(COMMIT, &[("a", &pinned(b"abc"))]));
        assert!(
            catalog
                .pull("tiny", &options(cache.path(), &server), &NoProgress)
                .is_err(),
            "{status} {value}"
        );
    }
}

#[test]
fn an_endpoint_that_is_none_is_named() {
    let cache = tempfile::tempdir().unwrap();
    let catalog = catalog("model", &hub_source(COMMIT, &[("a", &pinned(b"a"))]));
    let mut options = PullOptions::in_dir(cache.path());
    // A port that was just free: nothing listens there.
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    for (endpoint, why) in [
        (String::new(), "HF_ENDPOINT is not a URL"),
        (format!("http://127.0.0.1:{port}"), "no connection"),
    ] {
        options.hub.endpoint = endpoint;
        let error = catalog
            .pull("tiny", &options, &NoProgress)
            .unwrap_err()
            .to_string();
        assert!(error.contains(why), "{error}");
    }
}
