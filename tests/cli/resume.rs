//! Runs that were killed, interrupted, or changed.

use crate::{
    run::{TRIO, with_model},
    support::{Evalh, has_sandbox},
};
use std::{
    thread::sleep,
    time::{Duration, Instant},
};

const OPTIONS: &str = "--samples 6 --temperature 0.9 --batch 4 --threads 2 --quiet";

/// How many samples a run folder holds.
fn samples(evalh: &Evalh, dir: &str) -> usize {
    std::fs::read(evalh.path(&format!("{dir}/samples.jsonl")))
        .map_or(0, |bytes| bytes.split(|&b| b == b'\n').count() - 1)
}

#[test]
fn killed_at_any_moment_and_resumed_gives_the_same_bytes() {
    if !has_sandbox("killed_at_any_moment_and_resumed_gives_the_same_bytes") {
        return;
    }
    let evalh = with_model();
    let began = Instant::now();
    let whole = evalh.run(&format!("{TRIO} {OPTIONS} --out whole"));
    assert_eq!(whole.code, Some(0), "{}", whole.err);
    let took = began.elapsed();
    let mut kept = Vec::new();
    for moment in 0..10u32 {
        let dir = format!("killed-{moment}");
        let mut child = evalh.start(&format!("{TRIO} {OPTIONS} --out {dir}"));
        sleep(took * moment / 10 + Duration::from_millis(3));
        // SIGKILL; it may have ended by itself already.
        let _ = child.kill();
        child.wait().unwrap();
        kept.push(samples(&evalh, &dir));
        // Twice, so that a resumed run is killed too.
        if evalh.path(&format!("{dir}/manifest.json")).exists() {
            let mut child = evalh.start(&format!("run --quiet --resume {dir}"));
            sleep(took / 3);
            let _ = child.kill();
            child.wait().unwrap();
            let shown = evalh.run(&format!("run --quiet --resume {dir}"));
            assert_eq!(shown.code, Some(0), "{}", shown.err);
        } else {
            let shown = evalh.run(&format!("{TRIO} {OPTIONS} --out {dir}"));
            assert_eq!(shown.code, Some(0), "{}", shown.err);
        }
        for file in ["samples.jsonl", "results.json"] {
            assert_eq!(
                evalh.read(&format!("{dir}/{file}")),
                evalh.read(&format!("whole/{file}")),
                "{dir}/{file}"
            );
        }
    }
    assert!(
        kept.iter().any(|&n| n > 0 && n < 144),
        "no kill came in the middle: {kept:?}"
    );
}

#[test]
#[cfg(unix)]
fn ctrl_c_ends_in_good_order_and_says_how_to_go_on() {
    if !has_sandbox("ctrl_c_ends_in_good_order_and_says_how_to_go_on") {
        return;
    }
    let evalh = with_model();
    let child = evalh
        .start(&format!("{TRIO} {OPTIONS} --samples 40 --out out").replace("--samples 6 ", ""));
    let deadline = Instant::now() + Duration::from_mins(1);
    while samples(&evalh, "out") < 3 && Instant::now() < deadline {
        sleep(Duration::from_millis(5));
    }
    let signal = std::process::Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(signal.success());
    let output = child.wait_with_output().unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(4), "{err}");
    insta::with_settings!({filters => [(r"after \d+ of 960", "after [N] of 960")]}, {
        insta::assert_snapshot!(err);
    });
    assert!(samples(&evalh, "out") >= 3);
    assert!(evalh.path("out/timings.json").exists());
    assert!(!evalh.path("out/results.json").exists());
    let shown = evalh.run("report out");
    insta::assert_snapshot!("report_of_an_unfinished_run", evalh.shown(&shown));
}

#[test]
fn a_finished_run_is_resumed_without_an_answer() {
    if !has_sandbox("a_finished_run_is_resumed_without_an_answer") {
        return;
    }
    let evalh = with_model();
    assert_eq!(
        evalh.run(&format!("{TRIO} --limit 2 --out out")).code,
        Some(0)
    );
    let samples = evalh.read("out/samples.jsonl");
    let shown = evalh.run("run --resume out");
    assert_eq!(shown.code, Some(0), "{}", shown.err);
    assert_eq!(evalh.read("out/samples.jsonl"), samples);
}

