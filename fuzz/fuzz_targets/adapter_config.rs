//! Any bytes as `adapter_config.json` and as the text of a mix: read, and asked about names.
//!
//! Seeds: `crates/evalh-adapter/tests/data/peft/*/adapter*/adapter_config.json`.
#![no_main]

use evalh_adapter::{LoraConfig, parse_mix};
use libfuzzer_sys::fuzz_target;
use std::path::Path;

const NAMES: [&str; 5] = [
    "model.layers.0.self_attn.q_proj",
    "model.layers.11.block_sparse_moe.experts.3.w1",
    "classifier.out_proj",
    "lm_head",
    "",
];

fuzz_target!(|bytes: &[u8]| {
    if let Ok(config) = LoraConfig::from_json(Path::new("adapter_config.json"), bytes) {
        for name in NAMES {
            let _ = (
                config.selects(name),
                config.saves(name),
                config.scale_of(name),
            );
            assert!(config.rank_of(name) > 0);
        }
    }
    if let Ok(text) = std::str::from_utf8(bytes)
        && let Ok(Some(mix)) = parse_mix(text)
    {
        assert!(!mix.parts.is_empty());
        for part in mix.parts {
            assert!(!part.adapter.is_empty() && part.weight.is_finite());
        }
    }
});
