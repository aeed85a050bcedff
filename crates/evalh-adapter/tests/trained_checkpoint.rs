//! Checkpoints of full fine-tuning: the trained tensors in place of the base's, all else as it was.

mod cases;
mod common;

use cases::{data, json, layout, tensors};
use common::assert_refused;
use evalh_adapter::{BaseModel, ModelLayout, SavedTensor, write_checkpoint};
use evalh_checkpoint::{Checkpoint, StoredDtype, WeightSource};
use safetensors::{Dtype, tensor::TensorView};
use std::{fs, path::Path};
use tempfile::TempDir;

const TABLE: &str = "model.embed_tokens.weight";
const HEAD: &str = "lm_head.weight";

fn llama() -> ModelLayout {
    layout("llama", &tensors(&data().join("llama.safetensors")))
}

/// The tiny llama as a checkpoint, its head tied or not.
fn base(tied: bool) -> TempDir {
    let dir = TempDir::new().unwrap();
    let stored: Vec<_> = tensors(&data().join("llama.safetensors"))
        .into_iter()
        .filter(|(name, _)| !tied || name != HEAD)
        .map(|(name, tensor)| {
            let bytes: Vec<u8> = tensor.values.iter().flat_map(|v| v.to_le_bytes()).collect();
            (name, tensor.shape, bytes)
        })
        .collect();
    let views = stored.iter().map(|(name, shape, bytes)| {
        (
            name,
            TensorView::new(Dtype::F32, shape.clone(), bytes).unwrap(),
        )
    });
    fs::write(
        dir.path().join("model.safetensors"),
        safetensors::serialize(views, None).unwrap(),
    )
    .unwrap();
    let mut config = json(&data().join("llama.config.json"));
    config["tie_word_embeddings"] = tied.into();
    fs::write(dir.path().join("config.json"), config.to_string()).unwrap();
    fs::write(dir.path().join("tokenizer.json"), "{}").unwrap();
    dir
}

/// Every tensor of the checkpoint, each value changed.
fn all_changed(source: &Checkpoint) -> Vec<SavedTensor> {
    source
        .tensor_names()
        .into_iter()
        .map(|name| SavedTensor {
            shape: source.tensor(&name).unwrap().shape,
            values: source
                .read_f32(&name)
                .unwrap()
                .iter()
                .map(|value| value * 1.5 + 0.25)
                .collect(),
            name,
        })
        .collect()
}

fn entries(dir: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn every_trained_tensor_is_read_back() {
    let (layout, out) = (llama(), TempDir::new().unwrap());
    fs::write(out.path().join("training.json"), "{}").unwrap();
    for tied in [false, true] {
        let from = base(tied);
        let source = Checkpoint::open(from.path()).unwrap();
        let trained = all_changed(&source);
        // Twice: a later checkpoint takes the place of an earlier one, whatever a crash left there.
        for _ in 0..2 {
            fs::create_dir_all(out.path().join(".checkpoint.partial/rest")).unwrap();
            let report = write_checkpoint(
                BaseModel::new(&layout, &source),
                from.path(),
                trained.clone(),
                out.path(),
            )
            .unwrap();
            assert_eq!(report.changed, trained.len());
            assert_eq!(report.weights, [out.path().join("model.safetensors")]);
            assert!(!report.untied);
        }
        let files = [
            "config.json",
            "model.safetensors",
            "tokenizer.json",
            "training.json",
        ];
        assert_eq!(entries(out.path()), files);
        let written = Checkpoint::open(out.path()).unwrap();
        assert_eq!(written.tensor_names(), source.tensor_names());
        assert_eq!(written.tensor(HEAD).is_none(), tied);
        assert_eq!(written.config()["tie_word_embeddings"], tied);
        for tensor in &trained {
            assert_eq!(
                written.tensor(&tensor.name).unwrap().dtype,
                StoredDtype::F32
            );
            assert_eq!(written.read_f32(&tensor.name).unwrap(), tensor.values);
        }
    }
}

#[test]
fn tensors_that_were_not_trained_stay() {
    let (layout, from, out) = (llama(), base(false), TempDir::new().unwrap());
    let source = Checkpoint::open(from.path()).unwrap();
    let trained: Vec<_> = all_changed(&source)
        .into_iter()
        .filter(|tensor| tensor.name == HEAD)
        .collect();
    let base = BaseModel::new(&layout, &source);
    let report = write_checkpoint(base, from.path(), trained.clone(), out.path()).unwrap();
    assert_eq!(report.changed, 1);
    let written = Checkpoint::open(out.path()).unwrap();
    for name in source.tensor_names() {
        let expected = if name == HEAD {
            trained[0].values.clone()
        } else {
            source.read_f32(&name).unwrap()
        };
        assert_eq!(written.read_f32(&name).unwrap(), expected, "{name}");
    }
}

#[test]
fn a_tied_head_with_values_of_its_own_is_untied() {
    let (layout, from, out) = (llama(), base(true), TempDir::new().unwrap());
    let source = Checkpoint::open(from.path()).unwrap();
    let head = SavedTensor {
        name: HEAD.into(),
        shape: source.tensor(TABLE).unwrap().shape,
        values: vec![0.5; 13 * 8],
    };
    let base = BaseModel::new(&layout, &source);
    let report = write_checkpoint(base, from.path(), vec![head], out.path()).unwrap();
    assert!(report.untied);
    let written = Checkpoint::open(out.path()).unwrap();
    assert_eq!(written.read_f32(HEAD).unwrap(), [0.5; 13 * 8]);
    assert_eq!(
        written.read_f32(TABLE).unwrap(),
        source.read_f32(TABLE).unwrap()
    );
}

#[test]
fn tensors_of_another_model_are_refused() {
    let (layout, from) = (llama(), base(false));
    let source = Checkpoint::open(from.path()).unwrap();
    let tensor = |name: &str, shape: &[usize], value: f32| SavedTensor {
        name: name.into(),
        shape: shape.into(),
        values: vec![value; shape.iter().product()],
    };
    for (tensor, parts) in [
        (
            tensor("score.weight", &[2, 8], 1.0),
            ["score.weight", "not in the base"],
        ),
        (tensor(HEAD, &[8, 13], 1.0), ["[8, 13]", "[13, 8]"]),
        (
            tensor(HEAD, &[13, 8], f32::INFINITY),
            ["lm_head", "NaN or infinite"],
        ),
    ] {
        let out = TempDir::new().unwrap();
        let base = BaseModel::new(&layout, &source);
        let written = write_checkpoint(base, from.path(), vec![tensor], out.path());
        assert_refused(written, &parts);
        assert_eq!(entries(out.path()), Vec::<String>::new());
    }
}
