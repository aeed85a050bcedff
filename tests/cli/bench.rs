//! `evalh bench`. Its figures differ from run to run, so snapshots show `#` in their place.

use crate::support::{Evalh, copy_fixture};
use serde_json::Value;
use std::fs;

/// A small amount of everything.
const SMALL: &str = "--prompt-tokens 8,16 --batch 1,3 --context 8 --new-tokens 4 --repetitions 6 --requests 3 --rounds 6 --threads 1";

fn with(fixtures: &[&str]) -> Evalh {
    let evalh = Evalh::new();
    for name in fixtures {
        copy_fixture(name, &evalh.path(name));
    }
    evalh
}

/// Checks a text against its snapshot, without what depends on the machine and the moment.
fn assert_shown(name: &str, text: &str) {
    insta::with_settings!({ filters => [
        (r"thread of .*, kernel [a-z0-9-]+", "thread of [MACHINE], kernel [KERNEL]"),
        (r"energy .*", "energy [ENERGY]"),
        // Sections that are there on some machines.
        (r"\n## Warnings\n(?s:.*?)(\n## |\z)", "$1"),
        (r"\n## Energy\n(?s:.*?)(\n## |\z)", "$1"),
        (r"\nEnergy\n(?s:.*?)\n\n", "\n"),
        (r"[\d.,]+ (\u{b5}s|ms|s)\b", "#"),
        (r"\d+\.\d+ [kMG]?B", "#"),
        (r"\b\d+\.\d{3}\b", "#"),
        (r"(?m)^(\|? *\d+ +\|? *)[\d.,]+ ", "$1# "),
        (r"[-:]{3,}", "---"),
        (r" +", " "),
    ]}, {
        insta::assert_snapshot!(name, text);
    });
}

#[test]
fn a_checkpoint_and_its_adapters_are_measured() {
    let evalh = with(&["llama"]);
    let adapters = "--adapter plain=llama/adapters/plain --adapter dora=llama/adapters/dora";
    let shown = evalh.run(&format!(
        "bench --model llama {adapters} {SMALL} --out out/bench"
    ));
    assert_eq!(shown.code, Some(0), "{}", shown.err);
    assert_shown("bench", &shown.out);
    assert_shown("bench_markdown", &evalh.read("out/bench/bench.md"));

    let found: Value = serde_json::from_str(&evalh.read("out/bench/bench.json")).unwrap();
    let lengths = |figures: &str, key: &str| -> Vec<u64> {
        let figures = found[figures].as_array().unwrap();
        figures
            .iter()
            .map(|figure| figure[key].as_u64().unwrap())
            .collect()
    };
    assert_eq!(lengths("prefill", "tokens"), [8, 16]);
    assert_eq!(lengths("decode", "batch"), [1, 3]);
    for figure in found["prefill"].as_array().unwrap() {
        check_spread(&figure["seconds"]);
        let speed = figure["tokens_per_second"].as_f64().unwrap();
        let seconds = figure["seconds"]["median"].as_f64().unwrap();
        let tokens = figure["tokens"].as_f64().unwrap();
        assert!((speed * seconds - tokens).abs() < 1e-6 * tokens);
    }
    let requests = &found["requests"];
    assert_eq!(requests["whole"]["each"].as_array().unwrap().len(), 3);
    let of = |latency: &str| requests[latency]["p50"].as_f64().unwrap();
    assert!(0.0 < of("first_token") && of("first_token") < of("whole"));
    let adapters = found["adapters"].as_array().unwrap();
    let named: Vec<_> = adapters
        .iter()
        .map(|cost| {
            (
                cost["adapter"].as_str().unwrap(),
                cost["how"].as_str().unwrap(),
            )
        })
        .collect();
    let expected = [
        ("plain", "merged"),
        ("plain", "unmerged"),
        ("dora", "merged"),
        ("dora", "unmerged"),
    ];
    assert_eq!(named, expected);
    for cost in adapters {
        check_spread(&cost["ratio"]);
        // Each ratio is of the two times of its round.
        for round in 0..6 {
            let at = |of: &str| cost[of]["each"][round].as_f64().unwrap();
            let ratio = at("seconds") / at("base_seconds");
            assert!((ratio - at("ratio")).abs() < 1e-9 * ratio);
        }
    }
}

/// Six values, with the interval of their median around it.
fn check_spread(spread: &Value) {
    assert_eq!(spread["each"].as_array().unwrap().len(), 6);
    let median = spread["median"].as_f64().unwrap();
    let end = |index: usize| spread["interval"][index].as_f64().unwrap();
    assert!(0.0 < end(0) && end(0) <= median && median <= end(1));
}

#[test]
fn json_goes_to_standard_output_alone() {
    let evalh = with(&["llama"]);
    let shown = evalh.run(
        "bench --model llama --only decode --batch 2 --context 4 --new-tokens 2 --repetitions 2 --json --quiet --kernel portable",
    );
    assert_eq!(shown.code, Some(0), "{}", shown.err);
    let found: Value = serde_json::from_str(&shown.out).unwrap();
    assert_eq!(found["subject"]["kernel"], "burn");
    assert_eq!(found["decode"][0]["batch"], 2);
    // Two repetitions have no 95 % interval.
    assert_eq!(found["decode"][0]["seconds"]["interval"], Value::Null);
    assert_eq!(found["prefill"], serde_json::json!([]));
    assert_eq!(found["requests"], Value::Null);
    assert!(found["energy"].is_object());
}

/// A process may use fewer processors than the machine has: an affinity mask, as `taskset` sets it.
#[cfg(target_os = "linux")]
#[test]
fn threads_are_as_many_as_the_affinity_mask_allows() {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let allowed = status
        .lines()
        .find_map(|line| line.strip_prefix("Cpus_allowed_list:"))
        .unwrap();
    let first = allowed.trim().split([',', '-']).next().unwrap();
    let evalh = with(&["llama"]);
    let bench = evalh.command("bench --model llama --only decode --batch 1 --json --quiet");
    let mut pinned = std::process::Command::new("taskset");
    pinned
        .args(["-c", first])
        .arg(bench.get_program())
        .args(bench.get_args())
        .current_dir(evalh.path(""));
    let Ok(output) = pinned.output() else {
        eprintln!("skipped threads_are_as_many_as_the_affinity_mask_allows: there is no taskset");
        return;
    };
    assert!(output.status.success(), "{output:?}");
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(found["subject"]["threads"], 1);
}

#[test]
fn what_cannot_be_measured_is_refused_by_name() {
    let evalh = with(&["llama", "bert"]);
    fs::create_dir(evalh.path("full")).unwrap();
    evalh.write("full/notes.txt", "mine");
    for (name, line) in [
        ("an_encoder", "--model bert"),
        ("no_adapter", "--model llama --only adapters"),
        ("an_idle_option", "--model llama --only prefill --batch 4"),
        ("too_long", "--model llama --prompt-tokens 100000"),
        ("a_full_folder", "--model llama --out full"),
        (
            "the_bases_name",
            "--model llama --adapter base=llama/adapters/plain",
        ),
        (
            "another_models_adapter",
            "--model llama --adapter a=bert/adapters/head",
        ),
    ] {
        let refused = evalh.run(&format!("bench {line} --quiet"));
        assert_eq!(refused.code, Some(2), "{name}: {}", refused.err);
        insta::assert_snapshot!(format!("bench_of_{name}"), evalh.shown(&refused));
    }
    assert_eq!(evalh.read("full/notes.txt"), "mine");
}
