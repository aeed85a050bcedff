//! Every field of `adapter_config.json`: honoured, neutral, or refused by name.
#![allow(clippy::float_cmp, reason = "the expected scales are exact")]

mod common;

use common::{Folder, assert_refused, config, config_with, model, tensors};
use evalh_adapter::{AdapterError, LoraConfig, ModuleKind, TrainedBias};
use serde_json::{Value, json};
use std::path::Path;

fn read(config: &Value) -> Result<LoraConfig, AdapterError> {
    LoraConfig::from_json(
        Path::new("adapter_config.json"),
        config.to_string().as_bytes(),
    )
}

const Q0: &str = "model.layers.0.self_attn.q_proj";
const UP1: &str = "model.layers.1.mlp.up_proj";

#[test]
fn all_neutral_defaults_of_peft_are_accepted() {
    let config = read(&config()).unwrap();
    assert_eq!(
        (config.rank(), config.use_rslora(), config.base_model()),
        (2, false, Some("someone/base"))
    );
    assert_eq!(config.scale_of(Q0), 4.0);
}

#[test]
fn every_switch_that_is_not_honoured_is_refused_by_name() {
    let cases = [
        ("trainable_token_indices", json!([1, 2])),
        ("alora_invocation_tokens", json!([5])),
        ("layer_replication", json!([[0, 1], [0, 2]])),
        ("target_parameters", json!(["experts.gate_up_proj"])),
        ("megatron_config", json!({"tensor_model_parallel_size": 2})),
        ("kasa_config", json!({"beta": 1e-4})),
        ("use_qalora", json!(true)),
        ("use_bdlora", json!({"nblocks": 2})),
        ("arrow_config", json!({"top_k": 3})),
        ("init_lora_weights", json!("pissa")),
        ("init_lora_weights", json!("pissa_niter_16")),
        ("init_lora_weights", json!("olora")),
        ("init_lora_weights", json!("corda")),
        ("init_lora_weights", json!("loftq")),
        ("init_lora_weights", json!("lora_ga")),
        ("init_lora_weights", json!("something_new")),
        ("init_lora_weights", json!("kasa")),
        ("peft_type", json!("LOHA")),
        ("peft_type", json!("IA3")),
        ("peft_type", json!("PREFIX_TUNING")),
        ("peft_type", json!("ADALORA")),
        ("a_field_of_tomorrow", json!(3)),
        ("a_field_of_tomorrow", json!("on")),
    ];
    for (field, value) in cases {
        let quoted = format!("`{field}`");
        assert_refused(
            read(&config_with(json!({ field: value }))),
            &["adapter_config.json", &quoted, ";"],
        );
    }
}

#[test]
fn settings_of_the_training_alone_are_accepted() {
    let cases = [
        ("loftq_config", json!({"loftq_bits": 4})),
        ("eva_config", json!({"rho": 2.0})),
        ("corda_config", json!({"corda_method": "ipm"})),
        ("lora_ga_config", json!({"direction": "ArB2r"})),
        ("velora_config", json!({"num_groups": 8})),
        ("monteclora_config", json!({"num_samples": 8})),
        ("fan_in_fan_out", json!(true)),
    ];
    for (field, value) in cases {
        read(&config_with(json!({ field: value }))).unwrap();
    }
}

#[test]
fn switches_of_peft_are_honoured() {
    let config = read(&config_with(json!({"use_dora": true, "bias": "lora_only"}))).unwrap();
    assert_eq!(
        (config.use_dora(), config.bias()),
        (true, TrainedBias::LoraOnly)
    );
    let refused = read(&config_with(json!({"use_dora": true, "lora_bias": true})));
    assert_refused(refused, &["`lora_bias`", "use_dora"]);
}

#[test]
fn modules_that_are_saved_whole_are_not_adapted() {
    let config = read(&config_with(json!({"modules_to_save": ["1.mlp"]}))).unwrap();
    assert!(!config.selects(UP1) && config.selects("model.layers.0.mlp.up_proj"));
    assert!(config.saves("model.layers.1.mlp") && !config.saves("model.layers.1.mlp.up_proj"));
    let heads = read(&config_with(
        json!({"task_type": "SEQ_CLS", "target_modules": ["dense"]}),
    ))
    .unwrap();
    assert_eq!(heads.modules_to_save(), ["classifier", "score"]);
    assert!(!heads.selects("classifier.dense") && heads.selects("pooler.dense"));
}

