//! The text of `adapter_config.json`.

use super::{LoraFolder, LoraTask, patterns::patterns};
use serde_json::{Map, Number, Value, json};

/// Every field that PEFT 0.21.2 writes, sorted by name as PEFT sorts them.
pub fn config(folder: &LoraFolder) -> Value {
    let choice = &folder.choice;
    let ranks: Vec<_> = folder
        .modules
        .iter()
        .map(|module| (module.name.as_str(), module.rank))
        .collect();
    let alphas: Vec<_> = folder
        .modules
        .iter()
        .map(|module| (module.name.as_str(), module.alpha))
        .collect();
    json!({
        "alora_invocation_tokens": null,
        "alpha_pattern": object(patterns(&alphas, folder.alpha), number),
        "arrow_config": null,
        "auto_mapping": null,
        "base_model_name_or_path": folder.base_model,
        "bias": "none",
        "corda_config": null,
        "ensure_weight_tying": false,
        "eva_config": null,
        "exclude_modules": null,
        "fan_in_fan_out": folder.fan_in_fan_out,
        "inference_mode": true,
        "init_lora_weights": true,
        "kasa_config": null,
        "layer_replication": null,
        "layers_pattern": choice.layers_pattern,
        "layers_to_transform": choice.layers_to_transform,
        "loftq_config": {},
        "lora_alpha": number(folder.alpha),
        "lora_bias": false,
        "lora_dropout": folder.dropout,
        "lora_ga_config": null,
        "megatron_config": null,
        "megatron_core": "megatron.core",
        "modules_to_save": modules_to_save(folder),
        "monteclora_config": null,
        "peft_type": "LORA",
        "peft_version": "0.21.2",
        "qalora_group_size": 16,
        "r": folder.rank,
        "rank_pattern": object(patterns(&ranks, folder.rank), Value::from),
        "revision": null,
        "target_modules": choice.target_modules,
        "target_parameters": null,
        "task_type": folder.task.name(),
        "trainable_token_indices": null,
        "use_bdlora": null,
        "use_dora": false,
        "use_qalora": false,
        "use_rslora": folder.use_rslora,
        "velora_config": null,
    })
}

impl LoraTask {
    /// PEFT's name of the task.
    pub fn name(self) -> &'static str {
        match self {
            LoraTask::CausalLm => "CAUSAL_LM",
            LoraTask::SequenceClassification => "SEQ_CLS",
        }
    }

    /// The heads that PEFT saves whole for the task, whatever `modules_to_save` says.
    pub fn heads(self) -> &'static [&'static str] {
        match self {
            LoraTask::CausalLm => &[],
            LoraTask::SequenceClassification => &["classifier", "score"],
        }
    }
}

fn modules_to_save(folder: &LoraFolder) -> Option<Vec<&str>> {
    let mut names: Vec<&str> = folder.modules_to_save.iter().map(String::as_str).collect();
    for head in folder.task.heads() {
        if !names.contains(head) {
            names.push(head);
        }
    }
    (!names.is_empty()).then_some(names)
}

fn object<T>(patterns: Vec<(String, T)>, value: impl Fn(T) -> Value) -> Value {
    let fields: Map<String, Value> = patterns
        .into_iter()
        .map(|(pattern, held)| (pattern, value(held)))
        .collect();
    Value::Object(fields)
}

/// A whole number as PEFT writes it, without a point; what is no number as null, which reading refuses.
fn number(value: f64) -> Value {
    // Below 2^53 every whole number is exact.
    if value.fract() == 0.0 && value.abs() < 9_007_199_254_740_992.0 {
        return (value as i64).into();
    }
    Number::from_f64(value).map_or(Value::Null, Value::Number)
}
