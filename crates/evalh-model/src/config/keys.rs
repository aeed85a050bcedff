//! Reading a config's keys.

use crate::ModelError;
use serde_json::Value;

/// The keys of a config object, with errors that name them.
pub(crate) struct Keys<'a> {
    prefix: String,
    value: &'a Value,
    /// What the family's reference implementation takes for keys that are missing.
    defaults: &'static [(&'static str, usize)],
}

impl<'a> Keys<'a> {
    pub(crate) fn new(value: &'a Value) -> Self {
        Self {
            prefix: String::new(),
            value,
            defaults: &[],
        }
    }

    /// The keys of an object under `at`.
    pub(crate) fn nested<'b>(&self, at: &str, value: &'b Value) -> Keys<'b> {
        Keys {
            prefix: format!("{}{at}.", self.prefix),
            value,
            defaults: &[],
        }
    }

    /// The same keys, with values for sizes that are missing: nested configs are written without those that the
    /// reference implementation takes by itself.
    pub(crate) fn with_defaults(self, defaults: &'static [(&'static str, usize)]) -> Self {
        Self { defaults, ..self }
    }

    /// A key's value, unless it is missing or null.
    pub(crate) fn get(&self, key: &str) -> Option<&'a Value> {
        self.value.get(key).filter(|value| !value.is_null())
    }

    pub(crate) fn usize(&self, key: &str) -> Result<Option<usize>, ModelError> {
        self.read(key, "a whole number", |v| {
            v.as_u64().and_then(|n| usize::try_from(n).ok())
        })
    }

    /// A number that must be there.
    pub(crate) fn require(&self, key: &str) -> Result<usize, ModelError> {
        self.usize_or_default(key)?
            .ok_or_else(|| self.invalid(key, "it is missing"))
    }

    /// A number, or what the reference implementation takes where a nested config lacks it.
    pub(crate) fn usize_or_default(&self, key: &str) -> Result<Option<usize>, ModelError> {
        let default = || self.defaults.iter().find(|(name, _)| *name == key);
        Ok(self
            .usize(key)?
            .or_else(|| default().map(|(_, value)| *value)))
    }

    pub(crate) fn f32(&self, key: &str) -> Result<Option<f32>, ModelError> {
        self.read(key, "a number", |v| v.as_f64().map(|x| x as f32))
    }

    /// Whether the key is there, be it null: a null is said on purpose, and no default takes its place.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.value.get(key).is_some() || self.defaults.iter().any(|(name, _)| *name == key)
    }

    /// `sliding_window`, or `default` where there is no such key.
    pub(crate) fn window(&self, default: usize) -> Result<Option<usize>, ModelError> {
        let found = self.usize("sliding_window")?;
        Ok(found.or((!self.has("sliding_window")).then_some(default)))
    }

    /// A positive number that must be there.
    pub(crate) fn positive(&self, key: &str) -> Result<f32, ModelError> {
        match self.f32(key)? {
            Some(value) if value.is_finite() && value > 0.0 => Ok(value),
            Some(_) => Err(self.invalid(key, "it must be positive")),
            None => Err(self.invalid(key, "it is missing")),
        }
    }

    /// Numbers, one for each pair of rotated values.
    pub(crate) fn numbers(&self, key: &str) -> Result<Vec<f32>, ModelError> {
        self.read(key, "a list of numbers", |value| {
            let number = |v: &Value| v.as_f64().map(|v| v as f32).filter(|v| v.is_finite());
            value.as_array()?.iter().map(number).collect()
        })?
        .ok_or_else(|| self.invalid(key, "it is missing"))
    }

    /// A switch.
    pub(crate) fn switch(&self, key: &str) -> Result<Option<bool>, ModelError> {
        self.read(key, "true or false", Value::as_bool)
    }

    /// A switch; off where it is missing.
    pub(crate) fn flag(&self, key: &str) -> Result<bool, ModelError> {
        Ok(self.switch(key)?.unwrap_or(false))
    }

    /// Refuses a switch that is on.
    pub(crate) fn must_be_off(&self, key: &str, supported: &str) -> Result<(), ModelError> {
        match self.get(key) {
            Some(found) if found != &Value::Bool(false) => {
                Err(self.unsupported(key, found, supported))
            }
            _ => Ok(()),
        }
    }

    pub(crate) fn text(&self, key: &str) -> Result<Option<&'a str>, ModelError> {
        self.read(key, "a string", Value::as_str)
    }

    fn read<T>(
        &self,
        key: &str,
        kind: &str,
        f: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, ModelError> {
        match self.get(key) {
            None => Ok(None),
            Some(value) => f(value)
                .map(Some)
                .ok_or_else(|| self.invalid(key, &format!("{value} is not {kind}"))),
        }
    }

    pub(crate) fn invalid(&self, key: &str, problem: &str) -> ModelError {
        ModelError::Config {
            field: format!("{}{key}", self.prefix),
            problem: problem.to_owned(),
        }
    }

    pub(crate) fn unsupported(&self, key: &str, found: &Value, supported: &str) -> ModelError {
        ModelError::Unsupported {
            field: format!("{}{key}", self.prefix),
            found: found.to_string(),
            supported: supported.to_owned(),
        }
    }
}
