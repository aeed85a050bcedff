//! Models of every family that llama.cpp's own converter wrote (`tools/make_gguf_families.py`), against the checkpoints
//! that it was given: names, shapes and values of all tensors, and every key of the config.

mod support;

use evalh_checkpoint::{Checkpoint, WeightSource as _};
use evalh_record::sha256_bytes;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};
use support::{
    config::{check_config, v4},
    on_disk,
};

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

/// The parts that one of them is in too.
fn parts() -> Vec<PathBuf> {
    (1..=3)
        .map(|i| tiny(&format!("qwen3-{i:05}-of-00003"), "gguf"))
        .collect()
}

fn expected(name: &str) -> Value {
    let text = std::fs::read(tiny(name, "json")).expect("the fixture is part of the crate");
    serde_json::from_slice(&text).expect("the fixture is JSON")
}

fn sha256(values: &[f32]) -> String {
    let bytes: Vec<u8> = values.iter().flat_map(|x| x.to_le_bytes()).collect();
    sha256_bytes(&bytes).as_str().to_owned()
}

fn tensors_agree(name: &str, checkpoint: &Checkpoint) {
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
        serde_json::from_value(expected(name)["tensors"].clone()).unwrap();
    assert_eq!(
        read.keys().collect::<Vec<_>>(),
        expected.keys().collect::<Vec<_>>(),
        "{name}"
    );
    for (tensor, expected) in expected {
        assert_eq!(read[&tensor], expected, "{name} {tensor}");
    }
}

#[test]
fn names_shapes_and_values_are_those_before_conversion() {
    for name in TINY {
        tensors_agree(name, &Checkpoint::open(&tiny(name, "gguf")).unwrap());
    }
}

#[test]
fn fused_queries_keys_and_values_come_apart() {
    let fused = Checkpoint::open(&tiny("llama.fused", "gguf")).unwrap();
    tensors_agree("llama", &fused);
    check_config(
        "llama.fused",
        fused.config(),
        &v4(&expected("llama")["config"]),
    );
}

/// A folder with copies of files.
fn folder_of(files: &[PathBuf]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for file in files {
        std::fs::copy(file, folder.path().join(file.file_name().unwrap())).unwrap();
    }
    folder
}

#[test]
fn parts_are_one_model() {
    let parts = parts();
    tensors_agree("qwen3", &Checkpoint::open(&parts[0]).unwrap());
    // A folder with all parts holds one model.
    let folder = folder_of(&parts);
    let model = Checkpoint::open(folder.path()).unwrap();
    tensors_agree("qwen3", &model);
    assert_eq!(model.files().len(), parts.len());
    model.tokenizer().unwrap();
}

#[test]
fn parts_that_do_not_belong_together_are_named() {
    let parts = parts();
    let refusal = |path: &Path| Checkpoint::open(path).unwrap_err().to_string();
    // A later part is no model by itself.
    let error = refusal(&parts[1]);
    assert!(
        error.contains("split.no") && error.contains("ends in -00001-of-00003.gguf"),
        "{error}"
    );
    let place =
        |folder: &tempfile::TempDir, i: usize| folder.path().join(parts[i].file_name().unwrap());
    let folder = folder_of(&parts[..2]);
    let error = refusal(folder.path());
    assert!(
        error.contains("qwen3-00003-of-00003.gguf: it is part 3 of 3")
            && error.contains("fetch all parts into one folder"),
        "{error}"
    );
    std::fs::copy(&parts[1], place(&folder, 2)).unwrap();
    let error = refusal(folder.path());
    assert!(
        error.contains("split.no: is 1 of 3, where part 2 of 3 (from 0) belongs"),
        "{error}"
    );
    let renamed = folder_of(&parts);
    let other = renamed.path().join("other.gguf");
    std::fs::rename(place(&renamed, 0), &other).unwrap();
    assert!(refusal(&other).contains("llama-gguf-split --merge"));
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

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// Every family's file with a few bytes changed, or an end cut off, is refused or read within its size.
    #[test]
    fn damaged_files_of_every_family_never_panic(
        name in prop::sample::select(&TINY[..]),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        cut: Option<prop::sample::Index>,
    ) {
        let mut bytes = std::fs::read(tiny(name, "gguf")).unwrap();
        // What precedes the weights, more or less.
        let header = bytes.len() / 2;
        for (at, byte) in edits {
            bytes[at.index(header)] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        let (_folder, path) = on_disk(&bytes);
        if let Ok(checkpoint) = Checkpoint::open(&path) {
            let values: usize = checkpoint
                .tensor_names()
                .iter()
                .map(|tensor| checkpoint.read_f32(tensor).unwrap().len())
                .sum();
            prop_assert!(values <= 4 * bytes.len());
            let _ = checkpoint.tokenizer();
        }
    }
}
