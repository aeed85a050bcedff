//! `evalh model inspect` and `evalh adapter`.

use crate::support::{Evalh, TinyModel, change_tensors, copy_fixture, write_adapter};
use serde_json::Value;
use std::fs;

fn with(fixtures: &[&str]) -> Evalh {
    let evalh = Evalh::new();
    for name in fixtures {
        copy_fixture(name, &evalh.path(name));
    }
    evalh
}

fn shown(evalh: &Evalh, line: &str) -> String {
    evalh.shown(&evalh.run(line))
}

fn json(evalh: &Evalh, line: &str) -> Value {
    let shown = evalh.run(&format!("{line} --json"));
    assert_eq!(shown.code, Some(0), "{}", shown.err);
    serde_json::from_str(&shown.out).unwrap()
}

#[test]
fn a_model_is_told_at_a_glance() {
    let evalh = with(&["llama", "gpt2", "mixtral", "bert", "llama_nf4"]);
    for name in ["llama", "gpt2", "mixtral", "bert", "llama_nf4"] {
        insta::assert_snapshot!(
            format!("model_{name}"),
            shown(&evalh, &format!("model inspect {name} --check"))
        );
    }
    let facts = json(&evalh, "model inspect mixtral");
    assert_eq!(facts["sizes"]["experts"], 4);
    assert_eq!(facts["unsupported"], Value::Null);
    assert_eq!(facts["modules"][2]["modules"], 8);
}

#[test]
fn a_model_that_cannot_run_is_told_all_the_same() {
    let evalh = Evalh::new();
    let mut model = TinyModel::new();
    model.config["model_type"] = "gemma4_text".into();
    model.write(&evalh.path("tiny"));
    let shown = evalh.run("model inspect tiny");
    assert_eq!(shown.code, Some(0), "{}", shown.err);
    let line = shown.out.lines().nth(1).unwrap();
    assert!(line.starts_with("not supported"), "{line}");
    assert!(line.contains("the nearest is gemma3_text"), "{line}");
}

#[test]
fn damaged_weights_are_found() {
    let evalh = with(&["llama"]);
    let path = evalh.path("llama/model.safetensors");
    change_tensors(&path, |tensors| {
        let bytes = &mut tensors.get_mut("model.norm.weight").unwrap().2;
        bytes[4..8].copy_from_slice(&f32::NAN.to_le_bytes());
        bytes[8..12].copy_from_slice(&f32::INFINITY.to_le_bytes());
    });
    let found = evalh.run("model inspect llama --check");
    assert_eq!(found.code, Some(1));
    insta::assert_snapshot!(found.err);
    assert_eq!(evalh.run("model inspect llama").code, Some(0));
}

#[test]
fn a_folder_that_is_no_model_is_refused() {
    let evalh = with(&["llama"]);
    insta::assert_snapshot!(shown(&evalh, "model inspect ./nowhere"));
    insta::assert_snapshot!(shown(&evalh, "model inspect llama/adapters/plain"));
}

#[test]
fn an_adapter_is_told_at_a_glance() {
    let evalh = with(&["llama", "gpt2", "bert"]);
    for (name, line) in [
        ("rslora", "llama/adapters/rslora --model llama"),
        ("dora", "llama/adapters/dora --model llama"),
        ("conv1d", "gpt2/adapters/dora --model gpt2"),
        ("alone", "bert/adapters/head"),
    ] {
        let line = format!("adapter inspect {line}");
        insta::assert_snapshot!(format!("adapter_{name}"), shown(&evalh, &line));
    }
    let found = json(&evalh, "adapter inspect bert/adapters/head --model bert");
    let totals = &found["found"]["totals"];
    // Rank 4 on query and value of two layers of width 32, and a classifier of three labels.
    assert_eq!(totals["adapter"], 2 * 2 * (4 * 32 + 32 * 4));
    assert_eq!(totals["head"], 3 * 32 + 3);
}

#[test]
fn two_adapters_are_compared() {
    let evalh = with(&["llama"]);
    let line = "adapter compare llama/adapters/rslora llama/adapters/plain";
    insta::assert_snapshot!("compare", shown(&evalh, &format!("{line} --model llama")));
    insta::assert_snapshot!("compare_alone", shown(&evalh, line));
    let same = "adapter compare llama/adapters/plain llama/adapters/plain";
    let found = &json(&evalh, same)["found"];
    assert!((found["cosine"].as_f64().unwrap() - 1.0).abs() < 1e-6);
    for module in found["modules"].as_array().unwrap() {
        assert!((module["outputs"]["overlap"].as_f64().unwrap() - 1.0).abs() < 1e-6);
    }
}

/// What is merged gives the logits of PEFT's merge, read by the same program from the new folder.
#[test]
fn a_merged_checkpoint_gives_the_logits_of_pefts_merge() {
    let evalh = with(&["llama"]);
    let mix = "llama/adapters/rslora:0.7+llama/adapters/plain:0.3";
    for (name, adapter) in [
        ("dora", "llama/adapters/dora"),
        ("rslora", "llama/adapters/rslora"),
        ("mix", mix),
    ] {
        let out = format!("merged-{name}");
        let line = format!("adapter merge --model llama --adapter {adapter} --out {out}");
        let merged = evalh.run(&line);
        assert_eq!(merged.code, Some(0), "{}", merged.err);
        assert!(merged.out.contains("tensors changed"), "{}", merged.out);
        let reference = format!("reference-{name}");
        fs::create_dir(evalh.path(&reference)).unwrap();
        let file = evalh.path(&reference).join("reference.safetensors");
        fs::copy(evalh.path("llama/reference.safetensors"), &file).unwrap();
        change_tensors(&file, |tensors| {
            let logits = tensors.remove(&format!("logits_{name}_merged")).unwrap();
            tensors.retain(|name, _| name == "input_ids");
            tensors.insert("logits".into(), logits);
        });
        let verified = evalh.run(&format!("verify {reference} --model {out}"));
        assert_eq!(verified.code, Some(0), "{}{}", verified.out, verified.err);
        assert!(verified.out.contains("passed: 1 of 1"), "{}", verified.out);
    }
}

#[test]
fn merges_that_would_lose_something_are_refused() {
    let evalh = with(&["llama", "llama_nf4"]);
    write_adapter(&evalh.path("other"), 1, 64);
    for (name, line) in [
        (
            "into_4_bits",
            "--model llama_nf4 --adapter llama_nf4/adapters/rslora",
        ),
        ("of_another_model", "--model llama --adapter other"),
        (
            "without_a_weight",
            "--model llama --adapter other+llama/adapters/plain:1",
        ),
        (
            "of_what_has_no_sum",
            "--model llama --adapter llama/adapters/dora:0.5+llama/adapters/plain:0.5",
        ),
    ] {
        let refused = evalh.run(&format!("adapter merge {line} --out out"));
        assert_eq!(refused.code, Some(2), "{}", refused.err);
        insta::assert_snapshot!(format!("merge_{name}"), evalh.shown(&refused));
        assert!(!evalh.path("out").exists(), "{name}");
    }
    let onto = "adapter merge --model llama --adapter llama/adapters/plain --out llama_nf4";
    insta::assert_snapshot!("merge_onto_a_folder", shown(&evalh, onto));
}
