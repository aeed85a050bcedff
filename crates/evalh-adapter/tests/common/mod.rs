//! A small adapter folder, written as PEFT writes one, to be bent out of shape.
#![allow(dead_code, missing_docs, reason = "each test binary uses its part")]

use evalh_adapter::{Adapter, AdapterError, ModelLayout, ModuleKind, TargetModule};
use safetensors::{Dtype, tensor::TensorView};
use serde_json::{Value, json};
use std::{
    fs,
    path::{Path, PathBuf},
};
use tempfile::TempDir;

pub const RANK: usize = 2;

/// Every field that PEFT 0.21.2 writes, at a neutral value, for an adapter of rank 2 on `q_proj` and `up_proj`.
pub fn config() -> Value {
    json!({
        "alora_invocation_tokens": null, "alpha_pattern": {}, "arrow_config": null, "auto_mapping": null,
        "base_model_name_or_path": "someone/base", "bias": "none", "corda_config": null, "ensure_weight_tying": false,
        "eva_config": null, "exclude_modules": null, "fan_in_fan_out": false, "inference_mode": true,
        "init_lora_weights": true, "kasa_config": null, "layer_replication": null, "layers_pattern": null,
        "layers_to_transform": null, "loftq_config": {}, "lora_alpha": 8, "lora_bias": false, "lora_dropout": 0.05,
        "lora_ga_config": null, "megatron_config": null, "megatron_core": "megatron.core", "modules_to_save": null,
        "monteclora_config": null, "peft_type": "LORA", "peft_version": "0.21.2", "qalora_group_size": 16, "r": RANK,
        "rank_pattern": {}, "revision": null, "target_modules": ["q_proj", "up_proj"], "target_parameters": null,
        "task_type": "CAUSAL_LM", "trainable_token_indices": null, "use_bdlora": null, "use_dora": false,
        "use_qalora": false, "use_rslora": false, "velora_config": null
    })
}

/// The configuration with some fields replaced.
pub fn config_with(changes: Value) -> Value {
    let mut config = config();
    let Value::Object(changes) = changes else {
        panic!("changes are an object")
    };
    config.as_object_mut().unwrap().extend(changes);
    config
}

/// A model of two layers; `q_proj` is 4 x 3 and `up_proj` 6 x 3.
pub fn model() -> ModelLayout {
    layout(modules())
}

/// A layout of these modules, with their weights and nothing else.
pub fn layout(modules: Vec<TargetModule>) -> ModelLayout {
    ModelLayout {
        tensors: modules
            .iter()
            .map(|m| (format!("{}.weight", m.name), m.stored_shape().to_vec()))
            .collect(),
        output_head: modules
            .iter()
            .find(|m| m.name == "lm_head")
            .map(|m| m.name.clone()),
        layers: 2,
        modules,
    }
}

/// The modules of [`model`].
pub fn modules() -> Vec<TargetModule> {
    let module = |name: String, out_features| TargetModule {
        name,
        out_features,
        in_features: 3,
        kind: ModuleKind::Linear,
    };
    let mut modules = Vec::new();
    for layer in 0..2 {
        modules.push(module(format!("model.layers.{layer}.self_attn.q_proj"), 4));
        modules.push(module(format!("model.layers.{layer}.mlp.up_proj"), 6));
    }
    modules.push(module("lm_head".into(), 5));
    modules
}

/// A tensor to be stored: key, shape, values.
#[derive(Clone)]
pub struct Stored {
    pub key: String,
    pub shape: Vec<usize>,
    pub dtype: Dtype,
    pub bytes: Vec<u8>,
}

pub fn stored(key: &str, shape: &[usize], values: &[f32]) -> Stored {
    let bytes = values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect();
    Stored {
        key: key.into(),
        shape: shape.into(),
        dtype: Dtype::F32,
        bytes,
    }
}

/// A and B of a module, with distinct values.
pub fn factors(module: &str, rank: usize, out_features: usize, in_features: usize) -> [Stored; 2] {
    let ramp = |count: usize, start: f32| {
        (0..count)
            .map(|i| start + 0.25 * i as f32)
            .collect::<Vec<_>>()
    };
    [
        stored(
            &format!("base_model.model.{module}.lora_A.weight"),
            &[rank, in_features],
            &ramp(rank * in_features, 1.0),
        ),
        stored(
            &format!("base_model.model.{module}.lora_B.weight"),
            &[out_features, rank],
            &ramp(out_features * rank, -1.0),
        ),
    ]
}

/// The factors of all modules of [`model`] that [`config`] selects.
pub fn tensors() -> Vec<Stored> {
    modules()
        .iter()
        .take(4)
        .flat_map(|m| factors(&m.name, RANK, m.out_features, m.in_features))
        .collect()
}

pub fn safetensors(tensors: &[Stored]) -> Vec<u8> {
    let views = tensors.iter().map(|t| {
        (
            t.key.clone(),
            TensorView::new(t.dtype, t.shape.clone(), &t.bytes).expect("shape and bytes agree"),
        )
    });
    safetensors::serialize(views, None).expect("tensors serialise")
}

pub struct Folder(TempDir);

impl Folder {
    pub fn new(config: &Value, tensors: &[Stored]) -> Folder {
        Folder::raw(config.to_string().as_bytes(), &safetensors(tensors))
    }

    pub fn raw(config: &[u8], weights: &[u8]) -> Folder {
        let dir = TempDir::new().expect("a temporary folder");
        fs::write(dir.path().join("adapter_config.json"), config).unwrap();
        fs::write(dir.path().join("adapter_model.safetensors"), weights).unwrap();
        Folder(dir)
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn open(&self) -> Result<Adapter, AdapterError> {
        Adapter::open(self.path())
    }
}

/// The message of a refused adapter, which has to hold every one of `parts`.
#[track_caller]
pub fn assert_refused<T>(result: Result<T, AdapterError>, parts: &[&str]) {
    let message = result.err().expect("the adapter is refused").to_string();
    for part in parts {
        assert!(message.contains(part), "{part:?} is not in: {message}");
    }
}

/// The folder `shared` beside the checkout, or a note that the test is skipped.
pub fn shared(test: &str) -> Option<PathBuf> {
    let path = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared"));
    if !path.is_dir() {
        eprintln!("skipped {test}: ../shared is absent");
        return None;
    }
    Some(path)
}
