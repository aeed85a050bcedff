//! `evalh run` with fully fine-tuned checkpoints, mixes and quantised weights.

use crate::{
    run::with_model,
    support::{Evalh, TinyModel, change_tensors, has_sandbox, write_adapter},
};
use serde_json::Value;

const RUN: &str = "run --suite mini_humaneval --model tiny --max-new-tokens 8 --limit 2 --quiet";

/// The model, two adapters, and a model of other weights.
fn with_two_models() -> Evalh {
    let evalh = with_model();
    TinyModel::new().write(&evalh.path("other"));
    change_tensors(&evalh.path("other/model.safetensors"), |tensors| {
        // Every other hidden value the other way round.
        let (_, _, bytes) = tensors.get_mut("model.norm.weight").unwrap();
        for value in bytes.chunks_exact_mut(8) {
            value[3] ^= 0x80;
        }
    });
    evalh
}

fn json(evalh: &Evalh, path: &str) -> Value {
    serde_json::from_str(&evalh.read(path)).unwrap()
}

#[test]
fn a_mix_and_a_fully_tuned_checkpoint_stand_beside_adapters() {
    if !has_sandbox("a_mix_and_a_fully_tuned_checkpoint_stand_beside_adapters") {
        return;
    }
    let evalh = with_two_models();
    let line = format!(
        "{RUN} --adapter one=one --adapter two=two --adapter mix=one:0.7+two:-0.3 --variant full=other --variant twin=tiny --out out"
    );
    let shown = evalh.run(&line);
    assert_eq!(shown.code, Some(0), "{}", shown.err);
    let manifest = json(&evalh, "out/manifest.json");
    let settings = &manifest["settings"];
    let variants = settings["variants"].as_array().unwrap();
    let names: Vec<_> = variants
        .iter()
        .map(|v| {
            (
                v["name"].as_str().unwrap(),
                v["checkpoint"].as_str().unwrap(),
            )
        })
        .collect();
    let expected = [
        ("base", "tiny"),
        ("one", "tiny"),
        ("two", "tiny"),
        ("mix", "tiny"),
        ("full", "other"),
        ("twin", "tiny-2"),
    ];
    assert_eq!(names, expected);
    let parts = variants[3]["adapter"]["parts"].as_array().unwrap();
    let weights: Vec<_> = parts.iter().map(|part| part["weight"].as_f64()).collect();
    assert_eq!(weights, [Some(0.7), Some(-0.3)]);
    assert_eq!(
        parts[0]["files"],
        variants[1]["adapter"]["parts"][0]["files"]
    );
    let checkpoints = settings["checkpoints"].as_array().unwrap();
    assert_eq!(checkpoints.len(), 3);
    assert_eq!(checkpoints[0]["files"], checkpoints[2]["files"]);
    assert_ne!(checkpoints[0]["files"], checkpoints[1]["files"]);

    // The same checkpoint under another name answers with the same bytes; another one does not.
    let samples = evalh.read("out/samples.jsonl");
    let answers = |variant: &str| -> Vec<String> {
        let lines = samples
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines
            .filter(|sample| sample["variant"] == variant)
            .map(|sample| sample["answer"].to_string())
            .collect()
    };
    assert_eq!(answers("base"), answers("twin"));
    for other in ["one", "mix", "full"] {
        assert_ne!(answers("base"), answers(other), "{other}");
    }
    let timings = json(&evalh, "out/timings.json");
    let sittings = timings["sittings"].as_array().unwrap();
    let together: Vec<_> = sittings
        .iter()
        .map(|sitting| sitting["variants"].as_array().unwrap().len())
        .collect();
    assert_eq!(together, [4, 1, 1], "the adapters with their base");
    for sitting in sittings {
        let held = &sitting["held"];
        assert_eq!(held["parameters"], sittings[0]["held"]["parameters"]);
        assert!(held["bytes"].as_u64().unwrap() > 100_000, "{held}");
        assert_eq!(held["dtype"], "f32");
    }
    assert!(sittings[0]["held"]["adapter_bytes"].as_u64().unwrap() > 0);
    assert_eq!(sittings[1]["held"]["adapter_bytes"], 0);
    let report = evalh.read("out/report.md");
    for said in ["held in", "times -0.3:", "checkpoint **other**"] {
        assert!(report.contains(said), "{said}: {report}");
    }
}

#[test]
fn quantised_weights_are_named_and_change_the_answers() {
    if !has_sandbox("quantised_weights_are_named_and_change_the_answers") {
        return;
    }
    let evalh = with_two_models();
    for (name, option) in [
        ("plain", ""),
        ("nf4", "--quantize nf4"),
        ("int8", "--quantize int8"),
    ] {
        let line = format!(
            "{RUN} {option} --adapter one=one --apply unmerged --variant full=other --out {name}"
        );
        let shown = evalh.run(&line);
        assert_eq!(shown.code, Some(0), "{}", shown.err);
        let manifest = json(&evalh, &format!("{name}/manifest.json"));
        for checkpoint in manifest["settings"]["checkpoints"].as_array().unwrap() {
            let expected = if name == "plain" {
                Value::Null
            } else {
                name.into()
            };
            assert_eq!(checkpoint["quantized"], expected);
        }
    }
    assert_ne!(
        evalh.read("plain/samples.jsonl"),
        evalh.read("nf4/samples.jsonl")
    );
    let report = evalh.read("nf4/report.md");
    assert!(
        report.contains("linears rounded to nf4 at load"),
        "{report}"
    );
}

/// The failure of a run, which leaves no folder behind.
fn failure(evalh: &Evalh, options: &str) -> String {
    let shown = evalh.run(&format!("{RUN} {options} --out out"));
    assert_eq!(shown.code, Some(2), "{}", shown.err);
    assert_eq!(shown.out, "");
    assert!(!evalh.path("out").exists());
    evalh.shown(&shown)
}

#[test]
fn variants_that_cannot_be_run_are_refused_by_name() {
    let evalh = with_two_models();
    write_adapter(&evalh.path("narrow"), 1, 48);
    let mut silent = TinyModel::new();
    let settings = silent.tokenizer_config.as_object_mut().unwrap();
    settings.remove("chat_template");
    silent.write(&evalh.path("silent"));
    let mut strange = TinyModel::new();
    strange.config["model_type"] = "strange".into();
    strange.write(&evalh.path("strange"));
    for (name, options) in [
        ("a_name_twice", "--adapter x=one --variant x=other"),
        ("the_bases_name", "--variant base=other"),
        ("no_folder", "--variant full=./nowhere"),
        ("no_catalog_name", "--variant full=smollm2-135m-instrukt"),
        ("no_chat_template", "--variant full=silent"),
        ("another_family", "--variant full=strange"),
        ("no_weight", "--adapter mix=one+two:1"),
        (
            "a_mix_of_mixes",
            "--adapter a=one:1 --adapter mix=a:0.5+two:0.5",
        ),
        (
            "a_part_that_does_not_fit",
            "--adapter mix=one:0.5+narrow:0.5",
        ),
        (
            "a_part_that_is_not_there",
            "--adapter mix=one:0.5+three:0.5",
        ),
    ] {
        insta::assert_snapshot!(format!("variant_{name}"), failure(&evalh, options));
    }
}
