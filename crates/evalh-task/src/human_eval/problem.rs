//! The problems: a prompt, a reference solution, and tests.

use crate::{
    Program, TaskError,
    jsonl::{self, Line},
};
use evalh_record::{FileIdentity, sha256_bytes};
use std::{collections::HashMap, path::Path};

/// One problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Its id, `HumanEval/0`.
    pub task_id: String,
    /// Imports, signature and docstring, up to where the body begins. Its last newline is part of it.
    pub prompt: String,
    /// The function that the tests call.
    pub entry_point: String,
    /// A body that passes; a problem file of one's own may leave it out.
    pub canonical_solution: Option<String>,
    /// Defines `check(candidate)`.
    pub test: String,
}

impl Problem {
    /// The tests as they run: the definition of `check`, and its call (lm-eval's target; the reference harness's text).
    pub fn tests(&self) -> String {
        format!("{}\ncheck({})", self.test, self.entry_point)
    }

    /// The program of a completion of the prompt.
    pub fn completed(&self, completion: &str) -> Program {
        Program {
            code: format!("{}{completion}", self.prompt),
            tests: self.tests(),
            effort: 1,
        }
    }

    /// The program of the reference solution, which has to pass.
    pub fn canonical(&self) -> Option<Program> {
        self.canonical_solution
            .as_deref()
            .map(|solution| self.completed(solution))
    }

    fn read(path: &Path, line: &Line) -> Result<Problem, TaskError> {
        let canonical_solution = match line.fields.get("canonical_solution") {
            None => None,
            Some(_) => Some(line.text(path, "canonical_solution")?),
        };
        let problem = Problem {
            task_id: line.text(path, "task_id")?,
            prompt: line.text(path, "prompt")?,
            entry_point: line.text(path, "entry_point")?,
            canonical_solution,
            test: line.text(path, "test")?,
        };
        if problem.task_id.is_empty() {
            return Err(line.error(path, "field `task_id` is empty".into()));
        }
        if !is_python_name(&problem.entry_point) {
            return Err(line.error(
                path,
                format!(
                    "field `entry_point` is `{}`, not a Python name",
                    problem.entry_point
                ),
            ));
        }
        Ok(problem)
    }
}

/// A name, or names joined by dots.
fn is_python_name(text: &str) -> bool {
    text.split('.').all(|part| {
        let mut characters = part.chars();
        characters
            .next()
            .is_some_and(|first| first == '_' || first.is_alphabetic())
            && characters.all(|character| character == '_' || character.is_alphanumeric())
    })
}

/// All problems of a file, in its order, with distinct ids.
#[derive(Debug, Clone)]
pub struct Problems {
    all: Vec<Problem>,
    position: HashMap<String, usize>,
    identity: FileIdentity,
}

impl Problems {
    /// Reads a file of JSON Lines with the fields `task_id`, `prompt`, `entry_point`, `test` and mostly
    /// `canonical_solution`, unpacked where its name ends in `.gz`. Further fields have no effect on a score and are left.
    ///
    /// # Errors
    /// When the file cannot be read, a line is corrupt, an id occurs twice, or there is no problem in it.
    pub fn open(path: &Path) -> Result<Problems, TaskError> {
        Problems::parse(path, &jsonl::read_text(path)?)
    }

    /// Like [`Problems::open`], from the file's text; `path` is for messages and for the identity.
    ///
    /// # Errors
    /// When a line is corrupt, an id occurs twice, or there is no problem in it.
    pub fn parse(path: &Path, text: &str) -> Result<Problems, TaskError> {
        let mut all = Vec::new();
        let mut position = HashMap::new();
        for line in jsonl::lines(path, text) {
            let line = line?;
            let problem = Problem::read(path, &line)?;
            if position
                .insert(problem.task_id.clone(), all.len())
                .is_some()
            {
                return Err(line.error(
                    path,
                    format!("field `task_id` repeats `{}`", problem.task_id),
                ));
            }
            all.push(problem);
        }
        if all.is_empty() {
            return Err(TaskError::Data {
                path: path.to_owned(),
                problem: "it holds no problem".into(),
                remedy: "give a file with one problem a line, or fetch it again".into(),
            });
        }
        Ok(Problems {
            all,
            position,
            identity: identity(path, text),
        })
    }

    /// The problems in the file's order; never empty.
    pub fn all(&self) -> &[Problem] {
        &self.all
    }

    /// The place of the problem with this id.
    pub fn position(&self, task_id: &str) -> Option<usize> {
        self.position.get(task_id).copied()
    }

    /// The unpacked file by its content, named without `.gz`: the same data has the same identity either way.
    pub fn identity(&self) -> &FileIdentity {
        &self.identity
    }
}

fn identity(path: &Path, text: &str) -> FileIdentity {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    FileIdentity {
        name: name.strip_suffix(".gz").unwrap_or(&name).to_owned(),
        bytes: text.len() as u64,
        sha256: sha256_bytes(text.as_bytes()),
    }
}
