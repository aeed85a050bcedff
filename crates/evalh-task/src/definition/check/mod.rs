//! A definition from a text, with everything checked that can be without data.

mod form;
mod names;
mod whole;

use super::{form::Definition, python};
use crate::TaskError;
use std::path::{Path, PathBuf};

impl Definition {
    /// Reads a definition; `file` is for messages.
    ///
    /// # Errors
    /// When the text is not TOML, has a field that is unknown or of the wrong kind, or does not make a suite: each message
    /// names file, field and remedy.
    pub fn parse(text: &str, file: &Path) -> Result<Definition, TaskError> {
        let definition: Definition = toml::from_str(text).map_err(|error| {
            let line = error.span().map(|span| {
                let before = text.get(..span.start).unwrap_or(text);
                1 + before.matches('\n').count()
            });
            TaskError::Toml {
                path: file.to_owned(),
                line: line.unwrap_or(1),
                problem: python::strip(error.message()).replace('\n', " "),
            }
        })?;
        definition.check(&Checked {
            file: file.to_owned(),
        })?;
        Ok(definition)
    }

    fn check(&self, file: &Checked) -> Result<(), TaskError> {
        self.check_names(file)?;
        self.check_layouts(file)?;
        for (name, form) in &self.protocols {
            form.check_parts(&file.at(format!("protocol.{name}")))?;
        }
        for task in &self.tasks {
            task.form
                .check_parts(&file.at(format!("task `{}`, form", task.name)))?;
        }
        for (name, form) in &self.protocols {
            for task in self.all_tasks() {
                let at = if self.tasks.is_empty() {
                    format!("protocol.{name}")
                } else {
                    format!("protocol.{name}, with task `{}`", task.name)
                };
                let form = task.form.over(form);
                form.check_whole(self.layouts_of(&task), &file.at(at))?;
            }
        }
        Ok(())
    }
}

/// The file that is checked.
struct Checked {
    file: PathBuf,
}

impl Checked {
    fn at(&self, part: String) -> Part<'_> {
        Part { file: self, part }
    }
}

/// A part of the file that is checked.
struct Part<'c> {
    file: &'c Checked,
    part: String,
}

impl Part<'_> {
    /// What is wrong with one of its fields; no field: with the part itself.
    fn fault(
        &self,
        field: &str,
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) -> TaskError {
        let dot = if field.is_empty() || self.part.is_empty() {
            ""
        } else {
            "."
        };
        TaskError::Definition {
            path: self.file.file.clone(),
            field: format!("{}{dot}{field}", self.part),
            problem: problem.into(),
            remedy: remedy.into(),
        }
    }

    fn refuse<T>(
        &self,
        field: &str,
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Result<T, TaskError> {
        Err(self.fault(field, problem, remedy))
    }
}
