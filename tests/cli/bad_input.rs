//! Bad input: each a message that names file, field and remedy, and exit code 2.

use crate::support::{Evalh, Shown, TinyModel, has_sandbox, write_adapter};
use std::fs;

const RUN: &str = "run --suite mini_humaneval --model tiny --max-new-tokens 4 --quiet --out out";

/// The failure of a run, which leaves no folder behind.
fn failure(evalh: &Evalh, line: &str) -> String {
    let shown = evalh.run(line);
    assert_eq!(shown.code, Some(2), "{}", shown.err);
    assert!(
        !evalh.path("out").exists(),
        "a run that never began leaves nothing"
    );
    refused(evalh, &shown)
}

fn refused(evalh: &Evalh, shown: &Shown) -> String {
    assert_eq!(shown.out, "");
    let is_error = |line: &str| line.starts_with("error: ");
    assert!(shown.err.lines().any(is_error), "{}", shown.err);
    evalh.shown(shown)
}

/// A folder with a checkpoint.
fn with(model: &TinyModel) -> Evalh {
    let evalh = Evalh::new();
    model.write(&evalh.path("tiny"));
    evalh
}

#[test]
fn an_unknown_suite() {
    let evalh = with(&TinyModel::new());
    insta::assert_snapshot!(failure(
        &evalh,
        &RUN.replace("mini_humaneval", "mini_humanevil")
    ));
}

#[test]
fn an_unknown_model() {
    let evalh = with(&TinyModel::new());
    insta::assert_snapshot!(failure(&evalh, &RUN.replace("tiny", "smollm2-135m")));
}

#[test]
fn a_model_folder_that_is_not_there() {
    let evalh = Evalh::new();
    insta::assert_snapshot!(failure(&evalh, &RUN.replace("tiny", "./tiny")));
}

#[test]
fn missing_weights() {
    let evalh = with(&TinyModel::new());
    fs::remove_file(evalh.path("tiny/model.safetensors")).unwrap();
    insta::assert_snapshot!(failure(&evalh, RUN));
}

#[test]
fn truncated_weights() {
    let evalh = with(&TinyModel::new());
    let path = evalh.path("tiny/model.safetensors");
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    insta::assert_snapshot!(failure(&evalh, RUN));
}

#[test]
fn a_tensor_of_the_wrong_shape() {
    let evalh = with(&TinyModel::with_tensor(
        "model.layers.1.mlp.up_proj.weight",
        &[64, 96],
    ));
    insta::assert_snapshot!(failure(&evalh, RUN));
}

#[test]
fn a_missing_tensor() {
    let evalh = with(&TinyModel::with_tensor(
        "model.layers.1.mlp.up_proj.weight",
        &[],
    ));
    insta::assert_snapshot!(failure(&evalh, RUN));
}

#[test]
fn a_setting_that_is_not_supported() {
    let mut model = TinyModel::new();
    model.config["model_type"] = "llama_of_another_kind".into();
    model.config["architectures"] = serde_json::json!(["AnotherForCausalLM"]);
    let evalh = with(&model);
    insta::assert_snapshot!(failure(&evalh, RUN));
}

#[test]
fn a_tokenizer_larger_than_the_vocabulary() {
    let mut model = TinyModel::new();
    model.tokenizer["model"]["vocab"]["zz"] = 400.into();
    let evalh = with(&model);
    insta::assert_snapshot!(failure(&evalh, RUN));
}

#[test]
fn an_adapter_for_another_model() {
    let evalh = with(&TinyModel::new());
    write_adapter(&evalh.path("other"), 1, 48);
    insta::assert_snapshot!(failure(&evalh, &format!("{RUN} --adapter other=other")));
}

#[test]
fn an_adapter_with_a_field_that_is_not_honoured() {
    let evalh = with(&TinyModel::new());
    write_adapter(&evalh.path("other"), 1, 64);
    let config = evalh
        .read("other/adapter_config.json")
        .replace("\"r\": 2", "\"r\": 2, \"use_unheard_of\": true");
    evalh.write("other/adapter_config.json", config);
    insta::assert_snapshot!(failure(&evalh, &format!("{RUN} --adapter other=other")));
}