#[test]
fn what_changed_since_is_named() {
    if !has_sandbox("what_changed_since_is_named") {
        return;
    }
    let evalh = with_model();
    assert_eq!(
        evalh.run(&format!("{TRIO} --limit 2 --out out")).code,
        Some(0)
    );
    let before = evalh.read("out/samples.jsonl");
    crate::support::write_adapter(&evalh.path("two"), 3, 64);
    let shown = evalh.run("run --resume out --quiet");
    insta::with_settings!({filters => [("[0-9a-f]{64}", "[SHA256]")]}, {
        insta::assert_snapshot!(evalh.shown(&shown));
    });
    assert_eq!(evalh.read("out/samples.jsonl"), before);
}

#[test]
fn two_processes_do_not_write_to_one_folder() {
    if !has_sandbox("two_processes_do_not_write_to_one_folder") {
        return;
    }
    let evalh = with_model();
    let mut child = evalh.start(&format!(
        "{TRIO} --samples 40 --temperature 0.9 --quiet --out out"
    ));
    let deadline = Instant::now() + Duration::from_mins(1);
    while samples(&evalh, "out") < 1 && Instant::now() < deadline {
        sleep(Duration::from_millis(5));
    }
    let shown = evalh.run("run --resume out");
    child.kill().unwrap();
    child.wait().unwrap();
    insta::assert_snapshot!(evalh.shown(&shown));
}

/// A disk of its own, of 1.3 MiB, in a mount namespace: full, then made larger.
const SMALL_DISK: &str = r#"
mkdir disk
mount -t tmpfs -o size=1000k evalh-test disk || exit 77
"$EVALH" $RUN --out disk/out 2> full.txt
echo $? > full.code
cp disk/out/samples.jsonl full.jsonl
mount -o remount,size=20m disk
"$EVALH" run --quiet --resume disk/out 2> resumed.txt
echo $? > resumed.code
cp disk/out/samples.jsonl resumed.jsonl
"#;

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_keeps_what_is_answered() {
    if !has_sandbox("a_full_disk_keeps_what_is_answered") {
        return;
    }
    let evalh = with_model();
    let run = format!("{TRIO} --samples 25 --temperature 0.9 --quiet");
    let whole = evalh.run(&format!("{run} --out whole"));
    assert_eq!(whole.code, Some(0), "{}", whole.err);
    let mut command = evalh.command("");
    let environment: Vec<_> = command
        .get_envs()
        .map(|(k, v)| (k.to_owned(), v.map(ToOwned::to_owned)))
        .collect();
    command = std::process::Command::new("unshare");
    command
        .args(["--map-root-user", "--mount", "sh", "-c", SMALL_DISK])
        .current_dir(evalh.path(""));
    for (key, value) in environment {
        if let Some(value) = value {
            command.env(key, value);
        }
    }
    command
        .env("EVALH", env!("CARGO_BIN_EXE_evalh"))
        .env("RUN", &run);
    match command.output() {
        Ok(output) if output.status.success() => {}
        _ => {
            eprintln!("skipped a_full_disk_keeps_what_is_answered: no disk can be mounted here");
            return;
        }
    }
    assert_eq!(
        evalh.read("full.code").trim(),
        "2",
        "{}",
        evalh.read("full.txt")
    );
    insta::assert_snapshot!(evalh.read("full.txt"));
    let kept = evalh.read("full.jsonl").lines().count();
    assert!(kept > 100 && kept < 600, "{kept}");
    assert_eq!(
        evalh.read("resumed.code").trim(),
        "0",
        "{}",
        evalh.read("resumed.txt")
    );
    assert_eq!(
        evalh.read("resumed.jsonl"),
        evalh.read("whole/samples.jsonl")
    );
}
