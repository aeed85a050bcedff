//! Spectra, subspaces and intruder dimensions beside dense computations of torch and PEFT's own count.
#![cfg(feature = "analysis")]

mod cases;

use cases::{data, json, layout, tensors};
use evalh_adapter::{
    Adapter, AdapterUpdate, BaseModel, LoraUpdate, ModelLayout, ModuleKind, TargetModule,
    analysis::{compare, inspect, intruders},
};
use evalh_checkpoint::{CheckpointError, StoredDtype, TensorInfo, WeightSource};
use serde_json::Value;
use std::collections::BTreeMap;

/// A model's weights in memory.
struct Weights {
    config: Value,
    tensors: BTreeMap<String, cases::Tensor>,
}

impl WeightSource for Weights {
    fn config(&self) -> &Value {
        &self.config
    }

    fn tensor_names(&self) -> Vec<String> {
        self.tensors.keys().cloned().collect()
    }

    fn tensor(&self, name: &str) -> Option<TensorInfo> {
        Some(TensorInfo {
            shape: self.tensors.get(name)?.shape.clone(),
            dtype: StoredDtype::F32,
        })
    }

    fn read_f32(&self, name: &str) -> Result<Vec<f32>, CheckpointError> {
        Ok(self.tensors[name].values.clone())
    }
}

fn model(name: &str) -> (ModelLayout, Weights) {
    let tensors = tensors(&data().join(format!("{name}.safetensors")));
    let layout = layout(name, &tensors);
    (
        layout,
        Weights {
            config: Value::Null,
            tensors,
        },
    )
}

#[track_caller]
fn close(found: f64, expected: &Value, what: &str) {
    let expected = expected.as_f64().unwrap();
    assert!(
        (found - expected).abs() <= 1e-6 * expected.abs().max(1.0),
        "{what}: {found} is not {expected}"
    );
}

#[track_caller]
fn all_close(found: &[f64], expected: &Value, what: &str) {
    let expected = expected.as_array().unwrap();
    assert_eq!(found.len(), expected.len(), "{what}");
    for (found, expected) in found.iter().zip(expected) {
        close(*found, expected, what);
    }
}

#[test]
fn spectra_are_those_of_the_dense_update() {
    let expected = json(&data().join("analysis.json"));
    let (layout, weights) = model("llama");
    for (folder, key) in [("adapter0", "first"), ("adapter1", "second")] {
        let adapter = Adapter::open(&data().join("mix").join(folder)).unwrap();
        let found = inspect(&adapter, Some(BaseModel::new(&layout, &weights))).unwrap();
        let expected = expected[key].as_object().unwrap();
        assert_eq!(found.modules.len(), expected.len());
        for module in &found.modules {
            let expected = &expected[&module.module];
            let name = &module.module;
            close(module.norm, &expected["norm"], name);
            close(module.effective_rank, &expected["effective_rank"], name);
            close(
                module.orthogonality_a.unwrap(),
                &expected["orthogonality_a"],
                name,
            );
            close(
                module.orthogonality_b.unwrap(),
                &expected["orthogonality_b"],
                name,
            );
            close(
                module.relative_norm.unwrap(),
                &expected["relative_norm"],
                name,
            );
            all_close(&module.singular_values, &expected["singular_values"], name);
            assert_eq!(module.base_non_finite, Some(0));
        }
        let alone = inspect(&adapter, None).unwrap();
        assert_eq!(alone.totals.trained, found.totals.trained);
        assert_eq!(
            (alone.totals.base, alone.modules[0].relative_norm),
            (None, None)
        );
    }
}

#[test]
fn subspaces_are_those_of_the_dense_updates() {
    let expected = json(&data().join("analysis.json"));
    let (layout, _) = model("llama");
    let [first, second] = ["adapter0", "adapter1"].map(|folder| {
        Adapter::open(&data().join("mix").join(folder))
            .unwrap()
            .resolve(&layout)
            .unwrap()
    });
    let found = compare(&first, &second, None).unwrap();
    let pairs = expected["pairs"].as_object().unwrap();
    assert_eq!(
        (found.modules.len(), found.only_second.len()),
        (pairs.len(), 10)
    );
    for module in &found.modules {
        let expected = &pairs[&module.module];
        let name = &module.module;
        close(module.cosine.unwrap(), &expected["cosine"], name);
        all_close(&module.outputs.angles, &expected["outputs"], name);
        all_close(&module.inputs.angles, &expected["inputs"], name);
        let cosines = module
            .outputs
            .angles
            .iter()
            .map(|angle| angle.cos().powi(2));
        let mean = cosines.sum::<f64>() / module.outputs.angles.len() as f64;
        assert!((module.outputs.overlap - mean).abs() < 1e-12);
    }
}

