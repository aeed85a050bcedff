//! Choices of modules, checked by PEFT's own rule.

use super::*;
use crate::{
    ModuleKind, TargetModule,
    select::{LayerChoice, ModuleSelection, Targets},
};
use proptest::{collection::vec, prelude::*};

fn layout(names: Vec<String>, layers: usize) -> ModelLayout {
    ModelLayout {
        modules: names
            .into_iter()
            .map(|name| TargetModule {
                name,
                out_features: 1,
                in_features: 1,
                kind: ModuleKind::Linear,
            })
            .collect(),
        layers,
        ..ModelLayout::default()
    }
}

/// A model whose kinds of modules share ends of names, as GPT-2, BERT and Mixtral have them.
fn model(layers: usize) -> ModelLayout {
    let kinds = [
        "attn.c_attn",
        "attn.c_proj",
        "mlp.c_proj",
        "output.dense",
        "attn.output.dense",
        "mlp.experts.0.w1",
        "mlp.experts.1.w1",
    ];
    let mut names = vec!["transformer.wte".to_owned()];
    for layer in 0..layers {
        names.extend(kinds.map(|kind| format!("transformer.h.{layer}.{kind}")));
    }
    names.extend(["pooler.dense", "lm_head"].map(str::to_owned));
    layout(names, layers)
}

/// The modules of the model that PEFT would adapt.
fn selected<'a>(layout: &'a ModelLayout, choice: &ModuleChoice) -> Vec<&'a str> {
    let selection = ModuleSelection {
        targets: Targets::Named(NameSet::List(choice.target_modules.clone())),
        excluded: None,
        saved: Vec::new(),
        layers: choice.layers_to_transform.as_ref().map(|layers| {
            let indices = layers.iter().map(|&layer| layer as i64).collect();
            LayerChoice::new(indices, &[]).unwrap()
        }),
    };
    layout
        .modules
        .iter()
        .map(|module| module.name.as_str())
        .filter(|name| selection.selects(name))
        .collect()
}

fn choose(layout: &ModelLayout, adapt: impl Fn(&str) -> bool) -> ModuleChoice {
    let adapted: Vec<&str> = layout
        .modules
        .iter()
        .map(|module| module.name.as_str())
        .filter(|name| adapt(name))
        .collect();
    ModuleChoice::of(layout, &adapted)
}

#[test]
fn last_parts_suffice_where_every_module_of_the_kind_is_adapted() {
    let model = model(3);
    let all = choose(&model, |name| {
        name.ends_with("c_attn") || name.ends_with("c_proj")
    });
    assert_eq!(all.target_modules, ["c_attn", "c_proj"]);
    assert_eq!(all.layers_to_transform, None);

    let some = choose(&model, |name| {
        name.ends_with("w1") && !name.contains(".h.1.")
    });
    assert_eq!(some.target_modules, ["w1"]);
    assert_eq!(some.layers_to_transform, Some(vec![0, 2]));
}

#[test]
fn more_parts_tell_kinds_apart_that_end_alike() {
    let model = model(2);
    let choice = choose(&model, |name| {
        name.ends_with("mlp.c_proj") || name.ends_with("attn.output.dense")
    });
    assert_eq!(choice.target_modules, ["attn.output.dense", "mlp.c_proj"]);
    // Within layers the head and the pooler cannot be meant, so the end that they share is free to use.
    let choice = choose(&model, |name| {
        name.starts_with("transformer.h.1.") && name.ends_with("dense")
    });
    assert_eq!(choice.target_modules, ["dense"]);
    assert_eq!(choice.layers_to_transform, Some(vec![1]));
}

#[test]
fn layers_are_in_the_names_where_kinds_differ_between_layers() {
    let model = model(2);
    let choice = choose(&model, |name| {
        ["transformer.h.0.attn.c_attn", "transformer.h.1.mlp.c_proj"].contains(&name)
    });
    assert_eq!(choice.target_modules, ["h.0.attn.c_attn", "h.1.mlp.c_proj"]);
    assert_eq!(choice.layers_to_transform, None);
}

#[test]
fn layers_are_numbered_as_peft_numbers_them() {
    for (name, layer) in [
        ("model.layers.3.mlp.experts.1.w1", Some(3)),
        ("bert.encoder.layer.11.output.dense", Some(11)),
        ("transformer.h.0.attn.c_attn", Some(0)),
        ("h.0.attn.c_attn", None),
        ("model.layers.3", None),
        ("lm_head", None),
    ] {
        assert_eq!(layer_of(name), layer, "{name}");
        for index in [0, 3, 11] {
            let only = LayerChoice::new(vec![index], &[]).unwrap();
            assert_eq!(only.contains(name), layer == Some(index as usize), "{name}");
        }
    }
}

proptest! {
    #[test]
    fn exactly_the_adapted_modules_are_selected(layers in 1usize..5, picks in vec(any::<bool>(), 48)) {
        let model = model(layers);
        let adapted: Vec<&str> = model
            .modules
            .iter()
            .zip(picks)
            .filter(|(_, pick)| *pick)
            .map(|(module, _)| module.name.as_str())
            .collect();
        let choice = ModuleChoice::of(&model, &adapted);
        prop_assert_eq!(selected(&model, &choice), adapted, "{:?}", choice);
    }
}
