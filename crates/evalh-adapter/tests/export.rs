//! Merged checkpoints: bytes as PEFT gives them, heads that were tied, and what is refused.

mod cases;

use cases::{data, json, layout, names, tensors, update};
use evalh_adapter::{
    Adapter, AdapterError, AdapterUpdate, BaseModel, LoraUpdate, MergedCheckpoint, ModelLayout,
    SavedTensor,
};
use evalh_checkpoint::{Checkpoint, StoredDtype, TensorFile, WeightSource};
use half::{bf16, f16};
use safetensors::{Dtype, tensor::TensorView};
use serde_json::Value;
use std::{fs, path::Path};
use tempfile::TempDir;

type Stored = Vec<(String, Dtype, Vec<usize>, Vec<u8>)>;

fn narrowed(values: &[f32], dtype: Dtype) -> Vec<u8> {
    values
        .iter()
        .flat_map(|&value| match dtype {
            Dtype::F16 => f16::from_f32(value).to_le_bytes().to_vec(),
            Dtype::BF16 => bf16::from_f32(value).to_le_bytes().to_vec(),
            _ => value.to_le_bytes().to_vec(),
        })
        .collect()
}

/// A folder with the tiny model of this name in this type.
fn checkpoint(model: &str, dtype: Dtype, change: impl Fn(&mut Stored, &mut Value)) -> TempDir {
    let dir = TempDir::new().unwrap();
    let mut stored: Stored = tensors(&data().join(format!("{model}.safetensors")))
        .into_iter()
        .map(|(name, tensor)| (name, dtype, tensor.shape, narrowed(&tensor.values, dtype)))
        .collect();
    let mut config = json(&data().join(format!("{model}.config.json")));
    change(&mut stored, &mut config);
    let views = stored.iter().map(|(name, dtype, shape, bytes)| {
        let view = TensorView::new(*dtype, shape.clone(), bytes).unwrap();
        (name.clone(), view)
    });
    let bytes = safetensors::serialize(views, None).unwrap();
    fs::write(dir.path().join("model.safetensors"), bytes).unwrap();
    fs::write(dir.path().join("config.json"), config.to_string()).unwrap();
    fs::write(dir.path().join("tokenizer.json"), "{}").unwrap();
    fs::write(dir.path().join("pytorch_model.bin"), "old").unwrap();
    dir
}

fn as_it_is(_: &mut Stored, _: &mut Value) {}

fn llama() -> ModelLayout {
    layout("llama", &tensors(&data().join("llama.safetensors")))
}

/// Writes the merge and opens what was written.
fn merged(
    base: &Path,
    layout: &ModelLayout,
    update: &AdapterUpdate,
) -> Result<(TempDir, evalh_adapter::MergeReport), AdapterError> {
    let source = Checkpoint::open(base).unwrap();
    let out = TempDir::new().unwrap();
    let report =
        MergedCheckpoint::plan(BaseModel::new(layout, &source), update)?.write(base, out.path())?;
    Ok((out, report))
}

#[test]
fn merged_checkpoints_hold_the_values_of_peft_in_the_type_of_the_base() {
    let mut checked = 0;
    for name in names() {
        let case = data().join(&name);
        let described = json(&case.join("case.json"));
        let dtype = match described["dtype"].as_str().unwrap() {
            "bfloat16" => Dtype::BF16,
            "float16" => Dtype::F16,
            _ => continue,
        };
        let base = checkpoint("llama", dtype, as_it_is);
        let layout = llama();
        let update = update(&case, &layout, &described["weights"]);
        let (out, report) = merged(base.path(), &layout, &update).unwrap();
        assert_eq!((report.changed, report.untied), (14, false));
        assert_eq!(report.copied, ["config.json", "tokenizer.json"]);
        assert_eq!(report.non_finite, []);

        let reference = TensorFile::open(&case.join("reference.safetensors")).unwrap();
        let written = Checkpoint::open(out.path()).unwrap();
        let before = Checkpoint::open(base.path()).unwrap();
        assert_eq!(written.tensor_names().len(), before.tensor_names().len());
        for tensor in before.tensor_names() {
            assert_eq!(written.tensor(&tensor), before.tensor(&tensor));
            let found = written.read_f32(&tensor).unwrap();
            let key = format!("merged.{tensor}");
            let expected = if reference.info(&key).is_some() {
                reference.read_f32(&key).unwrap()
            } else {
                before.read_f32(&tensor).unwrap()
            };
            assert_eq!(found, expected, "{name}: {tensor}");
        }
        checked += 1;
    }
    assert_eq!(checked, 4);
}

