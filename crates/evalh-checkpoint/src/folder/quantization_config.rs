//! `quantization_config` of `config.json`: what the weights were quantised with.

use crate::CheckpointError;
use serde_json::Value;
use std::path::Path;

/// Fields of bitsandbytes that say nothing which the tensors do not say, or nothing about their values: the types and
/// sizes of what is computed with them, what trains, and where.
const OF_NO_EFFECT: [&str; 9] = [
    "_load_in_4bit",
    "_load_in_8bit",
    "quant_method",
    "bnb_4bit_compute_dtype",
    "bnb_4bit_quant_storage",
    "llm_int8_enable_fp32_cpu_offload",
    "llm_int8_has_fp16_weight",
    "llm_int8_skip_modules",
    "llm_int8_threshold",
];

/// What the config says about 4-bit and 8-bit weights.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct QuantizationConfig {
    pub(super) four_bit: bool,
    pub(super) eight_bit: bool,
    /// `nf4` or `fp4`, where it is given.
    pub(super) quant_type: Option<String>,
    pub(super) double: Option<bool>,
}

impl QuantizationConfig {
    /// Reads the config of a checkpoint that was saved by bitsandbytes; `None` where it has none.
    pub(super) fn read(config: &Value, path: &Path) -> Result<Option<Self>, CheckpointError> {
        let refused = |field: String, found: String| {
            CheckpointError::Unsupported {
            path: path.to_owned(),
            field,
            found,
            supported:
                "bitsandbytes' NF4, FP4 and int8 are; take the full-precision checkpoint, or one of these"
                    .to_owned(),
        }
        };
        if !config["compression_config"].is_null() {
            return Err(refused(
                "compression_config".to_owned(),
                "set (compressed-tensors)".to_owned(),
            ));
        }
        let Value::Object(fields) = &config["quantization_config"] else {
            return match &config["quantization_config"] {
                Value::Null => Ok(None),
                other => Err(refused("quantization_config".to_owned(), other.to_string())),
            };
        };
        let mut read = Self::default();
        // Older configs say only how they were loaded.
        let method = fields.get("quant_method").and_then(Value::as_str);
        let flagged = ["load_in_4bit", "load_in_8bit"]
            .iter()
            .any(|flag| fields.get(*flag) == Some(&Value::Bool(true)));
        if method != Some("bitsandbytes") && !(method.is_none() && flagged) {
            return Err(refused(
                "quantization_config.quant_method".to_owned(),
                method.unwrap_or("missing").to_owned(),
            ));
        }
        for (field, value) in fields {
            let wrong = || refused(format!("quantization_config.{field}"), value.to_string());
            match field.as_str() {
                "load_in_4bit" => read.four_bit = value.as_bool().ok_or_else(wrong)?,
                "load_in_8bit" => read.eight_bit = value.as_bool().ok_or_else(wrong)?,
                "bnb_4bit_quant_type" => {
                    read.quant_type = Some(value.as_str().ok_or_else(wrong)?.to_owned());
                }
                "bnb_4bit_use_double_quant" => {
                    read.double = Some(value.as_bool().ok_or_else(wrong)?);
                }
                known if OF_NO_EFFECT.contains(&known) => {}
                _ if value.is_null() => {}
                _ => return Err(wrong()),
            }
        }
        Ok(Some(read))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(config: &Value) -> Result<Option<QuantizationConfig>, String> {
        QuantizationConfig::read(config, Path::new("config.json")).map_err(|e| e.to_string())
    }

    #[test]
    fn what_transformers_writes_is_read() {
        let config = json!({"quantization_config": {
            "_load_in_4bit": true, "_load_in_8bit": false, "bnb_4bit_compute_dtype": "float32",
            "bnb_4bit_quant_storage": "uint8", "bnb_4bit_quant_type": "nf4", "bnb_4bit_use_double_quant": true,
            "llm_int8_enable_fp32_cpu_offload": false, "llm_int8_has_fp16_weight": false,
            "llm_int8_skip_modules": null, "llm_int8_threshold": 6.0, "load_in_4bit": true, "load_in_8bit": false,
            "quant_method": "bitsandbytes"}});
        let found = read(&config).unwrap().unwrap();
        assert_eq!(
            (
                found.four_bit,
                found.eight_bit,
                found.quant_type.as_deref(),
                found.double
            ),
            (true, false, Some("nf4"), Some(true))
        );
        assert_eq!(read(&json!({"quantization_config": null})), Ok(None));
        assert!(
            read(&json!({"quantization_config": {"load_in_8bit": true}}))
                .unwrap()
                .unwrap()
                .eight_bit
        );
    }

    #[test]
    fn other_methods_and_fields_are_refused_by_name() {
        for (config, words) in [
            (
                json!({"quantization_config": {"quant_method": "gptq", "bits": 4}}),
                "quantization_config.quant_method is gptq",
            ),
            (
                json!({"quantization_config": {"quant_method": "awq"}}),
                "is awq",
            ),
            (
                json!({"quantization_config": {"quant_method": "fp8"}}),
                "is fp8",
            ),
            (json!({"quantization_config": {"bits": 4}}), "is missing"),
            (
                json!({"quantization_config": "int4"}),
                "quantization_config is \"int4\"",
            ),
            (
                json!({"compression_config": {}}),
                "compression_config is set",
            ),
            (
                json!({"quantization_config": {"quant_method": "bitsandbytes", "bnb_3bit": true}}),
                "quantization_config.bnb_3bit is true",
            ),
            (
                json!({"quantization_config": {"quant_method": "bitsandbytes", "load_in_4bit": 1}}),
                "load_in_4bit is 1",
            ),
        ] {
            let error = read(&config).unwrap_err();
            assert!(
                error.contains(words) && error.contains("take the full-precision checkpoint"),
                "{words} in {error}"
            );
        }
    }
}
