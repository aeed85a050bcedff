//! Manifests from strangers.

mod support;

use evalh_artifact::{Manifest, NoProgress, PullOptions, SourceKind};
use proptest::prelude::*;
use std::path::{Component, Path, PathBuf};
use support::{catalog, hub_source};

const GOOD: &str = r#"
name = "rows"
kind = "suite"
description = "some rows"
licence = "MIT"
upstream = "https://example.org"
split = "test"
items = 3

[[source]]
type = "package"
package = "rows"
version = "1.0"
[[source.file]]
path = "rows.jsonl"
sha256 = "1d49078ba3e2b196b9344535bef34a43021f038fad9561d6ee7c53450609a6a2"

[[source]]
type = "git"
url = "https://example.org/rows"
commit = "6d43fb980f9fee3c892a914eda09951f772ad10d"
[[source.file]]
path = "rows.jsonl"
"#;

#[test]
fn every_deviation_is_refused_by_name() {
    assert!(Manifest::parse(GOOD, "good.toml").is_ok());
    for (from, to, named) in [
        ("split = \"test\"", "splits = \"test\"", "splits"),
        (
            "version = \"1.0\"",
            "version = \"1.0\"\nindex = \"https://x\"",
            "index",
        ),
        (
            "path = \"rows.jsonl\"\nsha256",
            "path = \"rows.jsonl\"\nsha512",
            "sha512",
        ),
        ("type = \"git\"", "type = \"svn\"", "svn"),
        ("licence = \"MIT\"\n", "", "licence"),
        ("licence = \"MIT\"", "licence = \" \"", "licence"),
        ("kind = \"suite\"", "kind = \"model\"", "split"),
        ("kind = \"suite\"", "kind = \"thing\"", "thing"),
        ("name = \"rows\"", "name = \"../rows\"", "name"),
        ("name = \"rows\"", "name = \"rows.jsonl\"", "name"),
        ("name = \"rows\"", "name = \"Rows\"", "name"),
        (
            "path = \"rows.jsonl\"\nsha256",
            "path = \"../rows.jsonl\"\nsha256",
            "path",
        ),
        (
            "path = \"rows.jsonl\"\nsha256",
            "path = \"/rows.jsonl\"\nsha256",
            "path",
        ),
        (
            "path = \"rows.jsonl\"\nsha256",
            "path = \"a\"\nmember = \"x/../../y\"\nsha256",
            "member",
        ),
        ("1d49", "XX49", "sha256"),
        (
            "package = \"rows\"",
            "package = \"--index-url=http://x\"",
            "package",
        ),
        ("version = \"1.0\"", "version = \">=1\"", "version"),
        ("https://example.org/rows", "ext::sh -c evil", "url"),
        ("https://example.org/rows", "--upload-pack=evil", "url"),
        ("6d43fb980f9fee3c892a914eda09951f772ad10d", "main", "commit"),
        ("items = 3", "items = -3", "items"),
    ] {
        assert!(GOOD.contains(from), "{from}");
        let error = Manifest::parse(&GOOD.replacen(from, to, 1), "bad.toml")
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with("read manifest bad.toml: ") && error.contains(named),
            "{to}: {error}"
        );
    }
    let twice = format!("{GOOD}[[source.file]]\npath = \"Rows.jsonl\"\n");
    assert!(
        Manifest::parse(&twice, "x")
            .unwrap_err()
            .to_string()
            .contains("collides")
    );
    let none = GOOD.split("[[source]]").next().unwrap();
    assert!(
        Manifest::parse(none, "x")
            .unwrap_err()
            .to_string()
            .contains("source")
    );
}

