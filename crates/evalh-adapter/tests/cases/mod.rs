//! The reference cases that `tools/make_peft_cases.py` wrote.
#![allow(dead_code, missing_docs, reason = "each test binary uses its part")]

use evalh_adapter::{Adapter, AdapterUpdate, ModelLayout, ModuleKind, TargetModule, combine};
use safetensors::SafeTensors;
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

pub struct Tensor {
    pub shape: Vec<usize>,
    pub values: Vec<f32>,
}

pub fn data() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/peft"))
}

pub fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

pub fn tensors(path: &Path) -> BTreeMap<String, Tensor> {
    let bytes = fs::read(path).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let tensor = |view: &safetensors::tensor::TensorView<'_>| Tensor {
        shape: view.shape().to_vec(),
        values: view
            .data()
            .chunks_exact(4)
            .map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap()))
            .collect(),
    };
    file.iter()
        .map(|(name, view)| (name.to_owned(), tensor(&view)))
        .collect()
}

pub fn layout(model: &str, base: &BTreeMap<String, Tensor>) -> ModelLayout {
    let described = json(&data().join(format!("{model}.json")));
    let size = |value: &Value| usize::try_from(value.as_u64().unwrap()).unwrap();
    ModelLayout {
        modules: described["modules"]
            .as_array()
            .unwrap()
            .iter()
            .map(|module| TargetModule {
                name: module["name"].as_str().unwrap().into(),
                out_features: size(&module["out"]),
                in_features: size(&module["in"]),
                kind: match module["kind"].as_str().unwrap() {
                    "linear" => ModuleKind::Linear,
                    "conv1d" => ModuleKind::Conv1d,
                    _ => ModuleKind::Embedding,
                },
            })
            .collect(),
        tensors: base
            .iter()
            .map(|(name, tensor)| (name.clone(), tensor.shape.clone()))
            .collect(),
        output_head: described["output_head"].as_str().map(str::to_owned),
        layers: size(&described["layers"]),
    }
}

pub fn update(case: &Path, layout: &ModelLayout, weights: &Value) -> AdapterUpdate {
    let open = |name: &str| {
        Adapter::open(&case.join(name))
            .unwrap()
            .resolve(layout)
            .unwrap()
    };
    match weights.as_array() {
        None => open("adapter"),
        Some(weights) => {
            let parts = weights
                .iter()
                .enumerate()
                .map(|(at, weight)| (open(&format!("adapter{at}")), weight.as_f64().unwrap()))
                .collect();
            combine("mix", parts).unwrap()
        }
    }
}

/// The names of all cases.
pub fn names() -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(data())
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}
