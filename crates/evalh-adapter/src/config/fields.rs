//! The fields of `adapter_config.json`, taken out one by one and checked for their kind.

use super::table;
use crate::{AdapterError, select::PatternTable};
use serde_json::{Map, Value};
use std::path::Path;

/// The object, each field taken out as it is read.
pub struct Fields<'p> {
    path: &'p Path,
    map: Map<String, Value>,
}

impl<'p> Fields<'p> {
    /// The fields of a JSON object; `path` serves the messages.
    ///
    /// # Errors
    /// When the bytes are no JSON object.
    pub fn of(path: &'p Path, json: &[u8]) -> Result<Self, AdapterError> {
        let malformed = |problem: String| AdapterError::Json {
            path: path.to_owned(),
            problem,
        };
        match serde_json::from_slice(json) {
            Ok(Value::Object(map)) => Ok(Fields { path, map }),
            Ok(_) => Err(malformed("it is not a JSON object".into())),
            Err(error) => Err(malformed(error.to_string())),
        }
    }

    /// The refusal of a field.
    pub fn error(
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

    /// The refusal of a value of the wrong kind.
    pub fn malformed(&self, field: &str, value: &Value, wanted: &str) -> AdapterError {
        self.error(
            field,
            format!("is {}, not {wanted}", shown(value)),
            "write it as PEFT's save_pretrained does",
        )
    }

    /// Removes a field; null counts as absent.
    pub fn take(&mut self, field: &str) -> Option<Value> {
        self.map.remove(field).filter(|value| !value.is_null())
    }

    /// A positive integer that has to be there.
    pub fn rank(&mut self, field: &str) -> Result<usize, AdapterError> {
        let value = self.required(field)?;
        positive_integer(&value).ok_or_else(|| self.malformed(field, &value, "a positive integer"))
    }

    /// A number that has to be there.
    pub fn alpha(&mut self, field: &str) -> Result<f64, AdapterError> {
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

    /// True or false; absent is false.
    pub fn flag(&mut self, field: &str) -> Result<bool, AdapterError> {
        match self.take(field) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(flag),
            Some(value) => Err(self.malformed(field, &value, "true or false")),
        }
    }

    /// A text, if it is one, left in place.
    pub fn peek_text(&self, field: &str) -> Option<String> {
        self.map.get(field)?.as_str().map(str::to_owned)
    }

    /// A text, if it is there.
    pub fn text(&mut self, field: &str) -> Result<Option<String>, AdapterError> {
        match self.take(field) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(value) => Err(self.malformed(field, &value, "a text")),
        }
    }

    /// A list of names; absent is empty.
    pub fn names(&mut self, field: &str) -> Result<Vec<String>, AdapterError> {
        match self.take(field) {
            None => Ok(Vec::new()),
            Some(value) => {
                strings(&value).ok_or_else(|| self.malformed(field, &value, "a list of names"))
            }
        }
    }

    /// Whether a field is there with a value that is not empty, left in place.
    pub fn is_set(&self, field: &str) -> bool {
        self.map.get(field).is_some_and(|value| !is_neutral(value))
    }

    /// Refuses what is left, unless it is neutral by name or by value.
    pub fn finish(mut self) -> Result<(), AdapterError> {
        for (field, _) in table::NEUTRAL {
            self.map.remove(*field);
        }
        match self.map.iter().find(|(_, value)| !is_neutral(value)) {
            None => Ok(()),
            Some((field, value)) => {
                let (meaning, remedy) = table::explain(field);
                Err(self.error(field, format!("is {}: it {meaning}", shown(value)), remedy))
            }
        }
    }

    /// The refusal of an expression.
    pub fn pattern_error(&self, field: &str, problem: &str) -> AdapterError {
        self.error(
            field,
            problem.to_owned(),
            "write the module names out, or use an expression without it",
        )
    }

    /// An object of values by pattern.
    pub fn pattern_table<T: Copy>(
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

/// A number that counts something.
pub fn positive_integer(value: &Value) -> Option<usize> {
    value
        .as_u64()
        .and_then(|number| usize::try_from(number).ok())
        .filter(|&number| number > 0)
}

/// A list of texts.
pub fn strings(value: &Value) -> Option<Vec<String>> {
    value
        .as_array()?
        .iter()
        .map(|item| item.as_str().map(str::to_owned))
        .collect()
}

/// The value as JSON, shortened so that a message stays one.
pub fn shown(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(60) {
        None => text,
        Some((end, _)) => format!("{}...", &text[..end]),
    }
}
