//! Selection and ranks as PEFT's own functions give them, and the adapters beside the checkout.
#![allow(clippy::float_cmp, reason = "the expected scales are exact")]

mod common;

use common::{config_with, layout, shared};
use evalh_adapter::{Adapter, LoraConfig, ModelLayout, ModuleKind, TargetModule};
use serde_json::{Value, json};
use std::path::Path;

fn cases() -> Value {
    serde_json::from_str(include_str!("data/peft_selection.json")).unwrap()
}

fn modules(cases: &Value) -> Vec<&str> {
    cases["modules"]
        .as_array()
        .unwrap()
        .iter()
        .map(|name| name.as_str().unwrap())
        .collect()
}

fn read(config: &Value) -> LoraConfig {
    LoraConfig::from_json(
        Path::new("adapter_config.json"),
        config.to_string().as_bytes(),
    )
    .unwrap()
}

#[test]
fn selections_are_those_of_peft() {
    let cases = cases();
    let modules = modules(&cases);
    let selections = cases["selections"].as_array().unwrap();
    assert!(selections.len() > 200);
    for case in selections {
        let config = read(&config_with(case["config"].clone()));
        let selected: Vec<_> = (0..modules.len())
            .filter(|&at| config.selects(modules[at]))
            .collect();
        assert_eq!(json!(selected), case["selected"], "{}", case["config"]);
    }
}

#[test]
fn ranks_by_pattern_are_those_of_peft() {
    let cases = cases();
    let modules = modules(&cases);
    for case in cases["ranks"].as_array().unwrap() {
        let config = read(&config_with(
            json!({"r": 1, "rank_pattern": case["rank_pattern"]}),
        ));
        let ranks: Vec<_> = modules
            .iter()
            .map(|module| config.rank_of(module))
            .collect();
        assert_eq!(json!(ranks), case["ranks"], "{}", case["rank_pattern"]);
    }
}

/// The seven linear modules a layer of a llama model: `hidden`, `kv` (heads of K and V times their size), `inner`.
fn llama(layers: usize, hidden: usize, kv: usize, inner: usize) -> ModelLayout {
    let shapes = [
        ("self_attn.q_proj", hidden, hidden),
        ("self_attn.k_proj", kv, hidden),
        ("self_attn.v_proj", kv, hidden),
        ("self_attn.o_proj", hidden, hidden),
        ("mlp.gate_proj", inner, hidden),
        ("mlp.up_proj", inner, hidden),
        ("mlp.down_proj", hidden, inner),
    ];
    let modules = (0..layers)
        .flat_map(|layer| {
            shapes.map(|(name, out_features, in_features)| TargetModule {
                name: format!("model.layers.{layer}.{name}"),
                out_features,
                in_features,
                kind: ModuleKind::Linear,
            })
        })
        .collect();
    layout(modules)
}

#[test]
fn the_adapters_for_smollm2_resolve() {
    let Some(shared) = shared("the_adapters_for_smollm2_resolve") else {
        return;
    };
    let model = llama(30, 576, 192, 1536);
    for (name, updates, rank) in [
        ("standard", 210, 16),
        ("selective", 105, 16),
        ("small-standard", 210, 4),
        ("small-selective", 105, 4),
    ] {
        let adapter = Adapter::open(&shared.join("adapters").join(name)).unwrap();
        let resolved = adapter.resolve(&model).unwrap().lora;
        assert_eq!(resolved.len(), updates, "{name}");
        assert!(
            resolved
                .iter()
                .all(|update| update.rank == rank && update.scale == 2.0),
            "{name}"
        );
        let parameters = resolved
            .iter()
            .map(evalh_adapter::LoraUpdate::parameters)
            .sum::<usize>();
        assert_eq!(parameters, adapter.parameters(), "{name}");
        // 2 x (in + out) a module, times the rank.
        assert_eq!(
            parameters,
            rank * updates / 7 * (2 * 1152 + 2 * 768 + 3 * 2112),
            "{name}"
        );
        let error = adapter
            .resolve(&llama(30, 960, 320, 2560))
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("[960, 960]") && error.contains("[576, 576]"),
            "{error}"
        );
    }
}

#[test]
fn a_delta_of_a_bfloat16_adapter_has_the_values_computed_apart() {
    let Some(shared) = shared("a_delta_of_a_bfloat16_adapter_has_the_values_computed_apart") else {
        return;
    };
    let adapter = Adapter::open(&shared.join("adapters/small-standard")).unwrap();
    let updates = adapter.resolve(&llama(30, 576, 192, 1536)).unwrap().lora;
    let update = updates
        .iter()
        .find(|update| update.module == "model.layers.7.mlp.down_proj")
        .unwrap();
    let delta = update.delta();
    let sum: f64 = delta.iter().map(|&value| f64::from(value)).sum();
    let squares: f64 = delta.iter().map(|&value| f64::from(value).powi(2)).sum();
    // Exact products in Python, from the file's bytes.
    for (found, expected) in [
        (sum, -0.646_629_043_632_025),
        (squares, 0.108_822_982_525_327_38),
        (f64::from(delta[0]), 0.000_414_769_398_048_520_1),
        (
            f64::from(delta[575 * 1536 + 1535]),
            -0.000_210_891_477_763_652_8,
        ),
    ] {
        assert!(
            (found - expected).abs() <= 1e-5 * expected.abs(),
            "{found} is not {expected}"
        );
    }
}

#[test]
fn the_llama_fixtures_resolve() {
    let Some(shared) = shared("the_llama_fixtures_resolve") else {
        return;
    };
    for (family, model) in [
        ("llama", llama(3, 48, 48, 72)),
        ("llama_gqa_rope3", llama(3, 48, 16, 96)),
    ] {
        for (name, updates) in [("all", 21), ("subset", 14)] {
            let adapter = Adapter::open(
                &shared
                    .join("fixtures")
                    .join(family)
                    .join("adapters")
                    .join(name),
            )
            .unwrap();
            assert_eq!(
                adapter.resolve(&model).unwrap().lora.len(),
                updates,
                "{family} {name}"
            );
        }
    }
}

#[test]
fn every_public_fixture_opens() {
    let Some(shared) = shared("every_public_fixture_opens") else {
        return;
    };
    let mut opened = 0;
    for family in std::fs::read_dir(shared.join("fixtures")).unwrap() {
        let adapters = family.unwrap().path().join("adapters");
        for name in ["all", "subset"]
            .map(|name| adapters.join(name))
            .iter()
            .filter(|path| path.is_dir())
        {
            Adapter::open(name).unwrap();
            opened += 1;
        }
    }
    assert!(opened >= 40, "{opened}");
}
