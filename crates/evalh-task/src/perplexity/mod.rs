//! The loss of texts of the user's own: held-out text, in whole windows or strided ones.
//!
//! It is a suite of the definition's form (`datasets/tasks/perplexity.toml`) over whichever file the user names.

use crate::{
    DataFiles, DataSource, Extra, Facts, Suite, Task, TaskError, TaskOptions,
    definition::DefinedSuite,
};
use std::path::{Path, PathBuf};

/// Endings of the files that it reads: a text as a whole, rows of texts, and either compressed.
const ENDINGS: [&str; 7] = ["txt", "jsonl", "json", "csv", "tsv", "parquet", "gz"];

/// The suite `perplexity`.
#[derive(Debug)]
pub struct Perplexity(DefinedSuite);

impl Perplexity {
    /// The suite, over no file yet.
    pub fn new() -> Perplexity {
        let text = include_str!("../../../../datasets/tasks/perplexity.toml");
        match DefinedSuite::built_in(text, Path::new("datasets/tasks/perplexity.toml"), &[]) {
            Ok(suite) => Perplexity(suite),
            // the text is a constant of the program, and a test reads it
            Err(error) => unreachable!("{error}"),
        }
    }
}

impl Suite for Perplexity {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn description(&self) -> &str {
        self.0.description()
    }

    fn data(&self) -> DataSource {
        DataSource::User
    }

    fn facts(&self) -> Facts {
        self.0.facts()
    }

    fn protocols(&self) -> Vec<&str> {
        self.0.protocols()
    }

    fn default_protocol(&self, has_chat_template: bool) -> &str {
        self.0.default_protocol(has_chat_template)
    }

    fn honours(&self) -> Vec<Extra> {
        self.0.honours()
    }

    fn open(&self, data: &DataFiles, options: &TaskOptions) -> Result<Box<dyn Task>, TaskError> {
        let fault = |problem: &str| TaskError::Data {
            path: data
                .files
                .first()
                .map_or_else(|| PathBuf::from("perplexity"), Clone::clone),
            problem: problem.to_owned(),
            remedy: "give one file of texts: .txt, .jsonl, .json, .csv, .tsv or .parquet".into(),
        };
        let [file] = data.files.as_slice() else {
            return Err(fault("it is not one file"));
        };
        if !file.is_file() {
            return Err(fault("it is no file"));
        }
        let name = file.file_name().and_then(|name| name.to_str());
        let name = name.ok_or_else(|| fault("its name is not UTF-8"))?;
        let ending = Path::new(name)
            .extension()
            .and_then(|ending| ending.to_str());
        if !ending.is_some_and(|ending| ENDINGS.contains(&ending)) {
            return Err(fault("its name does not end in a format's"));
        }
        self.0.over(name).open(data, options)
    }
}
