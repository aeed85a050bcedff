//! Reads the fields of `adapter_config.json`, each once; what is left must be neutral.

use super::{LoraConfig, refused};
use crate::{
    AdapterError,
    select::{LayerChoice, ModuleSelection, NameSet, PatternTable, Targets},
};
use serde_json::{Map, Value};
use std::path::Path;

/// Fields that describe the training or the file and change nothing in what the adapter computes.
const NEUTRAL: [&str; 10] = [
    "auto_mapping",
    "base_model_name_or_path",
    "inference_mode",
    "lora_dropout",
    // Read only with megatron_config and use_qalora, which are judged themselves.
    "megatron_core",
    "qalora_group_size",
    "peft_version",
    "revision",
    "runtime_config",
    "task_type",
];

/// Initialisations that leave the base weights as they are (PEFT 0.21.2, `LoraLayer.update_layer`).
const BASE_KEPT: [&str; 4] = ["gaussian", "eva", "orthogonal", "mica"];

/// Reads a configuration; see [`LoraConfig::from_json`].
pub fn read(path: &Path, json: &[u8]) -> Result<LoraConfig, AdapterError> {
    let malformed = |problem: String| AdapterError::Json {
        path: path.to_owned(),
        problem,
    };
    let value = serde_json::from_slice(json).map_err(|error| malformed(error.to_string()))?;
    let Value::Object(map) = value else {
        return Err(malformed("it is not a JSON object".into()));
    };
    let mut fields = Fields { path, map };

    fields.check_kind()?;
    let base_model = fields
        .map
        .get("base_model_name_or_path")
        .and_then(Value::as_str)
        .map(str::to_owned);
    let rank = fields.rank("r")?;
    let alpha = fields.alpha("lora_alpha")?;
    let use_rslora = fields.flag("use_rslora")?;
    let selection = fields.selection()?;
    let rank_pattern =
        fields.pattern_table("rank_pattern", positive_integer, "a positive integer")?;
    let alpha_pattern = fields.pattern_table("alpha_pattern", Value::as_f64, "a number")?;
    fields.check_init()?;
    fields.check_bias()?;
    fields.check_rest()?;

    Ok(LoraConfig {
        rank,
        alpha,
        use_rslora,
        base_model,
        selection,
        rank_pattern,
        alpha_pattern,
    })
}

struct Fields<'p> {
    path: &'p Path,
    map: Map<String, Value>,
}