/// A model whose head is tied to its embeddings: the same without the head's values.
fn tied() -> TempDir {
    checkpoint("llama", Dtype::F32, |stored, config| {
        stored.retain(|(name, ..)| name != "lm_head.weight");
        config["tie_word_embeddings"] = Value::Bool(true);
    })
}

fn saved(name: &str, value: f32) -> SavedTensor {
    SavedTensor {
        name: name.into(),
        shape: vec![13, 8],
        values: vec![value; 13 * 8],
    }
}

#[test]
fn a_tied_head_is_written_apart_only_where_it_differs() {
    const TABLE: &str = "model.embed_tokens.weight";
    const HEAD: &str = "lm_head.weight";
    let (base, layout) = (tied(), llama());
    let original = Checkpoint::open(base.path())
        .unwrap()
        .read_f32(TABLE)
        .unwrap();
    let embedding = |module: &str, a, b| LoraUpdate {
        module: module.into(),
        rank: 1,
        scale: 1.0,
        a: vec![0.5; a],
        b: vec![0.25; b],
        magnitude: None,
        bias: None,
    };
    let updated: Vec<f32> = original.iter().map(|value| value + 0.125).collect();
    let cases = [
        // PEFT merges in place, so an update of the embeddings moves the head with them.
        (
            vec![embedding("model.embed_tokens", 13, 8)],
            vec![],
            updated.clone(),
            None,
        ),
        (
            vec![
                embedding("model.embed_tokens", 13, 8),
                embedding("lm_head", 8, 13),
            ],
            vec![],
            updated.clone(),
            None,
        ),
        (
            vec![embedding("lm_head", 8, 13)],
            vec![],
            original.clone(),
            Some(updated),
        ),
        (
            vec![],
            vec![saved(TABLE, 2.0)],
            vec![2.0; 104],
            Some(original.clone()),
        ),
        (
            vec![],
            vec![saved(HEAD, 3.0)],
            original,
            Some(vec![3.0; 104]),
        ),
        (
            vec![],
            vec![saved(HEAD, 3.0), saved(TABLE, 3.0)],
            vec![3.0; 104],
            None,
        ),
    ];
    for (lora, saved, table, head) in cases {
        let update = AdapterUpdate { lora, saved };
        let (out, report) = merged(base.path(), &layout, &update).unwrap();
        let written = Checkpoint::open(out.path()).unwrap();
        assert_eq!(written.read_f32(TABLE).unwrap(), table);
        assert_eq!(report.untied, head.is_some());
        assert_eq!(
            written.config()["tie_word_embeddings"],
            Value::Bool(head.is_none())
        );
        assert_eq!(written.tensor(HEAD).is_some(), head.is_some());
        if let Some(head) = head {
            assert_eq!(written.read_f32(HEAD).unwrap(), head);
        }
    }
}