#[test]
fn the_error_where_no_source_answers() {
    let cache = tempfile::tempdir().unwrap();
    let sources = hub_source("main", &[("config.json", ""), ("w.bin", "")])
        + "[[source]]\ntype = \"package\"\npackage = \"tiny\"\nversion = \"1\"\n[[source.file]]\npath = \"w.gguf\"\n"
        + "[[source]]\ntype = \"git\"\nurl = \"https://example.org/tiny\"\ncommit = \"6d43fb980f9fee3c892a914eda09951f772ad10d\"\n[[source.file]]\npath = \"w.gguf\"\n";
    let catalog = catalog("model", &sources);
    let mut options = PullOptions::in_dir(cache.path());
    options.path_flag = "--model PATH".to_owned();
    options.hub.offline = true;
    options.tools.python = Some(PathBuf::from("no-such-python"));
    options.tools.git = PathBuf::from("no-such-git");
    let error = catalog
        .pull("tiny", &options, &NoProgress)
        .unwrap_err()
        .to_string();
    insta::assert_snapshot!(error.replace(cache.path().to_str().unwrap(), "CACHE").replace('\\', "/"), @r"
    pull `tiny`: no source answered
      cache: nothing in CACHE/models/tiny
      hub owner/tiny @ main: HF_HUB_OFFLINE is set, and the commit is not in the Hugging Face cache
      pip tiny 1: no-such-python is not found (install Python, or set EVALH_PYTHON to its path)
      git https://example.org/tiny @ 6d43fb980f9f: git is not found (install git)
    to supply it by hand, give its path with --model PATH, or put
      config.json, w.bin into CACHE/models/tiny/hub-owner--tiny-main, or
      w.gguf into CACHE/models/tiny/pip-tiny-1, or
      w.gguf into CACHE/models/tiny/git-6d43fb980f9f
    ");

    options.source = Some(SourceKind::PythonTool);
    let error = catalog
        .pull("tiny", &options, &NoProgress)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("python-tool: the manifest has no such source (it has: hub, package, git)"),
        "{error}"
    );
}

/// Texts that a manifest's author might try.
fn nasty() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zA-Z0-9./\\\\_~:@+ -]{0,24}",
        "(\\.\\./|/|[a-z]{1,3}/){1,4}[a-z.]{0,5}",
        any::<String>().prop_map(|text| text.chars().take(30).collect()),
    ]
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

proptest! {
    #[test]
    fn random_text_never_panics(text in any::<String>()) {
        let _ = Manifest::parse(&text, "random.toml");
    }

    #[test]
    fn mutated_manifests_never_panic(at in 0..GOOD.len(), byte in any::<u8>(), cut in 0..GOOD.len()) {
        let mut bytes = GOOD.as_bytes().to_vec();
        bytes[at] = byte;
        let _ = Manifest::parse(&String::from_utf8_lossy(&bytes), "mutated.toml");
        let _ = Manifest::parse(&String::from_utf8_lossy(&bytes[..cut]), "mutated.toml");
    }

    #[test]
    fn accepted_paths_stay_in_their_folder(path in nasty()) {
        let text = GOOD.replacen("path = \"rows.jsonl\"", &format!("path = {}", quoted(&path)), 1);
        if let Ok(manifest) = Manifest::parse(&text, "x.toml") {
            let path = &manifest.sources[0].files()[0].path;
            prop_assert!(Path::new(path).components().all(|c| matches!(c, Component::Normal(_))));
            prop_assert!(!path.contains(['\\', ':', '\0']));
        }
    }

    #[test]
    fn accepted_names_and_versions_are_no_flags_or_paths(value in nasty()) {
        for field in ["name = \"rows\"\nkind", "package = \"rows\"", "version = \"1.0\""] {
            let key = field.split(' ').next().unwrap();
            let rest = field.split_once('\n').map_or(String::new(), |(_, rest)| format!("\n{rest}"));
            let text = GOOD.replacen(field, &format!("{key} = {}{rest}", quoted(&value)), 1);
            if let Ok(manifest) = Manifest::parse(&text, "x.toml") {
                prop_assert!(!value.starts_with('-') && !value.contains(['/', '\\', ' ']));
                prop_assert!(!manifest.sources[0].label().contains('\n'));
            }
        }
    }
}
