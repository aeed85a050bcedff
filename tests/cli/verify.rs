//! `evalh verify`: parity with transformers and PEFT, and references that are not as they should be.

use crate::support::{
    Evalh, Stored, change_tensors, copy_fixture, fixtures, with_reference, write_adapter,
};
use safetensors::Dtype;
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// What differs from machine to machine: how far apart rounding brings us, and which kernels compute.
const MACHINE: [(&str, &str); 3] = [
    (r" +(\d\.\de-?\d+|0) ", " [X] "),
    (r"[a-z0-9-]+ kernels", "[KERNEL] kernels"),
    (r"  +", "  "),
];

/// Verifies folders, and gives the comparisons of each.
fn verify(folders: &[PathBuf], options: &str) -> Vec<Value> {
    let evalh = Evalh::new();
    let mut command = evalh.command(&format!("verify {options} --json"));
    let shown = Evalh::finish(command.args(folders));
    assert_eq!(shown.code, Some(0), "{options}: {}{}", shown.err, shown.out);
    let all: Value = serde_json::from_str(&shown.out).unwrap();
    assert_eq!(all["passed"], true);
    let found = all["folders"].as_array().unwrap().clone();
    assert_eq!(found.len(), folders.len());
    found
}

fn count(found: &Value) -> usize {
    found["comparisons"].as_array().unwrap().len()
}

#[test]
fn the_repositorys_fixtures_are_those_of_transformers_and_peft() {
    let folders = with_reference(&fixtures());
    assert!(folders.len() >= 10, "{folders:?}");
    for kernel in ["auto", "portable"] {
        let found = verify(&folders, &format!("--kernel {kernel}"));
        for folder in &found {
            // The base, and an adapter merged and unmerged, each with the base again after it.
            assert!(count(folder) >= 5, "{folder}");
        }
    }
}

#[test]
fn the_shared_fixtures_are_those_of_transformers_and_peft() {
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/fixtures");
    if !shared.exists() {
        eprintln!(
            "skipped the_shared_fixtures_are_those_of_transformers_and_peft: ../shared is absent"
        );
        return;
    }
    let folders = with_reference(&shared);
    assert_eq!(folders.len(), 20);
    for kernel in ["auto", "portable"] {
        for found in verify(&folders, &format!("--kernel {kernel}")) {
            // Two adapters each; three comparisons more where there is a greedy run.
            assert!([9, 15].contains(&count(&found)), "{found}");
        }
    }
    let quantised = ["", "llama_nf4", "llama_nf4_dq"].map(|part| shared.join("bnb").join(part));
    let found = verify(&quantised, "");
    assert_eq!(found.iter().map(count).collect::<Vec<_>>(), [8, 2, 2]);
}

#[test]
fn a_table_shows_every_comparison() {
    let evalh = Evalh::new();
    copy_fixture("llama", &evalh.path("llama"));
    copy_fixture("bert", &evalh.path("bert"));
    let shown = evalh.run("verify llama bert");
    assert_eq!(shown.code, Some(0), "{}", shown.err);
    insta::with_settings!({filters => MACHINE}, {
        insta::assert_snapshot!(evalh.shown(&shown));
    });
}

/// A copy of the smallest decoder's fixture.
fn mixtral() -> Evalh {
    let evalh = Evalh::new();
    copy_fixture("mixtral", &evalh.path("mixtral"));
    evalh
}

fn change(evalh: &Evalh, change: impl FnOnce(&mut BTreeMap<String, Stored>)) {
    change_tensors(&evalh.path("mixtral/reference.safetensors"), change);
}

#[test]
fn another_logit_and_another_token_are_beyond_the_tolerance() {
    let evalh = mixtral();
    change(&evalh, |tensors| {
        let logits = &mut tensors.get_mut("logits").unwrap().2;
        let first = f32::from_le_bytes(logits[..4].try_into().unwrap()) + 0.001;
        logits[..4].copy_from_slice(&first.to_le_bytes());
        let greedy = &mut tensors.get_mut("greedy").unwrap().2;
        greedy[..8].copy_from_slice(&7_i64.to_le_bytes());
        let adapted = &mut tensors.get_mut("logits_attention_merged").unwrap().2;
        adapted[..4].copy_from_slice(&f32::NAN.to_le_bytes());
    });
    let shown = evalh.run("verify mixtral");
    assert_eq!(shown.code, Some(1), "{}", shown.err);
    let lines: Vec<&str> = shown
        .out
        .lines()
        .filter(|line| line.contains("beyond"))
        .collect();
    let starts = [
        "logits ",
        "greedy ",
        "greedy_logprobs ",
        "logits_attention_merged ",
        "not passed: ",
    ];
    assert_eq!(lines.len(), starts.len(), "{}", shown.out);
    for (line, start) in lines.iter().zip(starts) {
        assert!(line.starts_with(start), "{}", shown.out);
    }
    assert!(lines[0].contains("1.0e-3"), "{}", lines[0]);
    assert!(lines[3].contains("NaN"), "{}", lines[3]);

    let shown = evalh.run("verify mixtral --json");
    assert_eq!(shown.code, Some(1));
    let json: Value = serde_json::from_str(&shown.out).unwrap();
    assert_eq!(json["passed"], false);
    let merged = json["folders"][0]["comparisons"]
        .as_array()
        .unwrap()
        .iter()
        .find(|line| line["tensor"] == "logits_attention_merged")
        .unwrap();
    assert_eq!(merged["largest_absolute"], "NaN");

    assert!(!shown.out.contains("float32 rounding"));
    // A tolerance that lets the first pass does not let NaN pass.
    assert_eq!(
        evalh.run("verify mixtral --tolerance 1000 --quiet").code,
        Some(1)
    );
}