#[test]
fn intruder_dimensions_are_counted_as_peft_counts_them() {
    let expected = json(&data().join("analysis.json"));
    let mut seen = 0;
    for (case, counts) in expected["intruders"].as_object().unwrap() {
        let described = json(&data().join(case).join("case.json"));
        let (layout, weights) = model(described["model"].as_str().unwrap());
        let update = Adapter::open(&data().join(case).join("adapter"))
            .unwrap()
            .resolve(&layout)
            .unwrap();
        for (module, count) in counts.as_object().unwrap() {
            // An embedding that was saved with the adapter stands in for the base's: here they are the same.
            let own: Vec<&LoraUpdate> = update
                .lora
                .iter()
                .filter(|update| update.module == *module)
                .collect();
            let kind = layout.module(module).unwrap().kind;
            let weight = &weights.tensors[&format!("{module}.weight")].values;
            let found = intruders(kind, &[&own], weight).unwrap();
            assert_eq!(
                found[0].count as u64,
                count.as_u64().unwrap(),
                "{case} {module}"
            );
            seen += found[0].count;
        }
    }
    assert!(seen >= 5, "{seen}");
}

fn update(module: &str, rank: usize, a: &[f32], b: &[f32]) -> AdapterUpdate {
    AdapterUpdate {
        lora: vec![LoraUpdate {
            module: module.into(),
            rank,
            scale: 2.0,
            a: a.into(),
            b: b.into(),
            magnitude: None,
            bias: None,
        }],
        saved: vec![],
    }
}

#[test]
fn equal_and_orthogonal_updates_are_told_apart() {
    let along_first = update("q", 1, &[1.0, 0.0, 0.0], &[1.0, 0.0]);
    let along_second = update("q", 1, &[0.0, 3.0, 0.0], &[0.0, 1.0]);
    let same = compare(&along_first, &along_first, None).unwrap();
    assert_eq!(same.cosine, Some(1.0));
    assert!(
        same.modules[0].inputs.angles[0] < 1e-15 && same.modules[0].inputs.overlap > 1.0 - 1e-15
    );
    let apart = compare(&along_first, &along_second, None).unwrap();
    assert_eq!(
        (apart.cosine, apart.modules[0].outputs.overlap),
        (Some(0.0), 0.0)
    );
    let right = std::f64::consts::FRAC_PI_2;
    assert!((apart.modules[0].outputs.angles[0] - right).abs() < 1e-15);
    // A space of two dimensions that holds the other.
    let plane = update(
        "q",
        2,
        &[1.0, 0.0, 0.0, 0.0, 1.0, 0.0],
        &[1.0, 0.0, 0.0, 1.0],
    );
    let within = compare(&along_first, &plane, None).unwrap();
    assert_eq!(within.modules[0].inputs.dimensions, [1, 2]);
    assert!(within.modules[0].inputs.overlap > 1.0 - 1e-15);
}

#[test]
fn tiny_angles_keep_their_digits() {
    let tilted = update("q", 1, &[1.0, 1e-10, 0.0], &[1.0, 0.0]);
    let straight = update("q", 1, &[1.0, 0.0, 0.0], &[1.0, 0.0]);
    let angle = compare(&tilted, &straight, None).unwrap().modules[0]
        .inputs
        .angles[0];
    assert!(
        (angle / f64::from(1e-10f32) - 1.0).abs() < 1e-6,
        "{angle:e}"
    );
}

#[test]
fn an_update_of_zeros_has_no_direction() {
    let zero = update("q", 1, &[1.0, 2.0, 3.0], &[0.0, 0.0]);
    let other = update("q", 1, &[1.0, 2.0, 3.0], &[1.0, 0.0]);
    let found = compare(&zero, &other, None).unwrap();
    assert_eq!((found.cosine, found.modules[0].cosine), (None, None));
    assert!(found.modules[0].outputs.angles.is_empty());
    let alone = compare(&zero, &update("k", 1, &[1.0], &[1.0]), None).unwrap();
    assert_eq!(
        (alone.only_first, alone.only_second),
        (vec!["q".to_owned()], vec!["k".to_owned()])
    );
    let wrong = compare(&other, &update("q", 1, &[1.0], &[1.0]), None).unwrap_err();
    assert!(wrong.to_string().contains("[2, 3]") && wrong.to_string().contains("[1, 1]"));
}

