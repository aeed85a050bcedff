//! Hugging Face folders: sound ones, the fixtures of the reference implementation, and damaged ones.

use evalh_checkpoint::{Checkpoint, SpecialTokens, StoredDtype, WeightSource as _};
use safetensors::{
    Dtype,
    tensor::{TensorView, serialize_to_file},
};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

const VALUES: [f32; 4] = [1.0, -2.5, 0.0, 65280.0];

fn config() -> Value {
    json!({"model_type": "llama", "vocab_size": 4, "eos_token_id": 2})
}

/// Writes tensors of four values; a tensor is a name, a type and its bytes.
fn write_weights(path: &Path, tensors: &[(&str, Dtype, Vec<u8>)]) {
    let views = tensors.iter().map(|(name, dtype, data)| {
        (
            *name,
            TensorView::new(*dtype, vec![2, 2], data).expect("four values of that type"),
        )
    });
    serialize_to_file(views, None, path).expect("a temporary file can be written");
}

fn f32s() -> Vec<u8> {
    VALUES.iter().flat_map(|x| x.to_le_bytes()).collect()
}

fn bf16s() -> Vec<u8> {
    VALUES
        .iter()
        .flat_map(|x| half::bf16::from_f32(*x).to_le_bytes())
        .collect()
}

fn f16s() -> Vec<u8> {
    VALUES
        .iter()
        .flat_map(|x| half::f16::from_f32(*x).to_le_bytes())
        .collect()
}

fn folder(files: &[(&str, Value)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        std::fs::write(folder.path().join(name), content.to_string()).unwrap();
    }
    folder
}

fn refusal(path: &Path) -> String {
    Checkpoint::open(path)
        .expect_err("the folder is damaged")
        .to_string()
}

#[test]
fn a_single_file_is_read_in_every_float_type() {
    let folder = folder(&[("config.json", config())]);
    let tensors = [
        ("a", Dtype::F32, f32s()),
        ("b", Dtype::BF16, bf16s()),
        ("c", Dtype::F16, f16s()),
    ];
    write_weights(&folder.path().join("model.safetensors"), &tensors);
    let checkpoint = Checkpoint::open(folder.path()).unwrap();
    for (name, dtype) in [
        ("a", StoredDtype::F32),
        ("b", StoredDtype::BF16),
        ("c", StoredDtype::F16),
    ] {
        assert_eq!(checkpoint.read_f32(name).unwrap(), VALUES, "{name}");
        let info = checkpoint.tensor(name).unwrap();
        assert_eq!((info.shape, info.dtype), (vec![2, 2], dtype));
    }
    assert_eq!((checkpoint.parameters(), checkpoint.bytes()), (12, 32));
    assert_eq!(checkpoint.files().len(), 2);
    assert_eq!(checkpoint.config(), &config());
    assert_eq!(checkpoint.generation().eos_ids, [2]);
}

#[test]
fn other_types_are_listed_and_refused_by_name() {
    let folder = folder(&[("config.json", config())]);
    write_weights(
        &folder.path().join("model.safetensors"),
        &[("position_ids", Dtype::I64, vec![0; 32])],
    );
    let checkpoint = Checkpoint::open(folder.path()).unwrap();
    let error = checkpoint.read_f32("position_ids").unwrap_err().to_string();
    assert!(
        error.contains("position_ids is I64, which is not supported; F32, F16 and BF16 are"),
        "{error}"
    );
}

fn sharded(weight_map: &Value) -> tempfile::TempDir {
    let folder = folder(&[
        ("config.json", config()),
        (
            "model.safetensors.index.json",
            json!({"metadata": {}, "weight_map": weight_map}),
        ),
    ]);
    write_weights(
        &folder.path().join("one.safetensors"),
        &[("a", Dtype::F32, f32s())],
    );
    write_weights(
        &folder.path().join("two.safetensors"),
        &[("b", Dtype::BF16, bf16s())],
    );
    folder
}

