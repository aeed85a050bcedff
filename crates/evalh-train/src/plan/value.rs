//! Values of a plan's keys, read as what they must be.

use super::{
    PlanError, PlanResult,
    reader::{Section, among},
};
use serde_json::Value as Json;
use std::path::PathBuf;
use toml::de::{DeInteger, DeValue};

/// A key's value with its place for messages.
pub(super) struct Value<'t, 's> {
    pub section: &'s Section<'t>,
    pub key: String,
    pub line: usize,
    pub toml: &'t DeValue<'t>,
}

impl<'t, 's> Value<'t, 's> {
    /// An error of this value.
    pub fn wrong(&self, problem: impl Into<String>, remedy: impl Into<String>) -> PlanError {
        self.section
            .error(self.line, &self.key, problem.into(), remedy.into())
    }

    fn not(&self, what: &str, example: &str) -> PlanError {
        self.wrong(
            format!("is not {what}"),
            format!("write {what}, such as {} = {example}", self.key),
        )
    }

    /// Text that is not empty.
    pub fn text(&self) -> PlanResult<String> {
        match self.toml.as_str().filter(|text| !text.trim().is_empty()) {
            Some(text) => Ok(text.to_owned()),
            None => Err(self.not("a text in quotes", "\"...\"")),
        }
    }

    /// True or false.
    pub fn flag(&self) -> PlanResult<bool> {
        self.toml
            .as_bool()
            .ok_or_else(|| self.not("true or false", "true"))
    }

    /// A whole number of at least 0.
    pub fn whole(&self) -> PlanResult<u64> {
        let found = self.toml.as_integer().and_then(integer);
        found.ok_or_else(|| self.not("a whole number of 0 or more", "1"))
    }

    /// A whole number of at least 1.
    pub fn count(&self) -> PlanResult<u64> {
        let found = self.toml.as_integer().and_then(integer);
        found
            .filter(|count| *count > 0)
            .ok_or_else(|| self.not("a whole number of 1 or more", "1"))
    }

    /// A whole number of at least 1, as a size.
    pub fn size(&self) -> PlanResult<usize> {
        let count = self.count()?;
        usize::try_from(count).map_err(|_| self.not("a number that this machine can count to", "1"))
    }

    /// A finite number, whole or not.
    pub fn number(&self) -> PlanResult<f64> {
        let found = match self.toml {
            DeValue::Integer(whole) => signed(whole).map(|whole| whole as f64),
            DeValue::Float(float) => float.as_str().replace('_', "").parse().ok(),
            _ => None,
        };
        found
            .filter(|number: &f64| number.is_finite())
            .ok_or_else(|| self.not("a number", "0.1"))
    }

    /// A number above 0.
    pub fn positive(&self) -> PlanResult<f64> {
        let number = self.number()?;
        if number > 0.0 {
            Ok(number)
        } else {
            Err(self.not("a number above 0", "0.1"))
        }
    }

    /// A number of at least 0.
    pub fn not_negative(&self) -> PlanResult<f64> {
        let number = self.number()?;
        if number >= 0.0 {
            Ok(number)
        } else {
            Err(self.not("a number of 0 or more", "0.1"))
        }
    }

    /// A number of at least 0 and below 1.
    pub fn fraction(&self) -> PlanResult<f64> {
        let number = self.number()?;
        if (0.0..1.0).contains(&number) {
            Ok(number)
        } else {
            Err(self.not("a number of 0 or more and below 1", "0.1"))
        }
    }

    /// A share in percent, `"50%"`, as a number above 0 and at most 1.
    pub fn share(&self) -> PlanResult<f64> {
        let text = self.toml.as_str().and_then(|text| text.strip_suffix('%'));
        let percent = text.and_then(|text| text.trim().parse::<f64>().ok());
        percent
            .filter(|percent| *percent > 0.0 && *percent <= 100.0)
            .map(|percent| percent / 100.0)
            .ok_or_else(|| self.not("a share above 0 % and up to 100 %", "\"50%\""))
    }