#[test]
fn what_cannot_be_merged_is_refused_by_name() {
    let layout = llama();
    let lora = data().join("lora/adapter");
    let update = Adapter::open(&lora).unwrap().resolve(&layout).unwrap();
    let refused = |base: &TempDir, update: &AdapterUpdate, parts: &[&str]| {
        let error = merged(base.path(), &layout, update)
            .unwrap_err()
            .to_string();
        for part in parts {
            assert!(error.contains(part), "{part} is not in: {error}");
        }
    };
    let without = |tensor: &'static str| {
        checkpoint("llama", Dtype::F32, move |stored, _| {
            stored.retain(|(name, ..)| name != tensor);
        })
    };
    refused(
        &without("model.layers.1.mlp.up_proj.weight"),
        &update,
        &["model.layers.1.mlp.up_proj.weight", "does not have"],
    );
    let quantised = checkpoint("llama", Dtype::F32, |_, config| {
        config["quantization_config"] =
            serde_json::json!({"quant_method": "bitsandbytes", "load_in_4bit": true});
    });
    if Checkpoint::open(quantised.path()).is_ok() {
        refused(&quantised, &update, &["quantised", "full precision"]);
    }
    let biased = Adapter::open(&data().join("lora_bias/adapter"))
        .unwrap()
        .resolve(&layout)
        .unwrap();
    refused(
        &without("model.layers.0.self_attn.q_proj.bias"),
        &biased,
        &["model.layers.0.self_attn.q_proj", "bias", "unmerged"],
    );

    let base = checkpoint("llama", Dtype::F32, as_it_is);
    let source = Checkpoint::open(base.path()).unwrap();
    let full = TempDir::new().unwrap();
    fs::write(full.path().join("mine"), "").unwrap();
    let error = MergedCheckpoint::plan(BaseModel::new(&layout, &source), &update)
        .unwrap()
        .write(base.path(), full.path())
        .unwrap_err();
    assert!(error.to_string().contains("empty folder"), "{error}");
}

#[test]
fn many_weights_are_dealt_out_to_several_files() {
    let base = checkpoint("llama", Dtype::F32, as_it_is);
    let (layout, source) = (llama(), Checkpoint::open(base.path()).unwrap());
    let update = Adapter::open(&data().join("lora/adapter"))
        .unwrap()
        .resolve(&layout)
        .unwrap();
    let plan = MergedCheckpoint::plan(BaseModel::new(&layout, &source), &update).unwrap();
    let (whole, parts) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let one = plan.write(base.path(), whole.path()).unwrap();
    let largest = 500;
    let several = plan
        .write_in_files_of(largest, base.path(), parts.path())
        .unwrap();
    assert_eq!(one.weights, [whole.path().join("model.safetensors")]);
    assert!(several.weights.len() > 2, "{:?}", several.weights);
    assert_eq!(one.tensors, several.tensors);
    let [one, several] = [&whole, &parts].map(|dir| Checkpoint::open(dir.path()).unwrap());
    assert_eq!(one.tensor_names().len(), several.tensor_names().len());
    for tensor in one.tensor_names() {
        assert_eq!(
            one.read_f32(&tensor).unwrap(),
            several.read_f32(&tensor).unwrap()
        );
    }
}

#[test]
fn positions_are_left_out_and_overflow_is_counted() {
    let base = checkpoint("llama", Dtype::F16, |stored, _| {
        stored.push((
            "model.position_ids".into(),
            Dtype::I64,
            vec![2],
            vec![0; 16],
        ));
    });
    let layout = llama();
    let update = AdapterUpdate {
        lora: vec![],
        saved: vec![saved("lm_head.weight", 70_000.0)],
    };
    let (out, report) = merged(base.path(), &layout, &update).unwrap();
    assert_eq!(report.left_out, ["model.position_ids"]);
    assert_eq!(report.non_finite.len(), 1);
    assert_eq!(
        (report.non_finite[0].infinite, report.non_finite[0].nan),
        (104, 0)
    );
    let written = Checkpoint::open(out.path()).unwrap();
    assert_eq!(
        written.tensor("lm_head.weight").unwrap().dtype,
        StoredDtype::F16
    );
    assert!(written.tensor("model.position_ids").is_none());
}
