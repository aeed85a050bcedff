//! Merged weights and unmerged outputs as PEFT computes them, for adapters that PEFT saved (`tools/make_peft_cases.py`).

mod cases;

use cases::{data, json, layout, names, tensors, update};
use evalh_adapter::{LoraUpdate, ModuleKind, TargetModule};
use std::collections::BTreeMap;

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
    let mut checked = 0;
    for name in names() {
        if json(&data().join(&name).join("case.json"))["dtype"] != "float32" {
            continue;
        }
        checked += 1;
        let (merged, unmerged) = check(&name);
        println!("{name}: merged {merged:e}, unmerged {unmerged:e}");
        assert!(merged <= 1e-6, "{name}: merged {merged:e}");
        assert!(unmerged <= 1e-6, "{name}: unmerged {unmerged:e}");
    }
    assert!(checked >= 34, "{checked}");
}
