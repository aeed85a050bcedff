//! `evalh run`, from a checkpoint and adapters to a report.

use crate::support::{Evalh, TinyModel, has_sandbox, write_adapter};
use serde_json::Value;

/// What differs from machine to machine.
const MACHINE: [(&str, &str); 7] = [
    (r"\d+ min \d\d s|\d+\.\d+ s", "[TIME]"),
    (r"\d+ of 8 \([0-9.]+ %\)", "[N] of 8"),
    (
        r"weights held in f32.*\.\n",
        "weights held in f32, [MACHINE].\n",
    ),
    (r"kernel [a-z0-9-]+", "kernel [KERNEL]"),
    (
        r"(runtime sha256 `)[0-9a-f]{64}(`; limits of a program:).*",
        "$1[SHA256]$2 [LIMITS]",
    ),
    (r"\| programs .*", "| programs | [KINDS] |"),
    (r" +", " "),
];

/// A folder with a checkpoint and two adapters.
pub fn with_model() -> Evalh {
    let evalh = Evalh::new();
    TinyModel::new().write(&evalh.path("tiny"));
    write_adapter(&evalh.path("one"), 1, 64);
    write_adapter(&evalh.path("two"), 2, 64);
    evalh
}

/// The arguments of a run of three variants.
pub const TRIO: &str = "run --suite mini_humaneval --model tiny --adapter one=one --adapter two=two --max-new-tokens 24";

#[test]
fn three_variants_from_files_to_a_report() {
    if !has_sandbox("three_variants_from_files_to_a_report") {
        return;
    }
    let evalh = with_model();
    let shown = evalh.run(&format!("{TRIO} --out out"));
    assert_eq!(shown.code, Some(0), "{}", shown.err);
    assert!(shown.out.contains("report: out/report.md"), "{}", shown.out);

    let samples: Vec<Value> = evalh
        .read("out/samples.jsonl")
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(samples.len(), 24);
    let order: Vec<_> = samples
        .iter()
        .map(|s| {
            (
                s["variant"].as_str().unwrap(),
                s["position"].as_u64().unwrap(),
            )
        })
        .collect();
    let expected: Vec<_> = ["base", "one", "two"]
        .into_iter()
        .flat_map(|v| (0..8).map(move |p| (v, p)))
        .collect();
    assert_eq!(order, expected);
    let answers = |variant: &str| -> Vec<&Value> {
        samples
            .iter()
            .filter(|s| s["variant"] == variant)
            .map(|s| &s["answer"])
            .collect()
    };
    assert_ne!(answers("base"), answers("one"), "the adapter has an effect");
    assert_ne!(answers("one"), answers("two"));
    assert!(
        samples
            .iter()
            .all(|s| s["outcome"] != Value::Null && s["protocol"] == "chat")
    );

    let results: Value = serde_json::from_str(&evalh.read("out/results.json")).unwrap();
    assert_eq!(results.as_array().unwrap().len(), 3);
    let timings: Value = serde_json::from_str(&evalh.read("out/timings.json")).unwrap();
    let sittings = timings["sittings"].as_array().unwrap();
    assert_eq!(sittings.len(), 1, "side by side");
    assert!(sittings[0]["wall_seconds"].as_f64().unwrap() > 0.0);
    let variants = sittings[0]["variants"].as_array().unwrap();
    assert_eq!(variants.len(), 3);
    for variant in variants {
        assert_eq!(variant["programs"], 8);
        for field in [
            "prefill_tokens",
            "decode_tokens",
            "kept_tokens",
            "program_seconds",
        ] {
            assert!(variant[field].as_f64().unwrap() > 0.0, "{field}");
        }
    }
    insta::with_settings!({filters => MACHINE}, {
        insta::assert_snapshot!(frame(&evalh.read("out/report.md")));
    });

    let again = evalh.run("report out --json");
    let json: Value = serde_json::from_str(&again.out).unwrap();
    assert_eq!(json["results"], results);
}