    /// A file or folder; a relative one is taken from the plan's folder.
    pub fn path(&self) -> PlanResult<PathBuf> {
        let text = self.text()?;
        let here = self.section.source().path.parent();
        Ok(here.map_or_else(|| PathBuf::from(&text), |here| here.join(&text)))
    }

    /// One of some names.
    pub fn one_of<T: Copy>(&self, names: &[(&str, T)]) -> PlanResult<T> {
        let known: Vec<&str> = names.iter().map(|(name, _)| *name).collect();
        let given = self.toml.as_str();
        let found = names.iter().find(|(name, _)| Some(*name) == given);
        found.map(|(_, value)| *value).ok_or_else(|| {
            self.wrong(
                given.map_or_else(
                    || "is not a name in quotes".to_owned(),
                    |given| format!("has no \"{given}\""),
                ),
                among(given.unwrap_or_default(), &known),
            )
        })
    }

    /// The values of a list that is not empty.
    pub fn list(&self) -> PlanResult<Vec<Value<'t, 's>>> {
        match self.toml {
            DeValue::Array(entries) if !entries.is_empty() => Ok(entries
                .iter()
                .enumerate()
                .map(|(at, entry)| Value {
                    section: self.section,
                    key: format!("{}[{at}]", self.key),
                    line: self.section.source().line(entry.span().start),
                    toml: entry.get_ref(),
                })
                .collect()),
            _ => Err(self.wrong(
                "is not a list with something in it",
                format!("write {} = [..., ...]", self.key),
            )),
        }
    }

    /// The texts of a list that is not empty, each once.
    pub fn texts(&self) -> PlanResult<Vec<String>> {
        let mut texts = Vec::new();
        for entry in self.list()? {
            let text = entry.text()?;
            if texts.contains(&text) {
                return Err(entry.wrong(format!("repeats \"{text}\""), "name each once"));
            }
            texts.push(text);
        }
        Ok(texts)
    }

    /// A table in braces with its known keys.
    pub fn table(&self, known: &[&str]) -> PlanResult<Section<'t>> {
        match self.toml {
            DeValue::Table(table) => {
                let place = format!("{}, {}", self.section.place(), self.key);
                Section::new(self.section.source(), place, self.line, table, known)
            }
            _ => Err(self.wrong(
                "is not a table",
                format!(
                    "write {} = {{ {} = ... }}",
                    self.key,
                    known.join(" = ..., ")
                ),
            )),
        }
    }

    /// The entries of a table whose keys are names of the user's.
    pub fn entries(&self) -> PlanResult<Vec<(String, Value<'t, 's>)>> {
        match self.toml {
            DeValue::Table(table) if !table.is_empty() => Ok(table
                .iter()
                .map(|(key, value)| {
                    let name = key.get_ref().to_string();
                    let value = Value {
                        section: self.section,
                        key: format!("{}.{name}", self.key),
                        line: self.section.source().line(key.span().start),
                        toml: value.get_ref(),
                    };
                    (name, value)
                })
                .collect()),
            _ => Err(self.wrong(
                "is not a table with something in it",
                format!("write {} = {{ NAME = VALUE }}", self.key),
            )),
        }
    }

    /// A single value as a word of a command line.
    pub fn word(&self) -> PlanResult<String> {
        match self.toml {
            DeValue::String(_) => self.text(),
            DeValue::Integer(whole) => {
                let whole = signed(whole).ok_or_else(|| self.not("a number", "1"))?;
                Ok(whole.to_string())
            }
            DeValue::Float(_) => Ok(Json::from(self.number()?).to_string()),
            DeValue::Boolean(_) | DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => {
                Err(self.not("a text or a number", "1"))
            }
        }
    }
}

fn signed(whole: &DeInteger<'_>) -> Option<i64> {
    i64::from_str_radix(&whole.as_str().replace('_', ""), whole.radix()).ok()
}

fn integer(whole: &DeInteger<'_>) -> Option<u64> {
    signed(whole).and_then(|whole| u64::try_from(whole).ok())
}
