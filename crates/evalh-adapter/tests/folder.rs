//! Whole adapter folders: good ones resolve, bad ones are refused with file, tensor or module, and remedy.

mod common;

use common::{
    Folder, RANK, Stored, assert_refused, config, config_with, factors, layout, model, modules,
    stored, tensors,
};
use evalh_adapter::{Adapter, ModuleKind, TargetModule};
use safetensors::Dtype;
use serde_json::json;
use std::fs;

const Q0: &str = "model.layers.0.self_attn.q_proj";

#[test]
fn a_good_adapter_resolves_in_the_order_of_the_model() {
    let folder = Folder::new(&config(), &tensors());
    let adapter = folder.open().unwrap();
    assert_eq!(adapter.parameters(), 2 * (RANK * (4 + 3) + RANK * (6 + 3)));
    assert_eq!(adapter.files().len(), 2);
    let updates = adapter.resolve(&model()).unwrap().lora;
    let names: Vec<_> = updates.iter().map(|update| update.module.clone()).collect();
    let expected: Vec<_> = modules()
        .into_iter()
        .take(4)
        .map(|module| module.name)
        .collect();
    assert_eq!(names, expected);
    assert_eq!(
        (updates[1].out_features(), updates[1].in_features()),
        (6, 3)
    );
    assert_eq!((updates[0].rank, updates[0].scale), (RANK, 4.0));
    // A = [[1, 1.25, 1.5], [1.75, 2, 2.25]], first row of B = [-1, -0.75], scale 4.
    assert_eq!(updates[0].delta()[..3], [-9.25, -11.0, -12.75]);
}

#[test]
fn half_precision_factors_are_widened() {
    let narrow = |tensor: Stored, dtype: Dtype| {
        let values: Vec<f32> = tensor
            .bytes
            .chunks_exact(4)
            .map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap()))
            .collect();
        let bytes = values
            .iter()
            .flat_map(|&value| match dtype {
                Dtype::F16 => half::f16::from_f32(value).to_le_bytes(),
                _ => half::bf16::from_f32(value).to_le_bytes(),
            })
            .collect();
        Stored {
            dtype,
            bytes,
            ..tensor
        }
    };
    let wide = Folder::new(&config(), &tensors())
        .open()
        .unwrap()
        .resolve(&model())
        .unwrap();
    for dtype in [Dtype::F16, Dtype::BF16] {
        let narrowed: Vec<_> = tensors()
            .into_iter()
            .map(|tensor| narrow(tensor, dtype))
            .collect();
        // The ramps of the test factors are exact in both.
        assert_eq!(
            Folder::new(&config(), &narrowed)
                .open()
                .unwrap()
                .resolve(&model())
                .unwrap(),
            wide
        );
    }
}

#[test]
fn missing_files_are_named() {
    let folder = Folder::new(&config(), &tensors());
    assert_refused(
        Adapter::open(&folder.path().join("nowhere")),
        &["nowhere", "is not a folder"],
    );
    fs::remove_file(folder.path().join("adapter_model.safetensors")).unwrap();
    assert_refused(
        folder.open(),
        &["adapter_model.safetensors", "adapter_model.bin"],
    );
    fs::remove_file(folder.path().join("adapter_config.json")).unwrap();
    assert_refused(folder.open(), &["adapter_config.json", "save_pretrained"]);
}

#[test]
fn truncated_weights_are_refused_at_every_length() {
    let bytes = common::safetensors(&tensors());
    for length in (0..bytes.len()).step_by(13).chain([bytes.len() - 1]) {
        let folder = Folder::raw(config().to_string().as_bytes(), &bytes[..length]);
        assert_refused(
            folder.open(),
            &["adapter_model.safetensors", "fetch the file again"],
        );
    }
    assert_refused(
        Folder::new(&config(), &[]).open(),
        &["adapter_model.safetensors", "no tensor"],
    );
}

#[test]
fn unknown_tensors_are_named_with_their_meaning() {
    let cases = [
        (
            "base_model.model.model.embed_tokens.token_adapter.trainable_tokens_delta",
            "retrained token embeddings",
        ),
        (
            "base_model.model.model.layers.0.self_attn.q_proj.lora_diag",
            "KaSA",
        ),
        (
            "base_model.model.model.layers.0.self_attn.q_proj.lora_velora_embed",
            "does not name",
        ),
        (
            "base_model.model.model.embed_tokens.lora_embedding_A",
            "lora_embedding_B",
        ),
        ("base_model.model.weight", "names no tensor"),
        (
            "model.layers.0.self_attn.q_proj.lora_A.weight",
            "not one of an adapter",
        ),
    ];
    for (key, meaning) in cases {
        let mut tensors = tensors();
        tensors.push(stored(key, &[1, 2], &[0.0, 0.0]));
        assert_refused(
            Folder::new(&config(), &tensors).open(),
            &["adapter_model.safetensors", meaning, ";"],
        );
    }
}

