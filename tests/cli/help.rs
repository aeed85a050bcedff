//! What `--help` says, and how fast.

use crate::support::Evalh;
use std::time::{Duration, Instant};

#[test]
fn help_of_every_command() {
    let evalh = Evalh::new();
    for command in [
        "",
        "run",
        "score",
        "exec",
        "pull",
        "list",
        "bench",
        "report",
        "compare",
        "view",
        "gate",
        "baseline",
        "baseline save",
        "baseline show",
        "prompts",
        "suite",
        "suite import",
        "verify",
        "model",
        "model inspect",
        "adapter",
        "adapter inspect",
        "adapter compare",
        "adapter merge",
    ] {
        let shown = evalh.run(&format!("{command} --help"));
        assert_eq!(shown.code, Some(0));
        let name = format!(
            "help_{}",
            if command.is_empty() {
                "evalh".to_owned()
            } else {
                command.replace(' ', "_")
            }
        );
        insta::assert_snapshot!(name, shown.out);
    }
}

#[test]
fn no_command_is_bad_usage() {
    let evalh = Evalh::new();
    assert_eq!(evalh.run("").code, Some(2));
    assert_eq!(evalh.run("evaluate").code, Some(2));
}

#[test]
fn help_comes_at_once() {
    let evalh = Evalh::new();
    let fastest = (0..10)
        .map(|_| {
            let began = Instant::now();
            evalh.run("--help");
            began.elapsed()
        })
        .min()
        .unwrap();
    assert!(fastest < Duration::from_millis(20), "{fastest:?}");
}