#[test]
fn shards_are_joined_by_their_index() {
    let folder = sharded(&json!({"a": "one.safetensors", "b": "two.safetensors"}));
    let checkpoint = Checkpoint::open(folder.path()).unwrap();
    assert_eq!(checkpoint.tensor_names(), ["a", "b"]);
    assert_eq!(checkpoint.read_f32("b").unwrap(), VALUES);
    let names: Vec<_> = checkpoint
        .files()
        .iter()
        .filter_map(|file| file.file_name())
        .collect();
    assert_eq!(
        names,
        [
            "config.json",
            "model.safetensors.index.json",
            "one.safetensors",
            "two.safetensors"
        ]
    );
}

#[test]
fn an_index_that_does_not_fit_its_shards_is_refused() {
    for (weight_map, words) in [
        (
            json!({"a": "one.safetensors", "b": "gone.safetensors"}),
            "gone.safetensors: ",
        ),
        (
            json!({"a": "one.safetensors", "c": "two.safetensors"}),
            "c: is said to be in two.safetensors, which has no",
        ),
        (
            json!({"a": "two.safetensors", "b": "one.safetensors"}),
            "a: is said to be in two.safetensors, which has no",
        ),
        (
            json!({"a": "../one.safetensors"}),
            "a: is said to be in \"../one.safetensors\", which is no name",
        ),
        (json!({}), "weight_map: lists no tensor"),
    ] {
        let error = refusal(sharded(&weight_map).path());
        assert!(error.contains(words), "{words} in {error}");
    }
}

#[test]
fn a_tensor_in_two_shards_is_refused() {
    let folder = sharded(&json!({"a": "one.safetensors", "b": "two.safetensors"}));
    write_weights(
        &folder.path().join("two.safetensors"),
        &[("a", Dtype::F32, f32s()), ("b", Dtype::F32, f32s())],
    );
    let error = refusal(folder.path());
    assert!(
        error.contains("two.safetensors: a: is in ") && error.contains("one.safetensors too"),
        "{error}"
    );
}

#[test]
fn damaged_and_missing_files_are_named() {
    let folder = folder(&[("config.json", config())]);
    assert!(refusal(folder.path()).contains("model.safetensors: the folder has neither it nor"));
    let weights = folder.path().join("model.safetensors");
    write_weights(&weights, &[("a", Dtype::F32, f32s())]);
    let whole = std::fs::read(&weights).unwrap();
    for len in [0, 4, whole.len() - 1] {
        std::fs::write(&weights, &whole[..len]).unwrap();
        let error = refusal(folder.path());
        assert!(
            error.contains("model.safetensors: header: ") && error.contains("fetch the file again"),
            "{error}"
        );
    }
    std::fs::write(&weights, &whole).unwrap();
    std::fs::write(folder.path().join("config.json"), "{").unwrap();
    assert!(refusal(folder.path()).contains("config.json: JSON: "));
}

#[test]
fn what_is_no_checkpoint_says_what_it_is() {
    let empty = tempfile::tempdir().unwrap();
    assert!(refusal(empty.path()).contains("neither config.json nor a .gguf file"));
    assert!(refusal(&empty.path().join("gone")).starts_with("read "));
    std::fs::write(empty.path().join("adapter_config.json"), b"{}").unwrap();
    assert!(refusal(empty.path()).contains("it is a PEFT adapter"));
    for name in ["a.gguf", "b.gguf"] {
        std::fs::write(empty.path().join(name), b"").unwrap();
    }
    assert!(refusal(empty.path()).contains("several models, a.gguf, b.gguf"));
    let text = empty.path().join("notes.txt");
    std::fs::write(&text, b"").unwrap();
    assert!(refusal(&text).contains("does not end in .gguf"));
}

fn word_tokenizer(words: &[&str]) -> Value {
    let vocab: serde_json::Map<String, Value> = words
        .iter()
        .enumerate()
        .map(|(id, word)| ((*word).to_owned(), json!(id)))
        .collect();
    json!({
        "version": "1.0", "truncation": {"direction": "Right", "max_length": 2, "strategy": "LongestFirst", "stride": 0},
        "padding": null, "added_tokens": [], "normalizer": null, "pre_tokenizer": {"type": "Whitespace"},
        "post_processor": null, "decoder": null, "model": {"type": "WordLevel", "vocab": vocab, "unk_token": words[0]}
    })
}

