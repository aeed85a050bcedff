//! A baseline on disk.

use super::{BASELINE_SCHEMA, Baseline, BaselineError, BaselineResult, SuiteItems};
use evalh_record::{Record, replace_file};
use serde_json::Value;
use std::{fs, io, path::Path};

impl Baseline {
    /// The baseline of a run folder, or of a file that [`Baseline::write`] wrote.
    ///
    /// # Errors
    /// When it cannot be read, or is neither.
    pub fn open(path: &Path) -> BaselineResult<Baseline> {
        if path.is_dir() {
            return Ok(Baseline::of(&Record::read(path)?));
        }
        let bytes = fs::read(path).map_err(|source| BaselineError::Read {
            path: path.to_owned(),
            source,
        })?;
        Baseline::parse(path, &bytes)
    }

    /// Parses a baseline; `path` is for messages.
    ///
    /// # Errors
    /// When the text is no baseline, one of another schema, or does not fit together.
    pub fn parse(path: &Path, text: &[u8]) -> BaselineResult<Baseline> {
        let damaged = |problem: String| BaselineError::Damaged {
            path: path.to_owned(),
            problem,
        };
        let value: Value = serde_json::from_slice(text).map_err(|e| damaged(e.to_string()))?;
        match value.get("schema").and_then(Value::as_u64) {
            Some(schema) if schema != u64::from(BASELINE_SCHEMA) => {
                return Err(BaselineError::Schema {
                    path: path.to_owned(),
                    schema,
                });
            }
            _ => {}
        }
        // From the text again, so that a message tells the line.
        let baseline: Baseline =
            serde_json::from_slice(text).map_err(|e| damaged(e.to_string()))?;
        baseline.check().map_err(damaged)?;
        Ok(baseline)
    }

    /// Writes the baseline to a file: the old file or the new one is there, whatever happens in between.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, path: &Path) -> BaselineResult<()> {
        let text = self.text().map_err(io::Error::from);
        let written = text.and_then(|text| replace_file(path, text.as_bytes()));
        written.map_err(|source| BaselineError::Write {
            path: path.to_owned(),
            source,
        })
    }

    /// The file's text: JSON in which objects take lines and rows of numbers do not, so that a commit's difference can be
    /// read.
    ///
    /// # Errors
    /// When something of it has no JSON.
    pub fn text(&self) -> serde_json::Result<String> {
        super::text::json(self)
    }

    /// Whether the parts fit together.
    fn check(&self) -> Result<(), String> {
        if let Some(row) = self.results.iter().find(|row| !row.value.is_finite()) {
            return Err(format!(
                "the {} of `{}` is no number",
                row.metric, row.suite
            ));
        }
        for suite in &self.suites {
            self.check_suite(suite)?;
        }
        Ok(())
    }

    fn check_suite(&self, items: &SuiteItems) -> Result<(), String> {
        let name = &items.suite;
        let settings = (self.settings.suites.iter())
            .find(|suite| suite.name == *name)
            .ok_or_else(|| format!("its settings have no suite `{name}`"))?;
        let asked = settings.tasks.iter().map(|task| &task.name);
        if !asked.eq(items.tasks.iter().map(|task| &task.task)) {
            return Err(format!(
                "the tasks of `{name}` are not those of its settings"
            ));
        }
        for task in &items.tasks {
            for scores in &task.scores {
                if scores.values.series(task.items).is_none() {
                    return Err(format!(
                        "`{name}`, task `{}`: the {} of `{}` are not the scores of {} items",
                        task.task, scores.metric, scores.variant, task.items
                    ));
                }
            }
        }
        Ok(())
    }
}
