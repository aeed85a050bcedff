//! Models of every family that llama.cpp's own converter wrote (`tools/make_gguf_families.py`), against the checkpoints
//! that it was given: names, shapes and values of all tensors, and every key of the config.

mod support;

use evalh_checkpoint::{Checkpoint, WeightSource as _};
use evalh_record::sha256_bytes;
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};
use support::config::{check_config, v4};

/// Models of the crate's own, by the name of their files.
const TINY: [&str; 19] = [
    "gemma",
    "gemma2",
    "gemma3_text",
    "gpt2",
    "gpt_neox",
    "gpt_neox_serial",
    "llama",
    "llama_linear",
    "mistral",
    "mixtral",
    "olmo",
    "olmo2",
    "phi",
    "phi3",
    "phi3_longrope",
    "qwen2",
    "qwen3",
    "stablelm",
    "stablelm_parallel",
];

fn tiny(name: &str, extension: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/data/families/{name}.{extension}"))
}

fn expected(name: &str) -> Value {
    let text = std::fs::read(tiny(name, "json")).expect("the fixture is part of the crate");
    serde_json::from_slice(&text).expect("the fixture is JSON")
}

fn sha256(values: &[f32]) -> String {
    let bytes: Vec<u8> = values.iter().flat_map(|x| x.to_le_bytes()).collect();
    sha256_bytes(&bytes).as_str().to_owned()
}

#[test]
fn names_shapes_and_values_are_those_before_conversion() {
    for name in TINY {
        let checkpoint = Checkpoint::open(&tiny(name, "gguf")).unwrap();
        let expected = expected(name);
        let read: BTreeMap<String, Value> = checkpoint
            .tensor_names()
            .into_iter()
            .map(|tensor| {
                let shape = checkpoint.tensor(&tensor).unwrap().shape;
                let values = checkpoint.read_f32(&tensor).unwrap();
                (tensor, json!([shape, sha256(&values)]))
            })
            .collect();
        let expected: BTreeMap<String, Value> =
            serde_json::from_value(expected["tensors"].clone()).unwrap();
        assert_eq!(read, expected, "{name}");
    }
}

#[test]
fn configs_are_those_before_conversion() {
    for name in TINY {
        let checkpoint = Checkpoint::open(&tiny(name, "gguf")).unwrap();
        let expected = v4(&expected(name)["config"]);
        check_config(name, checkpoint.config(), &expected);
    }
}

/// Fixtures and what the converter made of them, where both are at hand: `EVALH_GGUF_FIXTURES` names the folder that
/// `tools/make_gguf_families.py --fixtures ../shared/fixtures --out FOLDER` wrote.
fn fixtures(test: &str) -> Option<(PathBuf, PathBuf)> {
    let originals = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/fixtures");
    let Some(converted) = std::env::var_os("EVALH_GGUF_FIXTURES") else {
        eprintln!("skipped {test}: EVALH_GGUF_FIXTURES names no folder of conversions");
        return None;
    };
    if !originals.is_dir() {
        eprintln!("skipped {test}: ../shared is absent");
        return None;
    }
    Some((originals, converted.into()))
}

/// Gemma's norms lose what adding one rounds off. The model adds it again, so what counts is the sum.
fn is_rounded(model_type: &str, tensor: &str) -> bool {
    model_type.starts_with("gemma") && tensor.ends_with("norm.weight")
}

fn agree(original: &Checkpoint, converted: &Checkpoint, name: &str) {
    let names =
        |source: &Checkpoint| -> BTreeSet<_> { source.tensor_names().into_iter().collect() };
    assert_eq!(names(original), names(converted), "{name}");
    let model_type = original.config()["model_type"].as_str().unwrap();
    for tensor in original.tensor_names() {
        let info = |source: &Checkpoint| source.tensor(&tensor).unwrap();
        assert_eq!(
            info(original).shape,
            info(converted).shape,
            "{name} {tensor}"
        );
        let read = |source: &Checkpoint| -> Vec<u32> {
            let values = source.read_f32(&tensor).unwrap();
            let one = if is_rounded(model_type, &tensor) {
                1.0
            } else {
                0.0
            };
            values.iter().map(|x| (x + one).to_bits()).collect()
        };
        assert!(read(original) == read(converted), "{name} {tensor}");
    }
}

#[test]
fn converted_fixtures_are_what_they_were() {
    let Some((originals, converted)) = fixtures("converted_fixtures_are_what_they_were") else {
        return;
    };
    let mut seen = BTreeSet::new();
    for entry in std::fs::read_dir(&converted).unwrap() {
        let path = entry.unwrap().path();
        let file = path.file_name().unwrap().to_str().unwrap().to_owned();
        let stem = file.split(['.', '-']).next().unwrap().to_owned();
        if matches!(stem.as_str(), "bert" | "roberta")
            || file.contains("-of-") && !file.contains("-00001-of-")
        {
            continue;
        }
        let original = Checkpoint::open(&originals.join(&stem)).unwrap();
        let read = Checkpoint::open(&path).unwrap();
        agree(&original, &read, &file);
        let mut expected = v4(original.config());
        lost_in_conversion(&stem, &mut expected);
        check_config(&file, read.config(), &expected);
        seen.insert(stem);
    }
    assert_eq!(seen.len(), 16, "{seen:?}");
}

/// What the converter drops of the fixtures, whose settings are not those of published models.
fn lost_in_conversion(name: &str, config: &mut Value) {
    match name {
        // A window, which llama.cpp does not apply to this family.
        "mistral" => config["sliding_window"] = Value::Null,
        // A full layer elsewhere than at every sixth.
        "gemma3_text" => config["layer_types"] = json!(vec!["sliding_attention"; 4]),
        _ => {}
    }
}

#[test]
fn encoders_are_refused_with_the_reason() {
    let Some((_, converted)) = fixtures("encoders_are_refused_with_the_reason") else {
        return;
    };
    for name in ["bert", "roberta"] {
        let path = converted.join(format!("{name}.gguf"));
        let error = Checkpoint::open(&path).unwrap_err().to_string();
        assert!(
            error.contains("leaves out the pooler and the heads of encoders"),
            "{error}"
        );
    }
}

#[test]
fn parts_are_opened_through_the_first_or_their_folder() {
    let Some((_, converted)) = fixtures("parts_are_opened_through_the_first_or_their_folder")
    else {
        return;
    };
    let parts: Vec<PathBuf> = (1..)
        .map_while(|i| {
            (2..40)
                .map(|count| converted.join(format!("qwen2-{i:05}-of-{count:05}.gguf")))
                .find(|path| path.is_file())
        })
        .collect();
    assert!(parts.len() > 1);
    let folder = tempfile::tempdir().unwrap();
    for part in &parts {
        std::fs::copy(part, folder.path().join(part.file_name().unwrap())).unwrap();
    }
    let model = Checkpoint::open(folder.path()).unwrap();
    assert_eq!(model.files().len(), parts.len());
    let whole = Checkpoint::open(&converted.join("qwen2.gguf")).unwrap();
    assert_eq!(model.parameters(), whole.parameters());
}
