//! `evalh list`, `evalh pull`.

use crate::support::Evalh;

/// A cache that is empty.
fn list(evalh: &Evalh, what: &str) -> String {
    let shown = Evalh::finish(evalh.command(what).env("EVALH_CACHE", evalh.path("cache")));
    evalh.shown(&shown)
}

#[test]
fn everything_is_listed() {
    let evalh = Evalh::new();
    for what in ["models", "suites", "artifacts"] {
        insta::assert_snapshot!(
            format!("list_{what}"),
            list(&evalh, &format!("list {what}"))
        );
    }
    insta::assert_snapshot!(list(&evalh, "list suites --json"));
}

#[test]
fn an_unknown_artifact_is_answered_with_the_nearest() {
    let evalh = Evalh::new();
    insta::assert_snapshot!(list(&evalh, "pull humanevl --offline"));
}

#[test]
fn offline_without_a_cache_says_how_to_supply_the_files() {
    let evalh = Evalh::new();
    insta::assert_snapshot!(list(&evalh, "pull humaneval --offline"));
}

#[test]
fn a_source_that_the_artifact_does_not_have_is_named() {
    let evalh = Evalh::new();
    insta::assert_snapshot!(list(&evalh, "pull humaneval --from hub --offline"));
    insta::assert_snapshot!(list(&evalh, "pull humaneval --from floppy"));
}