#[test]
fn a_factor_without_its_counterpart_is_named() {
    for (dropped, missing) in [(0, "lora_A"), (1, "lora_B")] {
        let mut tensors = tensors();
        tensors.remove(dropped);
        let key = format!("`base_model.model.{Q0}.{missing}.weight`");
        assert_refused(
            Folder::new(&config(), &tensors).open(),
            &[&key, "is missing"],
        );
    }
}

#[test]
fn values_and_kinds_of_tensors_are_checked() {
    let replaced = |tensor: Stored| {
        let mut tensors = tensors();
        let at = tensors
            .iter()
            .position(|other| other.key == tensor.key)
            .unwrap();
        tensors[at] = tensor;
        Folder::new(&config(), &tensors).open()
    };
    let key = format!("base_model.model.{Q0}.lora_A.weight");
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let values = [1.0, 2.0, 3.0, 4.0, bad, 6.0];
        let counts = if bad.is_nan() {
            "1 NaN and 0 infinite values among its 6"
        } else {
            "0 NaN and 1 infinite values among its 6"
        };
        assert_refused(
            replaced(stored(&key, &[2, 3], &values)),
            &[&key, counts, "row 1, column 1"],
        );
    }
    assert_refused(
        replaced(stored(&key, &[6], &[0.0; 6])),
        &[&key, "two dimensions"],
    );
    assert_refused(replaced(stored(&key, &[0, 3], &[])), &[&key, "no values"]);
    assert_refused(
        replaced(stored(&key, &[3, 3], &[0.0; 9])),
        &["lora_B", "the ranks differ"],
    );
    let whole = Stored {
        key: key.clone(),
        shape: vec![2, 3],
        dtype: Dtype::I32,
        bytes: vec![0; 24],
    };
    assert_refused(replaced(whole), &[&key, "dtype I32", "bfloat16"]);
}

#[test]
fn ranks_have_to_be_the_configured_ones() {
    let refused = Folder::new(&config_with(json!({"r": 4})), &tensors()).open();
    assert_refused(
        refused,
        &[
            "up_proj",
            "rank 2 in the weights",
            "rank 4 in adapter_config.json",
            "[2, 3]",
        ],
    );
    let pattern = config_with(json!({"rank_pattern": {"up_proj": 3}}));
    let mut wider = tensors();
    for (at, module) in [
        (2, "model.layers.0.mlp.up_proj"),
        (6, "model.layers.1.mlp.up_proj"),
    ] {
        wider.splice(at..at + 2, factors(module, 3, 6, 3));
    }
    let updates = Folder::new(&pattern, &wider)
        .open()
        .unwrap()
        .resolve(&model())
        .unwrap()
        .lora;
    assert_eq!(
        updates.iter().map(|update| update.rank).collect::<Vec<_>>(),
        [2, 3, 2, 3]
    );
    assert_refused(
        Folder::new(&pattern, &tensors()).open(),
        &["up_proj", "rank 3 in adapter_config.json"],
    );
}

#[test]
fn weights_that_the_configuration_leaves_out_are_named() {
    let refused = Folder::new(
        &config_with(json!({"target_modules": ["up_proj"]})),
        &tensors(),
    )
    .open();
    assert_refused(refused, &["q_proj`", "does not select it"]);
    let refused = Folder::new(
        &config_with(json!({"layers_to_transform": [0]})),
        &tensors(),
    )
    .open();
    assert_refused(refused, &["model.layers.1.", "does not select it"]);
}

#[test]
fn modules_that_the_weights_leave_out_are_named() {
    let adapter = Folder::new(&config(), &tensors()[2..]).open().unwrap();
    assert_refused(
        adapter.resolve(&model()),
        &[Q0, "no weights for it", "`someone/base`"],
    );
}