/// `RoBERTa`-base with a classification head, as its configuration gives it.
fn roberta_base() -> ModelLayout {
    const HIDDEN: usize = 768;
    let mut modules = Vec::new();
    let mut tensors = BTreeMap::new();
    let mut linear = |name: String, out_features: usize, in_features: usize| {
        tensors.insert(format!("{name}.weight"), vec![out_features, in_features]);
        tensors.insert(format!("{name}.bias"), vec![out_features]);
        modules.push(TargetModule {
            name,
            out_features,
            in_features,
            kind: ModuleKind::Linear,
        });
    };
    for layer in 0..12 {
        let name = |part: &str| format!("roberta.encoder.layer.{layer}.{part}");
        for part in ["query", "key", "value"] {
            linear(name(&format!("attention.self.{part}")), HIDDEN, HIDDEN);
        }
        linear(name("attention.output.dense"), HIDDEN, HIDDEN);
        linear(name("intermediate.dense"), 4 * HIDDEN, HIDDEN);
        linear(name("output.dense"), HIDDEN, 4 * HIDDEN);
    }
    linear("classifier.dense".into(), HIDDEN, HIDDEN);
    linear("classifier.out_proj".into(), 2, HIDDEN);
    for layer in 0..12 {
        for norm in ["attention.output.LayerNorm", "output.LayerNorm"] {
            for part in ["weight", "bias"] {
                tensors.insert(
                    format!("roberta.encoder.layer.{layer}.{norm}.{part}"),
                    vec![HIDDEN],
                );
            }
        }
    }
    for (name, rows) in [("word", 50265), ("position", 514), ("token_type", 1)] {
        tensors.insert(
            format!("roberta.embeddings.{name}_embeddings.weight"),
            vec![rows, HIDDEN],
        );
    }
    for part in ["weight", "bias"] {
        tensors.insert(format!("roberta.embeddings.LayerNorm.{part}"), vec![HIDDEN]);
    }
    ModelLayout {
        modules,
        tensors,
        output_head: None,
        layers: 12,
    }
}

#[test]
fn lora_of_rank_8_on_roberta_base_trains_294_912_parameters_beside_the_head() {
    let layout = roberta_base();
    let dir = tempfile::TempDir::new().unwrap();
    let config = serde_json::json!({
        "peft_type": "LORA", "task_type": "SEQ_CLS", "r": 8, "lora_alpha": 8, "target_modules": ["query", "value"]
    });
    std::fs::write(dir.path().join("adapter_config.json"), config.to_string()).unwrap();
    let mut shapes: Vec<(String, Vec<usize>)> = Vec::new();
    for layer in 0..12 {
        for part in ["query", "value"] {
            let module = format!("roberta.encoder.layer.{layer}.attention.self.{part}");
            shapes.push((format!("{module}.lora_A.weight"), vec![8, 768]));
            shapes.push((format!("{module}.lora_B.weight"), vec![768, 8]));
        }
    }
    for (name, shape) in &layout.tensors {
        if name.starts_with("classifier.") {
            shapes.push((name.clone(), shape.clone()));
        }
    }
    let zeros = vec![0u8; 4 * 768 * 768];
    let views = shapes.iter().map(|(name, shape)| {
        let bytes = &zeros[..4 * shape.iter().product::<usize>()];
        let view =
            safetensors::tensor::TensorView::new(safetensors::Dtype::F32, shape.clone(), bytes);
        (format!("base_model.model.{name}"), view.unwrap())
    });
    let bytes = safetensors::serialize(views, None).unwrap();
    std::fs::write(dir.path().join("adapter_model.safetensors"), bytes).unwrap();

    let adapter = Adapter::open(dir.path()).unwrap();
    assert_eq!(adapter.parameters(), 294_912);
    let weights = Weights {
        config: Value::Null,
        tensors: layout
            .tensors
            .iter()
            .map(|(name, shape)| {
                let tensor = cases::Tensor {
                    shape: shape.clone(),
                    values: vec![
                        1.0;
                        if name.contains("embeddings") {
                            0
                        } else {
                            shape.iter().product()
                        }
                    ],
                };
                (name.clone(), tensor)
            })
            .collect(),
    };
    let found = inspect(&adapter, Some(BaseModel::new(&layout, &weights))).unwrap();
    let totals = &found.totals;
    assert_eq!(
        (totals.adapter, totals.head, totals.saved),
        (294_912, 592_130, 0)
    );
    assert_eq!(totals.trained, 887_042);
    // RobertaForSequenceClassification of transformers has this many.
    assert_eq!(totals.base, Some(124_647_170));
    assert_eq!(
        found.layers.modules,
        ["attention.self.query", "attention.self.value"]
    );
    assert_eq!(found.layers.rows.len(), 12);
    assert!(
        found
            .layers
            .rows
            .iter()
            .all(|row| row.adapted == [true, true])
    );
    assert_eq!(
        (
            found.modules[0].effective_rank,
            found.modules[0].orthogonality_a
        ),
        (0.0, None)
    );
}