#[test]
fn neutral_values_of_unknown_fields_are_accepted() {
    for value in [json!(null), json!(false), json!({}), json!([]), json!("")] {
        read(&config_with(json!({"a_field_of_tomorrow": value}))).unwrap();
    }
    for init in [
        json!(false),
        json!("gaussian"),
        json!("orthogonal"),
        json!("mica"),
        json!(null),
    ] {
        read(&config_with(json!({"init_lora_weights": init}))).unwrap();
    }
}

#[test]
fn parameters_of_a_switch_are_neutral_only_while_it_is_off() {
    read(&config_with(
        json!({"qalora_group_size": 32, "megatron_core": "megatron.core"}),
    ))
    .unwrap();
    let refused = read(&config_with(
        json!({"use_qalora": true, "qalora_group_size": 32}),
    ));
    assert_refused(refused, &["qalora"]);
}

#[test]
fn malformed_values_are_refused_by_name() {
    let cases = [
        ("r", json!(0)),
        ("r", json!(-1)),
        ("r", json!("8")),
        ("r", json!(null)),
        ("lora_alpha", json!("16")),
        ("use_rslora", json!("yes")),
        ("target_modules", json!(null)),
        ("target_modules", json!([1])),
        ("target_modules", json!({"q_proj": true})),
        ("exclude_modules", json!(4)),
        ("layers_to_transform", json!("0-3")),
        ("layers_to_transform", json!([0.5])),
        ("rank_pattern", json!(["q_proj"])),
        ("rank_pattern", json!({"q_proj": 0})),
        ("alpha_pattern", json!({"q_proj": "8"})),
        ("layers_pattern", json!(["layers"])),
        ("bias", json!("some")),
        ("bias", json!(true)),
        ("modules_to_save", json!("lm_head")),
        ("modules_to_save", json!(["(?=x)"])),
        ("task_type", json!(["SEQ_CLS"])),
        ("use_dora", json!("yes")),
        ("peft_type", json!(null)),
    ];
    for (field, value) in cases {
        assert_refused(
            read(&config_with(json!({ field: value }))),
            &["adapter_config.json", field],
        );
    }
}

#[test]
fn what_is_not_a_json_object_is_refused() {
    for text in ["", "[]", "{\"r\": NaN}", "{\"r\": 8,"] {
        let refused = Folder::raw(text.as_bytes(), &common::safetensors(&tensors())).open();
        assert_refused(refused, &["adapter_config.json", "save the adapter again"]);
    }
}

#[test]
fn a_list_matches_names_and_their_ends_after_a_dot() {
    let config = read(&config_with(
        json!({"target_modules": ["q_proj", "mlp.up_proj"]}),
    ))
    .unwrap();
    assert!(config.selects(Q0) && config.selects(UP1) && config.selects("q_proj"));
    assert!(
        !config.selects("model.layers.0.self_attn.eq_proj"),
        "a suffix begins at a dot"
    );
    assert!(!config.selects("model.layers.0.other.up_proj"));
}

#[test]
fn an_expression_has_to_match_the_whole_name() {
    let config = read(&config_with(json!({"target_modules": r".*\.(q|up)_proj"}))).unwrap();
    assert!(config.selects(Q0) && config.selects(UP1));
    let prefix = read(&config_with(json!({"target_modules": r"model\.layers"}))).unwrap();
    assert!(!prefix.selects(Q0));
    let alternatives = read(&config_with(
        json!({"target_modules": r"a|model\..*q_proj"}),
    ))
    .unwrap();
    assert!(alternatives.selects(Q0) && !alternatives.selects("a.b"));
}

#[test]
fn expressions_that_mean_something_else_in_python_are_refused_with_the_construct() {
    let cases = [
        (r"(?!model)q_proj", "look-around"),
        (r"(?<=layers\.)0", "look-around"),
        (r"(q|k)_\1", "backreferences"),
        (r"[[a]q_proj", "within a set"),
        (r"[a&&b]", "within a set"),
        (r"\p{L}+", "Unicode property"),
        (r"(", "unclosed group"),
        (r"a)|(b", "unopened group"),
    ];
    for (pattern, construct) in cases {
        assert_refused(
            read(&config_with(json!({"target_modules": pattern}))),
            &["`target_modules`", pattern, construct],
        );
        assert_refused(
            read(&config_with(json!({"rank_pattern": {pattern: 4}}))),
            &["`rank_pattern.", construct],
        );
    }
}