#[test]
fn an_adapter_folder_that_is_not_there() {
    let evalh = with(&TinyModel::new());
    insta::assert_snapshot!(failure(&evalh, &format!("{RUN} --adapter other=nowhere")));
}

#[test]
fn chat_without_a_template() {
    let mut model = TinyModel::new();
    model
        .tokenizer_config
        .as_object_mut()
        .unwrap()
        .remove("chat_template");
    let evalh = with(&model);
    insta::assert_snapshot!(failure(&evalh, &format!("{RUN} --protocol chat")));
}

#[test]
fn data_that_are_not_the_suites() {
    let evalh = with(&TinyModel::new());
    evalh.write(
        "data.jsonl",
        "{\"task_id\": \"HumanEval/0\", \"prompt\": 1}\n",
    );
    let line = RUN.replace("mini_humaneval", "humaneval");
    insta::with_settings!({filters => [("sha256 [0-9a-f]+", "sha256 [SHA256]")]}, {
        insta::assert_snapshot!(failure(&evalh, &format!("{line} --data data.jsonl")));
    });
}

#[test]
fn data_for_a_suite_that_has_it_built_in() {
    let evalh = with(&TinyModel::new());
    evalh.write("data.jsonl", "{}\n");
    insta::assert_snapshot!(failure(&evalh, &format!("{RUN} --data data.jsonl")));
}

#[test]
fn an_output_folder_that_holds_other_things() {
    let evalh = with(&TinyModel::new());
    let shown = evalh.run(&RUN.replace("--out out", "--out tiny"));
    assert_eq!(shown.code, Some(2));
    insta::assert_snapshot!(refused(&evalh, &shown));
    assert_eq!(
        fs::read_dir(evalh.path("tiny")).unwrap().count(),
        4,
        "nothing was left in it"
    );
}

#[test]
fn an_output_folder_below_a_file() {
    let evalh = with(&TinyModel::new());
    evalh.write("file", "");
    let shown = evalh.run(&RUN.replace("--out out", "--out file/out"));
    assert_eq!(shown.code, Some(2));
    insta::assert_snapshot!(refused(&evalh, &shown));
}

#[test]
fn a_device_that_is_not_built_in() {
    if cfg!(feature = "cuda") {
        eprintln!("skipped a_device_that_is_not_built_in: this build has CUDA");
        return;
    }
    let evalh = with(&TinyModel::new());
    insta::assert_snapshot!(failure(&evalh, &format!("{RUN} --device cuda:1")));
}

#[test]
fn options_that_contradict_each_other() {
    let evalh = with(&TinyModel::new());
    insta::assert_snapshot!("idle_seed", failure(&evalh, &format!("{RUN} --seed 3")));
    insta::assert_snapshot!(
        "resume_with_seed",
        failure(&evalh, "run --resume somewhere --seed 3")
    );
    insta::assert_snapshot!("no_suite", failure(&evalh, "run --model tiny"));
}

#[test]
fn resuming_what_is_no_run() {
    let evalh = with(&TinyModel::new());
    insta::assert_snapshot!(failure(&evalh, "run --resume tiny"));
}

#[test]
fn too_little_memory_keeps_what_is_answered() {
    if !has_sandbox("too_little_memory_keeps_what_is_answered") {
        return;
    }
    let evalh = with(&TinyModel::new());
    let shown = evalh.run(&format!("{RUN} --memory 1KiB"));
    assert_eq!(shown.code, Some(2), "{}", shown.err);
    insta::assert_snapshot!(refused(&evalh, &shown));
    let shown = evalh.run("run --resume out --quiet");
    assert_eq!(shown.code, Some(0), "{}", shown.err);
    assert_eq!(evalh.read("out/samples.jsonl").lines().count(), 8);
}
