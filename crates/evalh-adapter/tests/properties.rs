//! Bytes from outside never panic, whatever they are.

mod common;

use common::{Folder, config, model, safetensors, tensors};
use evalh_adapter::{LoraConfig, parse_mix};
use proptest::{collection::vec, prelude::*};
use serde_json::json;
use std::path::Path;

fn parse(bytes: &[u8]) -> Option<LoraConfig> {
    LoraConfig::from_json(Path::new("adapter_config.json"), bytes).ok()
}

/// Opens and resolves; refusing is fine.
fn use_folder(config: &[u8], weights: &[u8]) {
    if let Ok(adapter) = Folder::raw(config, weights).open() {
        for update in adapter
            .resolve(&model())
            .into_iter()
            .flat_map(|update| update.lora)
        {
            assert_eq!(
                update.delta().len(),
                update.out_features() * update.in_features()
            );
        }
    }
}

/// Any JSON value, small.
fn any_json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(|b| json!(b)),
        any::<i64>().prop_map(|i| json!(i)),
        any::<f64>().prop_map(|f| json!(f)),
        r"[a-z_.*+?()\[\]\\|^$0-9{}:<>!-]{0,12}".prop_map(|s| json!(s)),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(|items| json!(items)),
            proptest::collection::hash_map("[a-z_.*]{0,8}", inner, 0..4).prop_map(|map| json!(map)),
        ]
    })
}

fn field_names() -> Vec<String> {
    config().as_object().unwrap().keys().cloned().collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn random_configurations_never_panic(bytes in vec(any::<u8>(), 0..200)) {
        parse(&bytes);
    }

    #[test]
    fn mutated_configurations_never_panic(changes in vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)) {
        let mut bytes = config().to_string().into_bytes();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        parse(&bytes);
    }

    #[test]
    fn any_value_of_any_field_is_honoured_or_refused(
        field in prop::sample::select(field_names()),
        value in any_json(),
        module in r"[a-z_.0-9]{0,40}",
    ) {
        if let Some(config) = parse(common::config_with(json!({ field: value })).to_string().as_bytes()) {
            config.selects(&module);
            prop_assert!(config.rank_of(&module) > 0);
        }
    }

    #[test]
    fn any_expression_is_honoured_or_refused(pattern in r"\PC{0,30}", module in r"\PC{0,30}") {
        for field in ["target_modules", "exclude_modules"] {
            if let Some(config) = parse(common::config_with(json!({ field: &pattern })).to_string().as_bytes()) {
                config.selects(&module);
            }
        }
        let tables = json!({"rank_pattern": {&pattern: 4}, "layers_pattern": &pattern, "layers_to_transform": [1]});
        if let Some(config) = parse(common::config_with(tables).to_string().as_bytes()) {
            config.selects(&module);
            config.rank_of(&module);
        }
    }

    #[test]
    fn random_weights_never_panic(bytes in vec(any::<u8>(), 0..300)) {
        use_folder(config().to_string().as_bytes(), &bytes);
    }

    #[test]
    fn mutated_weights_never_panic(changes in vec((any::<prop::sample::Index>(), any::<u8>()), 1..8), cut in any::<prop::sample::Index>(), keep in any::<bool>()) {
        let mut bytes = safetensors(&tensors());
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if !keep {
            bytes.truncate(cut.index(bytes.len()));
        }
        use_folder(config().to_string().as_bytes(), &bytes);
    }

    #[test]
    fn a_header_that_lies_about_its_length_never_panics(length in any::<u64>()) {
        let mut bytes = safetensors(&tensors());
        bytes[..8].copy_from_slice(&length.to_le_bytes());
        use_folder(config().to_string().as_bytes(), &bytes);
    }

    #[test]
    fn any_keys_are_honoured_or_refused(
        keys in vec(r"(model\.|layers\.|0\.|q_proj\.|lm_head\.|lora_[A-C]\.|modules_to_save\.|default\.|base_layer\.|weight|bias){0,6}", 1..5),
        shape in vec(0usize..4, 0..3),
    ) {
        let mut stored = tensors();
        let values = vec![0.5; shape.iter().product()];
        stored.extend(keys.iter().map(|key| common::stored(&format!("base_model.model.{key}"), &shape, &values)));
        stored.sort_by(|a, b| a.key.cmp(&b.key));
        stored.dedup_by(|a, b| a.key == b.key);
        use_folder(config().to_string().as_bytes(), &safetensors(&stored));
    }

    #[test]
    fn any_text_is_a_mix_or_refused(text in r"[a-b0-9=+:.\\/-]{0,24}") {
        if let Ok(Some(mix)) = parse_mix(&text) {
            prop_assert!(!mix.parts.is_empty());
            prop_assert!(mix.parts.iter().all(|part| !part.adapter.is_empty() && part.weight.is_finite()));
        }
    }

    #[test]
    fn an_escaped_mix_is_read_as_it_was_meant(
        name in r"\PC{1,8}",
        parts in vec((r"\PC{1,12}", -9.0f64..9.0), 1..4),
    ) {
        let escaped = |text: &str| {
            text.chars().flat_map(|c| "\\:+=".contains(c).then_some('\\').into_iter().chain([c])).collect::<String>()
        };
        let written: Vec<String> = parts.iter().map(|(path, weight)| format!("{}:{weight}", escaped(path))).collect();
        let mix = parse_mix(&format!("{}={}", escaped(&name), written.join("+"))).unwrap().unwrap();
        let read: Vec<(String, f64)> = mix.parts.into_iter().map(|part| (part.adapter, part.weight)).collect();
        prop_assert_eq!(mix.name, Some(name));
        prop_assert_eq!(read, parts);
    }
}
