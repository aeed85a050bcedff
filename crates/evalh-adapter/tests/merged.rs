//! Merged weights and unmerged outputs as PEFT computes them, for adapters that PEFT saved (tools/make_peft_cases.py).

use evalh_adapter::{
    Adapter, AdapterUpdate, LoraUpdate, ModelLayout, ModuleKind, TargetModule, combine,
};
use safetensors::SafeTensors;
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

struct Tensor {
    shape: Vec<usize>,
    values: Vec<f32>,
}

fn data() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/peft"))
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

fn tensors(path: &Path) -> BTreeMap<String, Tensor> {
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

fn layout(model: &str, base: &BTreeMap<String, Tensor>) -> ModelLayout {
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

fn update(case: &Path, layout: &ModelLayout, weights: &Value) -> AdapterUpdate {
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

/// The largest difference, as a part of the largest value.
fn difference(found: &[f32], expected: &[f32]) -> f32 {
    assert_eq!(found.len(), expected.len());
    let largest = expected
        .iter()
        .fold(0f32, |most, value| most.max(value.abs()));
    let apart = found
        .iter()
        .zip(expected)
        .fold(0f32, |most, (a, b)| most.max((a - b).abs()));
    assert!(apart.is_finite() && largest > 0.0);
    apart / largest
}

/// `y = x W' + b'` with each update beside the weight, as an engine computes it unmerged.
fn unmerged(
    module: &TargetModule,
    updates: &[&LoraUpdate],
    weight: &[f32],
    bias: Option<&[f32]>,
    x: &[f32],
) -> Vec<f32> {
    let (rows, width) = (module.out_features, module.in_features);
    let at = |row: usize, column: usize| match module.kind {
        ModuleKind::Linear => weight[row * width + column],
        _ => weight[column * rows + row],
    };
    let dot = |a: &[f32], b: &[f32]| -> f64 {
        a.iter()
            .zip(b)
            .map(|(a, b)| f64::from(*a) * f64::from(*b))
            .sum()
    };
    x.chunks_exact(width)
        .flat_map(|x| {
            (0..rows).map(|row| {
                let base: Vec<f32> = (0..width).map(|column| at(row, column)).collect();
                let mut y = dot(&base, x);
                let mut shift = bias.map_or(0.0, |bias| f64::from(bias[row]));
                for update in updates {
                    let hidden: Vec<f32> = update
                        .a
                        .chunks_exact(width)
                        .map(|a| dot(a, x) as f32)
                        .collect();
                    let b = &update.b[row * update.rank..(row + 1) * update.rank];
                    y += f64::from(update.scale) * dot(b, &hidden);
                    shift += update
                        .bias
                        .as_ref()
                        .map_or(0.0, |bias| f64::from(bias[row]));
                }
                for update in updates {
                    y *= f64::from(update.row_factor(row, &base));
                }
                (y + shift) as f32
            })
        })
        .collect()
}

/// Checks one case and says how far merged and unmerged values are from PEFT's.
fn check(name: &str) -> (f32, f32) {
    let case = data().join(name);
    let described = json(&case.join("case.json"));
    let model = described["model"].as_str().unwrap();
    let base = tensors(&data().join(format!("{model}.safetensors")));
    let layout = layout(model, &base);
    let update = update(&case, &layout, &described["weights"]);
    let reference = tensors(&case.join("reference.safetensors"));

    let mut worst = (0f32, 0f32);
    let mut replaced = BTreeMap::new();
    for (tensor, base) in &base {
        let mut values = base.values.clone();
        let changed = update.merge_tensor(&layout, tensor, &mut values);
        assert_eq!(changed, update.changes(tensor), "{name}: {tensor}");
        let Some(expected) = reference.get(&format!("merged.{tensor}")) else {
            assert!(
                values == base.values,
                "{name}: {tensor} is not changed by PEFT"
            );
            continue;
        };
        assert!(changed, "{name}: {tensor} is changed by PEFT");
        worst.0 = worst.0.max(difference(&values, &expected.values));
        if let Some(saved) = update.saved.iter().find(|saved| saved.name == *tensor) {
            replaced.insert(tensor.as_str(), saved.values.as_slice());
        }
    }
    let at_base = |tensor: &str| {
        replaced
            .get(tensor)
            .copied()
            .or_else(|| base.get(tensor).map(|tensor| tensor.values.as_slice()))
    };
    for (key, expected) in &reference {
        let Some(module) = key.strip_prefix("unmerged.") else {
            continue;
        };
        let module = layout.module(module).unwrap();
        let own: Vec<_> = update
            .lora
            .iter()
            .filter(|update| update.module == module.name)
            .collect();
        let found = unmerged(
            module,
            &own,
            at_base(&format!("{}.weight", module.name)).unwrap(),
            at_base(&format!("{}.bias", module.name)),
            &reference[&format!("input.{}", module.in_features)].values,
        );
        worst.1 = worst.1.max(difference(&found, &expected.values));
    }
    worst
}

#[test]
fn merged_and_unmerged_values_are_those_of_peft() {
    let mut cases: Vec<String> = fs::read_dir(data())
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    cases.sort();
    assert!(cases.len() >= 34, "{}", cases.len());
    for name in cases.into_iter().filter(|name| name != "bin") {
        let (merged, unmerged) = check(&name);
        println!("{name}: merged {merged:e}, unmerged {unmerged:e}");
        assert!(merged <= 1e-6, "{name}: merged {merged:e}");
        assert!(unmerged <= 1e-6, "{name}: unmerged {unmerged:e}");
    }
}
