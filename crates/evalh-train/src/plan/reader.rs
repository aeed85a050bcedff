//! Tables of a plan, each with its known keys and its place for messages.

use super::{KeyFault, PlanError, PlanResult, value::Value};
use std::path::Path;
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

/// Below this likeness two names are not one misspelt.
const ALIKE: f64 = 0.75;

/// A plan's text.
#[derive(Clone, Copy)]
pub(super) struct Source<'t> {
    /// The file, for messages.
    pub path: &'t Path,
    /// Its text.
    pub text: &'t str,
}

impl Source<'_> {
    /// The line of a place in the text, from 1.
    pub fn line(&self, at: usize) -> usize {
        1 + self
            .text
            .get(..at)
            .unwrap_or(self.text)
            .matches('\n')
            .count()
    }
}

/// One table. Keys that are not known are refused when it is made.
pub(super) struct Section<'t> {
    source: Source<'t>,
    /// How messages call it.
    place: String,
    line: usize,
    table: &'t DeTable<'t>,
}

impl<'t> Section<'t> {
    /// A table with these known keys.
    pub fn new(
        source: Source<'t>,
        place: String,
        line: usize,
        table: &'t DeTable<'t>,
        known: &[&str],
    ) -> PlanResult<Section<'t>> {
        let section = Section {
            source,
            place,
            line,
            table,
        };
        let keys = table.keys().map(|key| (key.span().start, key.get_ref()));
        let mut unknown: Vec<_> = keys
            .filter(|(_, key)| !known.contains(&key.as_ref()))
            .collect();
        unknown.sort_unstable();
        match unknown.first() {
            Some((at, key)) => Err(section.error(
                source.line(*at),
                key,
                "is no key of this table".to_owned(),
                among(key, known),
            )),
            None => Ok(section),
        }
    }

    /// The place, for messages.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// The plan's text.
    pub fn source(&self) -> Source<'t> {
        self.source
    }

    /// The value of a key, where it is there.
    pub fn get(&self, key: &'static str) -> Option<Value<'t, '_>> {
        let (found, value) = self.table.iter().find(|(name, _)| name.get_ref() == key)?;
        Some(Value {
            section: self,
            key: key.to_owned(),
            line: self.source.line(found.span().start),
            toml: value.get_ref(),
        })
    }

    /// The value of a key, read, where it is there.
    pub fn optional<'s, T>(
        &'s self,
        key: &'static str,
        read: impl FnOnce(&Value<'t, 's>) -> PlanResult<T>,
    ) -> PlanResult<Option<T>> {
        self.get(key).as_ref().map(read).transpose()
    }

    /// The value of a key that must be there; `example` says how it is written.
    pub fn required<'s, T>(
        &'s self,
        key: &'static str,
        example: &str,
        read: impl FnOnce(&Value<'t, 's>) -> PlanResult<T>,
    ) -> PlanResult<T> {
        match self.optional(key, read)? {
            Some(value) => Ok(value),
            None => Err(self.missing(key, example)),
        }
    }

    /// The error of a key that must be there.
    pub fn missing(&self, key: &str, example: &str) -> PlanError {
        self.error(
            self.line,
            key,
            "is missing".to_owned(),
            format!("write it, such as {example}"),
        )
    }

    /// An error of a key, at its own line where it is there.
    pub fn wrong(
        &self,
        key: &'static str,
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) -> PlanError {
        let line = self.get(key).map_or(self.line, |value| value.line);
        self.error(line, key, problem.into(), remedy.into())
    }

    pub(super) fn error(
        &self,
        line: usize,
        key: &str,
        problem: String,
        remedy: String,
    ) -> PlanError {
        PlanError::Key(Box::new(KeyFault {
            path: self.source.path.to_owned(),
            line,
            place: self.place.clone(),
            key: key.to_owned(),
            problem,
            remedy,
        }))
    }
}

/// The tables of a plan by their names, and the list of `[[arm]]`.
pub(super) struct Document<'t> {
    source: Source<'t>,
    whole: Section<'t>,
}

impl<'t> Document<'t> {
    /// The parsed text with these known tables.
    pub fn new(
        source: Source<'t>,
        parsed: &'t Spanned<DeTable<'t>>,
        known: &[&str],
    ) -> PlanResult<Document<'t>> {
        let whole = Section::new(source, "the plan".to_owned(), 1, parsed.get_ref(), known)?;
        Ok(Document { source, whole })
    }

    /// A table with its known keys, where it is there.
    pub fn table(&self, name: &'static str, known: &[&str]) -> PlanResult<Option<Section<'t>>> {
        let Some(value) = self.whole.get(name) else {
            return Ok(None);
        };
        match value.toml {
            DeValue::Table(table) => {
                let place = format!("[{name}]");
                Section::new(self.source, place, value.line, table, known).map(Some)
            }
            _ => Err(self.whole.wrong(
                name,
                "is not a table",
                format!("write [{name}] on a line of its own"),
            )),
        }
    }

    /// A table that must be there.
    pub fn required(
        &self,
        name: &'static str,
        known: &[&str],
        example: &str,
    ) -> PlanResult<Section<'t>> {
        match self.table(name, known)? {
            Some(section) => Ok(section),
            None => Err(self
                .whole
                .missing(name, &format!("[{name}] with {example}"))),
        }
    }

    /// The tables of a list, each with its known keys and called by its `name`.
    pub fn list(&self, name: &'static str, known: &[&str]) -> PlanResult<Vec<Section<'t>>> {
        let remedy = || format!("write [[{name}]] on a line of its own, once for each");
        let Some(value) = self.whole.get(name) else {
            return Err(self.whole.wrong(name, "is missing", remedy()));
        };
        let wrong = || self.whole.wrong(name, "is not a list of tables", remedy());
        let DeValue::Array(entries) = value.toml else {
            return Err(wrong());
        };
        let sections = entries.iter().enumerate().map(|(at, entry)| {
            let DeValue::Table(table) = entry.get_ref() else {
                return Err(wrong());
            };
            let named = table.iter().find(|(key, _)| key.get_ref() == "name");
            let called = named
                .and_then(|(_, value)| value.get_ref().as_str())
                .map_or_else(|| format!("{}", at + 1), |called| format!("`{called}`"));
            let line = self.source.line(entry.span().start);
            Section::new(
                self.source,
                format!("[[{name}]] {called}"),
                line,
                table,
                known,
            )
        });
        sections.collect()
    }
}

/// What there is, with the nearest first: "did you mean `rank`? there are rank, alpha".
pub(super) fn among(name: &str, known: &[&str]) -> String {
    let wanted = name.to_lowercase();
    let nearest = known
        .iter()
        .map(|known| (strsim::jaro_winkler(&wanted, known), known))
        .filter(|(likeness, _)| *likeness >= ALIKE)
        .max_by(|(a, _), (b, _)| a.total_cmp(b));
    let all = format!("there are {}", known.join(", "));
    match nearest {
        Some((_, nearest)) => format!("did you mean `{nearest}`? {all}"),
        None => all,
    }
}
