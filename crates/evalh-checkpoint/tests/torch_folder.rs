//! Folders whose weights `torch.save` wrote: sound ones, ambiguous ones and damaged ones.

use evalh_checkpoint::{Checkpoint, StoredDtype, WeightSource as _};
use safetensors::{
    Dtype,
    tensor::{TensorView, serialize_to_file},
};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

fn data(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/torch")).join(name)
}

/// A folder with a config and copies of fixtures under other names.
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("config.json"), "{}").unwrap();
    for (name, fixture) in files {
        std::fs::copy(data(fixture), folder.path().join(name)).unwrap();
    }
    folder
}

fn index(folder: &Path, weight_map: &Value) {
    let index = json!({"metadata": {"total_size": 0}, "weight_map": weight_map});
    std::fs::write(
        folder.join("pytorch_model.bin.index.json"),
        index.to_string(),
    )
    .unwrap();
}

fn refusal(path: &Path) -> String {
    Checkpoint::open(path)
        .expect_err("the folder is damaged")
        .to_string()
}

fn file_names(checkpoint: &Checkpoint) -> Vec<String> {
    let names = checkpoint
        .files()
        .iter()
        .filter_map(|path| path.file_name());
    names
        .map(|name| name.to_string_lossy().into_owned())
        .collect()
}

#[test]
fn a_single_file_is_read_under_any_name() {
    for name in ["pytorch_model.bin", "consolidated.00.pth", "model.pt"] {
        let folder = folder(&[
            (name, "wrapped.pt"),
            ("optimizer.pt", "legacy.bin"),
            ("training_args.bin", "executes.bin"),
            ("rng_state_0.pth", "legacy.bin"),
        ]);
        let checkpoint = Checkpoint::open(folder.path()).unwrap();
        assert_eq!(checkpoint.tensor_names(), ["weight", "bias"]);
        assert_eq!(file_names(&checkpoint), ["config.json", name]);
        assert_eq!(checkpoint.read_f32("weight").unwrap().len(), 24);
    }
}

#[test]
fn values_with_two_names_count_once() {
    let folder = folder(&[("pytorch_model.bin", "state_dict.bin")]);
    let checkpoint = Checkpoint::open(folder.path()).unwrap();
    assert!(checkpoint.tensor("tied").is_some());
    assert_eq!(
        checkpoint.read_f32("tied").unwrap(),
        checkpoint.read_f32("plain").unwrap()
    );
    let listed: usize = checkpoint
        .tensor_names()
        .iter()
        .map(|name| checkpoint.tensor(name).unwrap().elements())
        .sum();
    // The transpose and the tied tensor are the same 24 values as the plain one.
    assert_eq!(checkpoint.parameters() as usize, listed - 2 * 24);
    let summary = checkpoint.dtype_summary();
    assert_eq!(summary[0], (StoredDtype::F16, 624));
    let total: u64 = summary.iter().map(|(_, count)| count).sum();
    assert_eq!(total, checkpoint.parameters());
}

#[test]
fn safetensors_go_first_as_in_transformers() {
    let folder = folder(&[("pytorch_model.bin", "executes.bin")]);
    let bytes = 1f32.to_le_bytes();
    let view = TensorView::new(Dtype::F32, vec![1], &bytes).unwrap();
    serialize_to_file(
        [("a", view)],
        None,
        &folder.path().join("model.safetensors"),
    )
    .unwrap();
    let checkpoint = Checkpoint::open(folder.path()).unwrap();
    assert_eq!(checkpoint.tensor_names(), ["a"]);
    assert_eq!(
        file_names(&checkpoint),
        ["config.json", "model.safetensors"]
    );
}

#[test]
fn shards_are_joined_by_their_index() {
    let folder = folder(&[
        ("pytorch_model-00001-of-00002.bin", "wrapped.pt"),
        ("pytorch_model-00002-of-00002.bin", "state_dict.bin"),
    ]);
    index(
        folder.path(),
        &json!({
            "weight": "pytorch_model-00001-of-00002.bin", "bias": "pytorch_model-00001-of-00002.bin",
            "plain": "pytorch_model-00002-of-00002.bin"
        }),
    );
    let checkpoint = Checkpoint::open(folder.path()).unwrap();
    assert_eq!(
        checkpoint.read_f32("weight").unwrap(),
        checkpoint.read_f32("plain").unwrap()
    );
    assert_eq!(file_names(&checkpoint).len(), 4);
}