#[test]
fn an_adapter_for_another_model_is_refused_with_both_shapes() {
    let adapter = Folder::new(&config(), &tensors()).open().unwrap();
    let mut wider = modules();
    wider[0].in_features = 5;
    assert_refused(
        adapter.resolve(&layout(wider)),
        &[Q0, "[4, 5]", "[4, 3]", "`someone/base`"],
    );

    let renamed: Vec<_> = modules()
        .into_iter()
        .map(|module| TargetModule {
            name: module.name.replace("model.layers", "transformer.h"),
            ..module
        })
        .collect();
    assert_refused(
        adapter.resolve(&layout(renamed)),
        &[
            "no module of the model matches",
            Q0.split('.').next().unwrap(),
            "transformer.h.0",
        ],
    );
    assert_refused(
        adapter.resolve(&layout(Vec::new())),
        &["no module of the model matches"],
    );

    let shallower = &layout(modules()[..2].to_vec());
    assert_refused(
        adapter.resolve(shallower),
        &[
            "model.layers.1.",
            "no such module",
            "model.layers.0.mlp.up_proj",
        ],
    );
}

#[test]
fn parts_that_the_configuration_does_not_describe_are_refused() {
    for (part, field) in [
        ("lora_magnitude_vector", "use_dora"),
        ("lora_B.bias", "lora_bias"),
    ] {
        let missing = Folder::new(&config_with(json!({ field: true })), &tensors());
        assert_refused(
            missing.open(),
            &[Q0.split('.').next().unwrap(), part, field],
        );
        let mut more = tensors();
        for module in modules().iter().take(4) {
            more.push(stored(
                &format!("base_model.model.{}.{part}", module.name),
                &[module.out_features],
                &vec![0.5; module.out_features],
            ));
        }
        assert_refused(Folder::new(&config(), &more).open(), &[part, field]);
        let updates = Folder::new(&config_with(json!({ field: true })), &more)
            .open()
            .unwrap()
            .resolve(&model())
            .unwrap()
            .lora;
        assert_eq!(updates[0].magnitude.is_some(), field == "use_dora");
        // The bias is scaled, by 4.
        assert_eq!(
            updates[0].bias,
            (field == "lora_bias").then(|| vec![2.0; 4])
        );
        more.last_mut().unwrap().shape = vec![3, 2];
        assert_refused(
            Folder::new(&config_with(json!({ field: true })), &more).open(),
            &[part, "one dimension"],
        );
    }
}

#[test]
fn saved_tensors_replace_those_of_the_model() {
    let mut more = tensors();
    more.push(stored(
        "base_model.model.lm_head.modules_to_save.default.weight",
        &[5, 3],
        &[9.0; 15],
    ));
    let saving = config_with(json!({"modules_to_save": ["lm_head"]}));
    let update = Folder::new(&saving, &more)
        .open()
        .unwrap()
        .resolve(&model())
        .unwrap();
    assert_eq!(update.saved.len(), 1);
    assert_eq!(
        (update.saved[0].name.as_str(), &update.saved[0].shape[..]),
        ("lm_head.weight", &[5, 3][..])
    );
    assert!(update.changes("lm_head.weight") && !update.changes("lm_head.bias"));
    // PEFT reads the key without the wrapper where both are there.
    more.push(stored(
        "base_model.model.lm_head.weight",
        &[5, 3],
        &[7.0; 15],
    ));
    let adapter = Folder::new(&saving, &more).open().unwrap();
    assert_eq!(adapter.saved().next().unwrap().values, [7.0; 15]);
    assert_eq!(adapter.saved_parameters(), 15);

    assert_refused(
        Folder::new(&saving, &tensors())
            .open()
            .unwrap()
            .resolve(&model()),
        &["`lm_head.weight`", "`modules_to_save`", "no values"],
    );
    let mut wrong = tensors();
    wrong.push(stored(
        "base_model.model.lm_head.weight",
        &[3, 5],
        &[9.0; 15],
    ));
    assert_refused(
        Folder::new(&saving, &wrong)
            .open()
            .unwrap()
            .resolve(&model()),
        &["`lm_head.weight`", "[5, 3]", "[3, 5]"],
    );
    let mut strange = tensors();
    strange.push(stored("base_model.model.norm.weight", &[3], &[9.0; 3]));
    assert_refused(
        Folder::new(&config(), &strange)
            .open()
            .unwrap()
            .resolve(&model()),
        &["`norm.weight`", "no such tensor"],
    );
}

