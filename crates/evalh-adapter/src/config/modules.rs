//! The fields that say which modules are adapted.

use super::fields::{Fields, strings};
use crate::{
    AdapterError,
    select::{LayerChoice, ModuleSelection, NameSet, Targets, saved_module},
};
use serde_json::Value;

impl Fields<'_> {
    /// What `target_modules`, `exclude_modules`, `layers_to_transform` and `layers_pattern` select; modules that are
    /// saved whole are never adapted.
    pub fn selection(
        &mut self,
        modules_to_save: &[String],
    ) -> Result<ModuleSelection, AdapterError> {
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
        let saved = modules_to_save
            .iter()
            .map(|name| saved_module(name))
            .collect::<Result<_, _>>()
            .map_err(|problem| self.pattern_error("modules_to_save", &problem))?;
        Ok(ModuleSelection {
            targets,
            excluded,
            saved,
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
}

fn layer_indices(value: &Value) -> Option<Vec<i64>> {
    match value {
        Value::Array(items) => items.iter().map(Value::as_i64).collect(),
        _ => value.as_i64().map(|index| vec![index]),
    }
}