#[test]
fn all_linear_leaves_out_the_output_head_and_embeddings() {
    for name in ["all-linear", "ALL-LINEAR"] {
        let config = read(&config_with(json!({"target_modules": name}))).unwrap();
        let mut layout = model();
        layout.modules[1].kind = ModuleKind::Embedding;
        let selected: Vec<bool> = layout
            .modules
            .iter()
            .map(|module| config.selects_in(&layout, module, &module.name))
            .collect();
        assert_eq!(selected, [true, false, true, true, false]);
    }
}

#[test]
fn exclusion_comes_first() {
    let list = read(&config_with(json!({"exclude_modules": ["1.mlp.up_proj"]}))).unwrap();
    assert!(list.selects("model.layers.0.mlp.up_proj") && !list.selects(UP1));
    let expression = read(&config_with(json!({"exclude_modules": r".*\.1\..*"}))).unwrap();
    assert!(expression.selects(Q0) && !expression.selects(UP1));
    let exact = read(&config_with(
        json!({"target_modules": [UP1], "exclude_modules": [UP1]}),
    ))
    .unwrap();
    assert!(!exact.selects(UP1));
}

#[test]
fn layers_restrict_suffixes_but_not_exact_names() {
    let one = read(&config_with(json!({"layers_to_transform": 1}))).unwrap();
    assert!(one.selects(UP1) && !one.selects(Q0));
    let list = read(&config_with(json!({"layers_to_transform": [0, 7]}))).unwrap();
    assert!(list.selects(Q0) && !list.selects(UP1));
    let none = read(&config_with(json!({"layers_to_transform": []}))).unwrap();
    assert!(none.selects(Q0) && none.selects(UP1));
    let exact = read(&config_with(
        json!({"target_modules": [UP1], "layers_to_transform": [0]}),
    ))
    .unwrap();
    assert!(exact.selects(UP1), "as in PEFT");
}

#[test]
fn the_layer_index_is_the_first_number_or_that_after_the_pattern() {
    let moe = "model.layers.1.experts.0.q_proj";
    let first = read(&config_with(json!({"layers_to_transform": [1]}))).unwrap();
    assert!(first.selects(moe));
    assert!(
        !first.selects("layers.1.q_proj"),
        "PEFT wants two parts before the index"
    );
    let experts = read(&config_with(
        json!({"layers_to_transform": [0], "layers_pattern": ["blocks", "experts"]}),
    ))
    .unwrap();
    assert!(experts.selects(moe));
    let other = read(&config_with(
        json!({"layers_to_transform": [1], "layers_pattern": "h"}),
    ))
    .unwrap();
    assert!(!other.selects(moe) && other.selects("h.1.q_proj"));
}

#[test]
fn layers_do_not_go_with_an_expression() {
    let refused = read(&config_with(
        json!({"target_modules": ".*q_proj", "layers_to_transform": [0]}),
    ));
    assert_refused(refused, &["`layers_to_transform`", "as a list"]);
}

#[test]
fn patterns_give_a_module_its_own_rank_and_alpha() {
    let config = read(&config_with(json!({
        "rank_pattern": {"up_proj": 4, "model.layers.1.mlp.up_proj": 9, "^model.layers.1.self_attn.q_proj": 16},
        "alpha_pattern": {r"0\.self_attn\..*": 1.5},
    })))
    .unwrap();
    assert_eq!(
        config.rank_of(UP1),
        4,
        "the first pattern in the file's order counts"
    );
    assert_eq!(config.rank_of(Q0), 2);
    assert_eq!(
        config.rank_of("model.layers.1.self_attn.q_proj"),
        16,
        "`^` matches where no prefix does"
    );
    assert_eq!((config.alpha_of(Q0), config.alpha_of(UP1)), (1.5, 8.0));
    assert_eq!((config.scale_of(Q0), config.scale_of(UP1)), (0.75, 2.0));
}

#[test]
fn rank_stabilised_scale_divides_by_the_root() {
    let config = read(&config_with(json!({"use_rslora": true, "r": 16}))).unwrap();
    assert_eq!(config.scale_of(Q0), 2.0);
}