#[test]
fn a_saved_truncation_cuts_no_prompt() {
    let folder = folder(&[
        ("config.json", config()),
        ("tokenizer.json", word_tokenizer(&["?", "a", "b", "c"])),
    ]);
    write_weights(
        &folder.path().join("model.safetensors"),
        &[("a", Dtype::F32, f32s())],
    );
    let tokenizer = Checkpoint::open(folder.path())
        .unwrap()
        .tokenizer()
        .unwrap();
    assert_eq!(
        tokenizer
            .encode("a b c d", SpecialTokens::AsPostProcessor)
            .unwrap(),
        [1, 2, 3, 0]
    );
    // This decoder is none of those that work token by token: all text comes at the end.
    let mut stream = tokenizer.stream();
    assert_eq!(stream.push(1), "");
    assert_eq!(stream.push(2), "");
    assert_eq!(stream.finish().unwrap(), tokenizer.decode(&[1, 2]).unwrap());
}

#[test]
fn tokens_past_the_embedding_are_refused_with_both_numbers() {
    let folder = folder(&[
        ("config.json", config()),
        ("tokenizer.json", word_tokenizer(&["?", "a", "b", "c", "d"])),
    ]);
    write_weights(
        &folder.path().join("model.safetensors"),
        &[("a", Dtype::F32, f32s())],
    );
    let error = Checkpoint::open(folder.path())
        .unwrap()
        .tokenizer()
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("its ids go up to 4, but the model's vocabulary has 4 rows"),
        "{error}"
    );
}

#[test]
fn a_missing_or_damaged_tokenizer_is_named() {
    let folder = folder(&[("config.json", config())]);
    write_weights(
        &folder.path().join("model.safetensors"),
        &[("a", Dtype::F32, f32s())],
    );
    let tokenizer = || {
        Checkpoint::open(folder.path())
            .unwrap()
            .tokenizer()
            .unwrap_err()
            .to_string()
    };
    assert!(tokenizer().contains("tokenizer.json: the checkpoint has no tokenizer"));
    std::fs::write(folder.path().join("tokenizer.json"), "{}").unwrap();
    assert!(tokenizer().starts_with("parse with the tokenizer of "));
}

/// The tiny checkpoints of the reference implementation beside the repository, or `None` with a word on standard error.
fn shared_fixtures(test: &str) -> Option<PathBuf> {
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared")).join("fixtures");
    if !path.is_dir() {
        eprintln!("skipped {test}: ../shared is absent");
        return None;
    }
    Some(path)
}

#[test]
fn every_reference_fixture_opens_with_all_of_its_tensors() {
    let Some(fixtures) = shared_fixtures("every_reference_fixture_opens_with_all_of_its_tensors")
    else {
        return;
    };
    let mut opened = 0;
    for entry in std::fs::read_dir(fixtures).unwrap() {
        let path = entry.unwrap().path();
        let Ok(manifest) = std::fs::read(path.join("manifest.json")) else {
            continue;
        };
        if !path.join("config.json").is_file() {
            continue;
        }
        let checkpoint = Checkpoint::open(&path).unwrap();
        let manifest: Value = serde_json::from_slice(&manifest).unwrap();
        let keys = manifest["weight_keys"]
            .as_array()
            .unwrap_or_else(|| panic!("{}: {manifest}", path.display()));
        assert_eq!(
            checkpoint.tensor_names().len(),
            keys.len(),
            "{}",
            path.display()
        );
        for key in keys {
            let name = key.as_str().or_else(|| key["name"].as_str()).unwrap();
            let info = checkpoint.tensor(name).unwrap();
            assert_eq!(checkpoint.read_f32(name).unwrap().len(), info.elements());
        }
        assert!(checkpoint.non_finite().unwrap().is_empty());
        checkpoint.tokenizer().unwrap();
        opened += 1;
    }
    assert!(opened >= 20, "only {opened} fixtures were found");
}