impl Fields<'_> {
    fn error(
        &self,
        field: &str,
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) -> AdapterError {
        AdapterError::Field {
            path: self.path.to_owned(),
            field: field.to_owned(),
            problem: problem.into(),
            remedy: remedy.into(),
        }
    }

    fn malformed(&self, field: &str, value: &Value, wanted: &str) -> AdapterError {
        self.error(
            field,
            format!("is {}, not {wanted}", shown(value)),
            "write it as PEFT's save_pretrained does",
        )
    }

    /// Removes a field; null counts as absent.
    fn take(&mut self, field: &str) -> Option<Value> {
        self.map.remove(field).filter(|value| !value.is_null())
    }

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

    fn rank(&mut self, field: &str) -> Result<usize, AdapterError> {
        let value = self.required(field)?;
        positive_integer(&value).ok_or_else(|| self.malformed(field, &value, "a positive integer"))
    }

    fn alpha(&mut self, field: &str) -> Result<f64, AdapterError> {
        let value = self.required(field)?;
        value
            .as_f64()
            .ok_or_else(|| self.malformed(field, &value, "a number"))
    }

    fn required(&mut self, field: &str) -> Result<Value, AdapterError> {
        self.take(field).ok_or_else(|| {
            self.error(
                field,
                "is missing",
                "write it as PEFT's save_pretrained does",
            )
        })
    }

    fn flag(&mut self, field: &str) -> Result<bool, AdapterError> {
        match self.take(field) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(flag),
            Some(value) => Err(self.malformed(field, &value, "true or false")),
        }
    }

    fn selection(&mut self) -> Result<ModuleSelection, AdapterError> {
        let target = self.take("target_modules");
        let targets = match &target {
            None => {
                return Err(self.error(
                    "target_modules",
                    "is missing or null",
                    "write the names of the adapted modules, a regular expression, or \"all-linear\"",
                ));
            }
            Some(Value::String(text)) if text.eq_ignore_ascii_case("all-linear") => {
                Targets::AllLinear
            }
            Some(value) => Targets::Named(self.name_set("target_modules", value)?),
        };
        let excluded = match self.take("exclude_modules") {
            None => None,
            Some(value) => Some(self.name_set("exclude_modules", &value)?),
        };
        let layers = self.layers(matches!(target, Some(Value::String(_))))?;
        Ok(ModuleSelection {
            targets,
            excluded,
            layers,
        })
    }

    /// A full-match regular expression, or a list of names and suffixes.
    fn name_set(&self, field: &str, value: &Value) -> Result<NameSet, AdapterError> {
        match value {
            Value::String(pattern) => {
                NameSet::full_match(pattern).map_err(|problem| self.pattern_error(field, &problem))
            }
            _ => strings(value).map(NameSet::List).ok_or_else(|| {
                self.malformed(
                    field,
                    value,
                    "a regular expression or a list of module names",
                )
            }),
        }
    }

    fn pattern_error(&self, field: &str, problem: &str) -> AdapterError {
        self.error(
            field,
            problem.to_owned(),
            "write the module names out, or use an expression without it",
        )
    }

    fn layers(&mut self, target_is_expression: bool) -> Result<Option<LayerChoice>, AdapterError> {
        let indices = match self.take("layers_to_transform") {
            None => None,
            Some(value) => Some(layer_indices(&value).ok_or_else(|| {
                self.malformed(
                    "layers_to_transform",
                    &value,
                    "an integer or a list of integers",
                )
            })?),
        };
        let patterns = match self.take("layers_pattern") {
            None => Vec::new(),
            Some(Value::String(pattern)) if pattern.is_empty() => Vec::new(),
            Some(Value::String(pattern)) => vec![pattern],
            Some(value) => strings(&value).ok_or_else(|| {
                self.malformed("layers_pattern", &value, "a name or a list of names")
            })?,
        };
        let restricted = indices.as_ref().is_some_and(|indices| !indices.is_empty());
        if target_is_expression && (restricted || !patterns.is_empty()) {
            let field = if restricted {
                "layers_to_transform"
            } else {
                "layers_pattern"
            };
            return Err(self.error(
                field,
                "does not go with a target_modules that is a string",
                "write the layers into the expression, or target_modules as a list",
            ));
        }
        if !restricted && !patterns.is_empty() {
            return Err(self.error(
                "layers_pattern",
                "is there without layers_to_transform",
                "add the layers, or remove the pattern",
            ));
        }
        match indices {
            Some(indices) if restricted => LayerChoice::new(indices, &patterns)
                .map(Some)
                .map_err(|problem| self.pattern_error("layers_pattern", &problem)),
            _ => Ok(None),
        }
    }

    fn pattern_table<T: Copy>(
        &mut self,
        field: &str,
        read: impl Fn(&Value) -> Option<T>,
        wanted: &str,
    ) -> Result<PatternTable<T>, AdapterError> {
        let map = match self.take(field) {
            None => return Ok(PatternTable::default()),
            Some(Value::Object(map)) => map,
            Some(value) => return Err(self.malformed(field, &value, "an object of patterns")),
        };
        let mut table = PatternTable::default();
        for (pattern, value) in &map {
            let entry = format!("{field}.{pattern}");
            let number = read(value).ok_or_else(|| self.malformed(&entry, value, wanted))?;
            table
                .push(pattern, number)
                .map_err(|problem| self.pattern_error(&entry, &problem))?;
        }
        Ok(table)
    }

    fn check_init(&mut self) -> Result<(), AdapterError> {
        let remedy = "save the adapter converted to plain LoRA (save_pretrained with \
                      path_initial_model_for_weight_conversion), or merge it and evaluate the merged checkpoint";
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
                remedy,
            )),
        }
    }

    fn check_bias(&mut self) -> Result<(), AdapterError> {
        match self.take("bias") {
            None => Ok(()),
            Some(Value::String(bias)) if bias == "none" => Ok(()),
            Some(value) => Err(self.error(
                "bias",
                format!("is {}, and trained biases are not honoured", shown(&value)),
                "train with bias \"none\", or merge the adapter into its base with PEFT and evaluate the merged checkpoint",
            )),
        }
    }

    /// Refuses every remaining field that is neither neutral by name nor by value.
    fn check_rest(&mut self) -> Result<(), AdapterError> {
        for field in NEUTRAL {
            self.map.remove(field);
        }
        match self.map.iter().find(|(_, value)| !is_neutral(value)) {
            None => Ok(()),
            Some((field, value)) => {
                let (meaning, remedy) = refused::explain(field);
                Err(self.error(field, format!("is {}: it {meaning}", shown(value)), remedy))
            }
        }
    }
}

fn is_neutral(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.is_empty(),
        Value::String(text) => text.is_empty(),
        Value::Bool(true) | Value::Number(_) => false,
    }
}

fn positive_integer(value: &Value) -> Option<usize> {
    value
        .as_u64()
        .and_then(|number| usize::try_from(number).ok())
        .filter(|&number| number > 0)
}

fn strings(value: &Value) -> Option<Vec<String>> {
    value
        .as_array()?
        .iter()
        .map(|item| item.as_str().map(str::to_owned))
        .collect()
}

fn layer_indices(value: &Value) -> Option<Vec<i64>> {
    match value {
        Value::Array(items) => items.iter().map(Value::as_i64).collect(),
        _ => value.as_i64().map(|index| vec![index]),
    }
}

/// The value as JSON, shortened so that a message stays one.
fn shown(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(60) {
        None => text,
        Some((end, _)) => format!("{}...", &text[..end]),
    }
}