#[test]
fn biases_that_were_trained_have_to_be_there() {
    for (bias, tensor) in [
        ("all", "model.norm.bias"),
        ("lora_only", &format!("{Q0}.bias")),
    ] {
        let mut layout = model();
        layout.tensors.insert(tensor.to_owned(), vec![3]);
        let config = config_with(json!({ "bias": bias }));
        assert_refused(
            Folder::new(&config, &tensors())
                .open()
                .unwrap()
                .resolve(&layout),
            &[tensor, "`bias`", "no values"],
        );
        let mut more = tensors();
        let key = tensor.replace("q_proj", "q_proj.base_layer");
        more.push(stored(&format!("base_model.model.{key}"), &[3], &[1.0; 3]));
        let update = Folder::new(&config, &more)
            .open()
            .unwrap()
            .resolve(&layout)
            .unwrap();
        assert_eq!(update.saved[0].name, tensor);
    }
}

#[test]
fn what_only_images_reach_is_left_out() {
    let mut more: Vec<Stored> = tensors()
        .into_iter()
        .map(|tensor| Stored {
            key: tensor
                .key
                .replace("base_model.model.", "base_model.model.language_model."),
            ..tensor
        })
        .collect();
    more.extend(factors(
        "vision_tower.layers.0.self_attn.q_proj",
        RANK,
        8,
        8,
    ));
    let adapter = Folder::new(&config(), &more).open().unwrap();
    let updates = adapter.resolve(&model()).unwrap().lora;
    assert_eq!(updates.len(), 4);
    assert_eq!(updates[0].module, Q0);
    assert_eq!(adapter.left_out().count(), 1);
}

#[test]
fn the_tied_copy_of_an_embedding_is_known_by_its_factors() {
    let config = config_with(json!({
        "target_modules": ["model.embed_tokens"], "ensure_weight_tying": true, "r": 1
    }));
    let embedding = [
        stored(
            "base_model.model.model.embed_tokens.lora_embedding_A",
            &[1, 3],
            &[1.0, 2.0, 3.0],
        ),
        stored(
            "base_model.model.model.embed_tokens.lora_embedding_B",
            &[2, 1],
            &[4.0, 5.0],
        ),
    ];
    let head = |last| {
        [
            stored(
                "base_model.model.lm_head.lora_A.weight",
                &[1, 2],
                &[4.0, 5.0],
            ),
            stored(
                "base_model.model.lm_head.lora_B.weight",
                &[3, 1],
                &[1.0, 2.0, last],
            ),
        ]
    };
    let module = |name: &str, out_features, in_features, kind| TargetModule {
        name: name.into(),
        out_features,
        in_features,
        kind,
    };
    let model = layout(vec![
        module("model.embed_tokens", 2, 3, ModuleKind::Embedding),
        module("lm_head", 3, 2, ModuleKind::Linear),
    ]);
    let good = Folder::new(&config, &[embedding.clone(), head(3.0)].concat());
    let updates = good.open().unwrap().resolve(&model).unwrap().lora;
    let transposed: Vec<f32> = (0..6)
        .map(|at| updates[0].delta()[at % 2 * 3 + at / 2])
        .collect();
    assert_eq!(updates[1].delta(), transposed);
    assert_refused(
        Folder::new(&config, &[embedding, head(4.0)].concat()).open(),
        &["lm_head", "does not select it"],
    );
}

#[test]
fn kinds_of_modules_have_to_agree() {
    let mut modules = modules();
    modules[0].kind = ModuleKind::Embedding;
    assert_refused(
        Folder::new(&config(), &tensors())
            .open()
            .unwrap()
            .resolve(&layout(modules)),
        &[Q0, "an embedding in the model", "linear in the adapter"],
    );
}

#[test]
fn values_that_are_no_numbers_are_counted() {
    let folder = Folder::new(&config(), &tensors());
    assert_eq!(evalh_adapter::non_finite(folder.path()).unwrap(), []);
    let key = format!("base_model.model.{Q0}.lora_A.weight");
    let mut bad = tensors();
    bad[0] = stored(
        &key,
        &[2, 3],
        &[f32::NAN, f32::INFINITY, 0.0, f32::NEG_INFINITY, 1.0, 2.0],
    );
    let counts = evalh_adapter::non_finite(Folder::new(&config(), &bad).path()).unwrap();
    assert_eq!(
        (
            counts.len(),
            counts[0].nan,
            counts[0].infinite,
            counts[0].values
        ),
        (1, 1, 2, 6)
    );
}
