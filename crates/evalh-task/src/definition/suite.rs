//! A definition as a suite.

use super::{
    effective::Kind,
    form::{Definition, Form},
    open::Opening,
    source::{BuiltInFile, Place},
    template::Text,
};
use crate::{DataFiles, DataSource, Facts, Suite, Task, TaskError, TaskOptions, options::Extra};
use evalh_record::{Sha256, sha256_bytes};
use std::path::{Path, PathBuf};

/// A suite that a definition describes.
#[derive(Debug, Clone)]
pub struct DefinedSuite {
    definition: Definition,
    /// Of the definition's text.
    sha256: Sha256,
    origin: Origin,
}

#[derive(Debug, Clone)]
enum Origin {
    /// Part of the program, with these files where its data is too.
    BuiltIn(&'static [BuiltInFile]),
    /// A file of the user's, in this folder.
    Folder(PathBuf),
}

impl DefinedSuite {
    /// A suite of the program's own, with the files of its data where they are part of the program too.
    ///
    /// # Errors
    /// When the text is no definition.
    pub fn built_in(
        text: &str,
        file: &Path,
        data: &'static [BuiltInFile],
    ) -> Result<DefinedSuite, TaskError> {
        Self::new(text, file, Origin::BuiltIn(data))
    }

    /// A suite of the user's.
    ///
    /// # Errors
    /// When the file cannot be read or is no definition.
    pub fn read(path: &Path) -> Result<DefinedSuite, TaskError> {
        let text = std::fs::read_to_string(path).map_err(|source| TaskError::Read {
            path: path.to_owned(),
            source,
            remedy: "give a suite's definition, a TOML file in UTF-8 (docs/suite-format.md)".into(),
        })?;
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        Self::new(&text, path, Origin::Folder(folder.to_owned()))
    }

    fn new(text: &str, file: &Path, origin: Origin) -> Result<DefinedSuite, TaskError> {
        Ok(DefinedSuite {
            definition: Definition::parse(text, file)?,
            sha256: sha256_bytes(text.as_bytes()),
            origin,
        })
    }

    /// The same suite over one file, which its only layout then names.
    pub(crate) fn over(&self, file: &str) -> DefinedSuite {
        let mut suite = self.clone();
        for layout in &mut suite.definition.layouts {
            layout.items.file = Text::quoted(file);
        }
        suite
    }

    /// What it was read from.
    pub fn definition(&self) -> &Definition {
        &self.definition
    }

    /// Of the tasks their whole forms under a protocol.
    fn forms(&self, protocol: &str) -> Vec<Form> {
        let Some(base) = self.definition.protocols.get(protocol) else {
            return Vec::new();
        };
        let tasks = self.definition.all_tasks();
        tasks.iter().map(|task| task.form.over(base)).collect()
    }

    fn protocol_of(&self, options: &TaskOptions) -> Result<String, TaskError> {
        let name = options
            .protocol
            .as_deref()
            .unwrap_or(self.definition.default_name());
        if self.definition.protocols.contains_key(name) {
            return Ok(name.to_owned());
        }
        let known: Vec<&str> = self.protocols();
        Err(TaskError::Setting {
            suite: self.definition.name.clone(),
            setting: "protocol",
            problem: format!("`{name}` is unknown"),
            remedy: format!("choose one of: {}", known.join(", ")),
        })
    }

    /// The settings that the protocol's tasks can honour.
    fn honoured(&self, forms: &[Form]) -> Vec<Extra> {
        let all = |is: fn(&Form) -> bool| forms.iter().all(is);
        let is_generated = |form: &Form| form.kind() == Kind::Generate;
        let extras = [
            (Extra::Tasks, self.definition.tasks.len() > 1),
            (Extra::Draw, true),
            (Extra::Shots, all(|form| form.shots.is_some())),
            (Extra::Chat, all(|form| form.kind() != Kind::Loss)),
            (Extra::Samples, all(is_generated)),
            (Extra::MaxNewTokens, all(is_generated)),
            (Extra::Window, all(|form| form.kind() == Kind::Loss)),
        ];
        let honoured = extras.into_iter().filter(|(_, is_honoured)| *is_honoured);
        honoured.map(|(extra, _)| extra).collect()
    }
}

impl Suite for DefinedSuite {
    fn name(&self) -> &str {
        &self.definition.name
    }

    fn description(&self) -> &str {
        &self.definition.description
    }

    fn data(&self) -> DataSource {
        match (&self.definition.artifact, &self.origin) {
            (Some(artifact), _) => DataSource::Artifact(artifact.clone()),
            (None, Origin::BuiltIn(_)) => DataSource::BuiltIn,
            (None, Origin::Folder(folder)) => DataSource::Folder(folder.clone()),
        }
    }

    fn facts(&self) -> Facts {
        let forms = self.forms(self.definition.default_name());
        let mut metrics: Vec<String> = Vec::new();
        for metric in forms.iter().flat_map(Form::metrics) {
            if !metrics.iter().any(|known| known == metric.name()) {
                metrics.push(metric.name().to_owned());
            }
        }
        Facts {
            split: self.definition.split.clone(),
            items: self.definition.stated_items(),
            metrics,
            shots: forms.iter().map(Form::shot_count).max().unwrap_or(0),
        }
    }

    fn protocols(&self) -> Vec<&str> {
        self.definition
            .protocols
            .keys()
            .map(String::as_str)
            .collect()
    }

    fn default_protocol(&self, _has_chat_template: bool) -> &str {
        self.definition.default_name()
    }

    fn honours(&self) -> Vec<Extra> {
        self.honoured(&self.forms(self.definition.default_name()))
    }

    fn counterpart(&self) -> Option<&str> {
        self.definition.counterpart.as_deref()
    }

    fn open(&self, data: &DataFiles, options: &TaskOptions) -> Result<Box<dyn Task>, TaskError> {
        let protocol = self.protocol_of(options)?;
        let forms = self.forms(&protocol);
        options.check(&self.definition.name, &self.honoured(&forms))?;
        let place = match self.origin {
            Origin::BuiltIn(files) if !files.is_empty() => Place::BuiltIn(files),
            _ => Place::Disk(data),
        };
        let opening = Opening {
            definition: &self.definition,
            sha256: &self.sha256,
            protocol,
            forms,
            options,
        };
        Ok(Box::new(opening.open(place)?))
    }
}