#[test]
fn the_checkpoint_may_lie_elsewhere() {
    let evalh = mixtral();
    fs::create_dir(evalh.path("reference")).unwrap();
    for name in ["reference.safetensors", "manifest.json", "adapters"] {
        fs::rename(
            evalh.path("mixtral").join(name),
            evalh.path("reference").join(name),
        )
        .unwrap();
    }
    let shown = evalh.run("verify reference --model mixtral --quiet");
    assert_eq!(shown.code, Some(0), "{}", shown.err);
    assert!(shown.out.contains("passed: 9 of 9"), "{}", shown.out);
}

/// A failure: exit code 2 and nothing on standard output.
fn failure(evalh: &Evalh, line: &str) -> String {
    let shown = evalh.run(line);
    assert_eq!(shown.code, Some(2), "{}", shown.err);
    assert_eq!(shown.out, "");
    evalh.shown(&shown)
}

#[test]
fn references_that_cannot_be_compared_are_refused_by_name() {
    type Spoil = fn(&mut BTreeMap<String, Stored>);
    let cases: [(&str, Spoil); 8] = [
        ("no_logits", |tensors| drop(tensors.remove("logits"))),
        ("no_ids", |tensors| drop(tensors.remove("input_ids"))),
        ("a_stranger", |tensors| {
            let copy = tensors["logits"].clone();
            tensors.insert("hidden_states".into(), copy);
        }),
        ("another_shape", |tensors| {
            let (_, shape, bytes) = tensors.get_mut("logits").unwrap();
            shape[2] -= 1;
            let rest = shape.iter().product::<usize>() * 4;
            bytes.truncate(rest);
        }),
        ("another_type", |tensors| {
            let (dtype, shape, _) = tensors.get_mut("logits").unwrap();
            (*dtype, shape[2]) = (Dtype::BF16, shape[2] * 2);
        }),
        ("an_id_too_large", |tensors| {
            let bytes = &mut tensors.get_mut("input_ids").unwrap().2;
            bytes[..8].copy_from_slice(&5000_i64.to_le_bytes());
        }),
        ("an_id_below_zero", |tensors| {
            let bytes = &mut tensors.get_mut("greedy").unwrap().2;
            bytes[..8].copy_from_slice(&(-1_i64).to_le_bytes());
        }),
        ("an_adapter_without_a_folder", |tensors| {
            let copy = tensors["logits"].clone();
            tensors.insert("logits_other_merged".into(), copy);
        }),
    ];
    for (name, spoil) in cases {
        let evalh = mixtral();
        change(&evalh, spoil);
        insta::assert_snapshot!(
            format!("reference_{name}"),
            failure(&evalh, "verify mixtral")
        );
    }
}

#[test]
fn what_is_not_there_is_refused_by_name() {
    let evalh = mixtral();
    insta::assert_snapshot!(failure(&evalh, "verify nowhere"));
    fs::remove_file(evalh.path("mixtral/model.safetensors")).unwrap();
    insta::assert_snapshot!(failure(&evalh, "verify mixtral"));
    fs::write(evalh.path("mixtral/reference.safetensors"), "none").unwrap();
    insta::assert_snapshot!(failure(&evalh, "verify mixtral"));
}

#[test]
fn an_adapter_of_another_model_is_refused() {
    let evalh = mixtral();
    fs::remove_dir_all(evalh.path("mixtral/adapters/attention")).unwrap();
    write_adapter(&evalh.path("mixtral/adapters/attention"), 1, 64);
    insta::assert_snapshot!(failure(&evalh, "verify mixtral"));
}

#[test]
fn a_mix_of_itself_is_refused() {
    let evalh = mixtral();
    let manifest = evalh.read("mixtral/manifest.json").replace(
        "\"path\": \"adapters/attention\"",
        "\"mix\": [{\"adapter\": \"attention\", \"weight\": 0.5}]",
    );
    evalh.write("mixtral/manifest.json", manifest);
    insta::assert_snapshot!(failure(&evalh, "verify mixtral"));
}

#[test]
fn options_that_make_no_sense_are_refused() {
    let evalh = mixtral();
    for line in [
        "verify",
        "verify mixtral --tolerance nan",
        "verify mixtral --tolerance -1",
        "verify mixtral mixtral --model mixtral",
        "verify mixtral --quantize nf5",
    ] {
        assert_eq!(evalh.run(line).code, Some(2), "{line}");
    }
}

#[test]
fn rounding_beyond_the_tolerance_is_explained_and_fails_all_the_same() {
    let evalh = mixtral();
    let shown = evalh.run("verify mixtral --tolerance 0");
    assert_eq!(shown.code, Some(1), "{}", shown.err);
    assert!(shown.out.contains("float32 rounding"), "{}", shown.out);
    change(&evalh, |tensors| {
        let logits = &mut tensors.get_mut("logits").unwrap().2;
        logits[..4].copy_from_slice(&100.0_f32.to_le_bytes());
    });
    let shown = evalh.run("verify mixtral");
    assert_eq!(shown.code, Some(1), "{}", shown.err);
    assert!(!shown.out.contains("float32 rounding"), "{}", shown.out);
}
