//! Reads a configuration, field by field.

use super::{
    LoraConfig, TrainedBias,
    fields::{Fields, positive_integer, shown},
};
use crate::AdapterError;
use serde_json::Value;
use std::path::Path;

/// Initialisations that leave the base weights as they are (PEFT 0.21.2, `LoraLayer.update_layer`).
const BASE_KEPT: [&str; 4] = ["gaussian", "eva", "orthogonal", "mica"];

/// Reads a configuration; see [`LoraConfig::from_json`].
pub fn read(path: &Path, json: &[u8]) -> Result<LoraConfig, AdapterError> {
    let mut fields = Fields::of(path, json)?;
    fields.check_kind()?;
    let base_model = fields.peek_text("base_model_name_or_path");
    let task = fields.text("task_type")?;
    let mut modules_to_save = fields.names("modules_to_save")?;
    for head in heads(task.as_deref()) {
        if !modules_to_save.iter().any(|name| name == head) {
            modules_to_save.push((*head).to_owned());
        }
    }
    let training_state = fields.is_set("velora_config") || fields.is_set("monteclora_config");
    let config = LoraConfig {
        rank: fields.rank("r")?,
        alpha: fields.alpha("lora_alpha")?,
        use_rslora: fields.flag("use_rslora")?,
        use_dora: fields.flag("use_dora")?,
        lora_bias: fields.flag("lora_bias")?,
        bias: fields.bias()?,
        ensure_weight_tying: fields.flag("ensure_weight_tying")?,
        training_state,
        base_model,
        task,
        selection: fields.selection(&modules_to_save)?,
        modules_to_save,
        rank_pattern: fields.pattern_table(
            "rank_pattern",
            positive_integer,
            "a positive integer",
        )?,
        alpha_pattern: fields.pattern_table("alpha_pattern", Value::as_f64, "a number")?,
    };
    if config.use_dora && config.lora_bias {
        return Err(fields.error(
            "lora_bias",
            "is on together with use_dora, which PEFT does not allow",
            "give the configuration that PEFT saved",
        ));
    }
    fields.check_init()?;
    fields.finish()?;
    Ok(config)
}

/// The heads that `PeftModelForSequenceClassification`, `...TokenClassification` and `...QuestionAnswering` add to
/// `modules_to_save`.
fn heads(task: Option<&str>) -> &'static [&'static str] {
    match task {
        Some("SEQ_CLS" | "TOKEN_CLS") => &["classifier", "score"],
        Some("QUESTION_ANS") => &["qa_outputs"],
        _ => &[],
    }
}

impl Fields<'_> {
    fn check_kind(&mut self) -> Result<(), AdapterError> {
        match self.take("peft_type") {
            Some(Value::String(kind)) if kind == "LORA" => Ok(()),
            Some(kind) => Err(self.error(
                "peft_type",
                format!("is {}, and only \"LORA\" is supported", shown(&kind)),
                "train a LoRA adapter, or merge this one into its base with PEFT and evaluate the merged checkpoint",
            )),
            None => Err(self.error(
                "peft_type",
                "is missing",
                "give an adapter that PEFT saved, whose configuration says \"peft_type\": \"LORA\"",
            )),
        }
    }

    fn bias(&mut self) -> Result<TrainedBias, AdapterError> {
        match self.take("bias") {
            None => Ok(TrainedBias::None),
            Some(value) => match value.as_str() {
                Some("none") => Ok(TrainedBias::None),
                Some("all") => Ok(TrainedBias::All),
                Some("lora_only") => Ok(TrainedBias::LoraOnly),
                _ => Err(self.malformed("bias", &value, "\"none\", \"all\" or \"lora_only\"")),
            },
        }
    }

    fn check_init(&mut self) -> Result<(), AdapterError> {
        match self.take("init_lora_weights") {
            None | Some(Value::Bool(_)) => Ok(()),
            Some(Value::String(init)) if BASE_KEPT.contains(&init.to_lowercase().as_str()) => {
                Ok(())
            }
            Some(value) => Err(self.error(
                "init_lora_weights",
                format!(
                    "is {}, an initialisation that changes the base weights or is unknown",
                    shown(&value)
                ),
                "save the adapter converted to plain LoRA (save_pretrained with path_initial_model_for_weight_conversion), \
                 or merge it and evaluate the merged checkpoint",
            )),
        }
    }
}