#[test]
fn an_index_that_does_not_fit_its_shards_is_refused() {
    for (weight_map, words) in [
        (
            json!({"weight": "one.bin", "plain": "gone.bin"}),
            "gone.bin: ",
        ),
        (
            json!({"weight": "one.bin", "lost": "one.bin"}),
            "lost: is said to be in one.bin, which has no such tensor",
        ),
        (
            json!({"weight": "one.bin", "bias": "two.bin"}),
            "two.bin: weight: is in ",
        ),
        (
            json!({"weight": "../one.bin"}),
            "weight: is said to be in \"../one.bin\", which is no name of a .bin file",
        ),
        (
            json!({"weight": "/one.bin"}),
            "which is no name of a .bin file in the same folder",
        ),
        (
            json!({"weight": "one.safetensors"}),
            "which is no name of a .bin file in the same folder",
        ),
        (
            json!({"weight": "pytorch_model.bin.index.json"}),
            "which is no name of a .bin file in the same folder",
        ),
        (
            json!({"weight": ["one.bin"]}),
            "weight_map: invalid type: sequence",
        ),
    ] {
        let folder = folder(&[("one.bin", "wrapped.pt"), ("two.bin", "wrapped.pt")]);
        index(folder.path(), &weight_map);
        let error = refusal(folder.path());
        assert!(error.contains(words), "{words} in {error}");
    }
}

#[cfg(unix)]
#[test]
fn shards_that_lead_in_a_circle_or_nowhere_are_missing() {
    let folder = folder(&[]);
    for (from, to) in [("one.bin", "two.bin"), ("two.bin", "one.bin")] {
        std::os::unix::fs::symlink(to, folder.path().join(from)).unwrap();
    }
    std::fs::create_dir(folder.path().join("three.bin")).unwrap();
    for shard in ["one.bin", "three.bin", "four.bin"] {
        index(folder.path(), &json!({"weight": shard}));
        let error = refusal(folder.path());
        assert!(
            error.contains(shard) && error.contains("fetch the missing shard"),
            "{error}"
        );
    }
}

#[test]
fn several_files_without_an_index_are_ambiguous() {
    let folder = folder(&[
        ("consolidated.00.pth", "wrapped.pt"),
        ("consolidated.01.pth", "wrapped.pt"),
    ]);
    let error = refusal(folder.path());
    assert!(
        error.contains("consolidated.00.pth or consolidated.01.pth"),
        "{error}"
    );
    assert!(
        error.contains("save the model with transformers' save_pretrained"),
        "{error}"
    );
}

#[test]
fn a_file_that_is_none_of_both_formats_is_refused() {
    let folder = folder(&[("pytorch_model.bin", "executes.bin")]);
    assert!(refusal(folder.path()).contains("a pickle that uses posix.system"));
    let file = folder.path().join("pytorch_model.bin");
    std::fs::write(
        &file,
        "version https://git-lfs.github.com/spec/v1\noid sha256:00\n",
    )
    .unwrap();
    assert!(refusal(folder.path()).contains("fetch the weights with `git lfs pull`"));
    std::fs::write(&file, "").unwrap();
    assert!(refusal(folder.path()).contains("pytorch_model.bin: header: "));
}

#[test]
fn values_that_are_not_finite_are_reported_by_name_and_number() {
    let folder = folder(&[]);
    let halves = [0x7c00u16, 0xfe00, 0x3c00, 0xfc00].map(u16::to_le_bytes);
    let ids = [0u8; 16];
    let views = [
        ("ids", TensorView::new(Dtype::I64, vec![2], &ids).unwrap()),
        (
            "overflown",
            TensorView::new(Dtype::F16, vec![4], halves.as_flattened()).unwrap(),
        ),
        ("sound", TensorView::new(Dtype::F32, vec![4], &ids).unwrap()),
    ];
    serialize_to_file(views, None, &folder.path().join("model.safetensors")).unwrap();
    let checkpoint = Checkpoint::open(folder.path()).unwrap();
    assert_eq!(
        checkpoint.non_finite().unwrap(),
        [("overflown".to_owned(), 3)]
    );
}