/// A report without the rows of its tables: a model with random weights answers what the last bits of its logits say,
/// which differ between processors.
fn frame(report: &str) -> String {
    let is_row = |line: &&str| {
        ["| base", "| one", "| two", "| --"]
            .iter()
            .any(|start| line.starts_with(start))
    };
    report
        .lines()
        .filter(|line| !is_row(line))
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn the_same_plan_gives_the_same_samples_whatever_the_batch_and_the_threads() {
    if !has_sandbox("the_same_plan_gives_the_same_samples_whatever_the_batch_and_the_threads") {
        return;
    }
    let evalh = with_model();
    for (dir, options) in [
        ("a", ""),
        ("b", "--batch 1 --threads 1"),
        ("c", "--batch 3 --memory 4MiB --threads 3"),
        ("d", "--one-by-one --batch 5"),
    ] {
        let shown = evalh.run(&format!(
            "{TRIO} --samples 2 --temperature 0.8 --seed 3 --quiet --out {dir} {options}"
        ));
        assert_eq!(shown.code, Some(0), "{}", shown.err);
        assert_eq!(shown.err, "", "quiet is quiet");
    }
    assert_eq!(evalh.read("a/samples.jsonl"), evalh.read("b/samples.jsonl"));
    assert_eq!(evalh.read("a/samples.jsonl"), evalh.read("c/samples.jsonl"));
    assert_eq!(evalh.read("a/samples.jsonl"), evalh.read("d/samples.jsonl"));
    assert_eq!(evalh.read("a/results.json"), evalh.read("b/results.json"));
    for (dir, sittings) in [("a", 1), ("d", 3)] {
        let timings: Value =
            serde_json::from_str(&evalh.read(&format!("{dir}/timings.json"))).unwrap();
        assert_eq!(timings["sittings"].as_array().unwrap().len(), sittings);
    }
}

#[test]
fn unmerged_adapters_answer_like_merged_ones() {
    if !has_sandbox("unmerged_adapters_answer_like_merged_ones") {
        return;
    }
    let evalh = with_model();
    for apply in ["merged", "unmerged"] {
        let shown = evalh.run(&format!("{TRIO} --limit 3 --apply {apply} --out {apply}"));
        assert_eq!(shown.code, Some(0), "{}", shown.err);
        let manifest: Value =
            serde_json::from_str(&evalh.read(&format!("{apply}/manifest.json"))).unwrap();
        assert_eq!(
            manifest["settings"]["variants"][1]["adapter"]["apply"],
            apply
        );
    }
    let bases = ["merged", "unmerged"].map(|dir| {
        let text = evalh.read(&format!("{dir}/samples.jsonl"));
        text.lines()
            .filter(|line| line.contains("\"variant\":\"base\""))
            .map(str::to_owned)
            .collect::<Vec<_>>()
    });
    assert_eq!(bases[0].len(), 3);
    assert_eq!(bases[0], bases[1], "the base is the base");
}

#[test]
fn each_protocol_is_asked_and_named() {
    if !has_sandbox("each_protocol_is_asked_and_named") {
        return;
    }
    let evalh = with_model();
    let mut hashes = Vec::new();
    for protocol in ["completion", "prefill", "chat"] {
        let shown = evalh.run(&format!(
            "run --suite mini_humaneval --model tiny --limit 1 --max-new-tokens 4 --protocol {protocol} --json --out {protocol}"
        ));
        assert_eq!(shown.code, Some(0), "{}", shown.err);
        let json: Value = serde_json::from_str(&shown.out).unwrap();
        assert_eq!(json["results"][0]["protocol"], protocol);
        let sample: Value =
            serde_json::from_str(&evalh.read(&format!("{protocol}/samples.jsonl"))).unwrap();
        hashes.push(sample["prompt_sha256"].clone());
    }
    assert!(hashes[0] != hashes[1] && hashes[1] != hashes[2] && hashes[0] != hashes[2]);
}

#[test]
fn run_folders_are_numbered() {
    if !has_sandbox("run_folders_are_numbered") {
        return;
    }
    let evalh = with_model();
    for number in [1, 2] {
        let shown =
            evalh.run("run --suite mini_humaneval --model tiny --limit 1 --max-new-tokens 2");
        assert_eq!(shown.code, Some(0), "{}", shown.err);
        assert!(
            evalh
                .path(&format!("runs/mini_humaneval-{number}/report.md"))
                .exists()
        );
    }
}
