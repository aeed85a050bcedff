//! A task's keys, with those of the files that it includes.

use super::{
    notes::Notes,
    yaml::{self, Node},
};
use crate::TaskError;
use std::path::{Path, PathBuf};

/// Files that include each other, at most.
const MOST_FILES: usize = 100;

/// The keys of a task or of one of its settings that have not been looked at yet.
#[derive(Default)]
pub(super) struct Config {
    entries: Vec<(String, Node)>,
}

impl Config {
    /// Reads a file and what it `include`s, as lm-eval does: later files before earlier ones, the file's own keys before
    /// all; paths are relative to the file that names them.
    pub(super) fn load(path: &Path, notes: &mut Notes) -> Result<Config, TaskError> {
        let entries = load(path, &mut Vec::new(), notes)?;
        Ok(Config { entries })
    }

    /// The keys of a setting.
    pub(super) fn of(entries: Vec<(String, Node)>) -> Config {
        Config { entries }
    }

    /// Takes a key's value out. A key without a value counts as one that is not there, as in lm-eval.
    pub(super) fn take(&mut self, key: &str) -> Option<Node> {
        let at = self.entries.iter().position(|(name, _)| name == key)?;
        Some(self.entries.remove(at).1).filter(|node| *node != Node::Null)
    }

    /// Takes a text; what is none is noted as changing the scores.
    pub(super) fn take_text(&mut self, key: &str, notes: &mut Notes) -> Option<String> {
        match self.take(key)? {
            Node::Text(text) => Some(text),
            other => {
                notes.changes(key, format!("it is {}, not a text", other.describe()));
                None
            }
        }
    }

    /// What is left.
    pub(super) fn rest(self) -> Vec<(String, Node)> {
        let left = self.entries.into_iter();
        left.filter(|(_, node)| *node != Node::Null).collect()
    }
}

fn load(
    path: &Path,
    seen: &mut Vec<PathBuf>,
    notes: &mut Notes,
) -> Result<Vec<(String, Node)>, TaskError> {
    let full = path
        .canonicalize()
        .map_err(|source| unreadable(path, source))?;
    if seen.contains(&full) || seen.len() == MOST_FILES {
        return Err(TaskError::Data {
            path: path.to_owned(),
            problem: "it is included twice, or too many files are".into(),
            remedy: "let each file be included once, as lm-eval demands".into(),
        });
    }
    seen.push(full);
    let mut own = read(path, notes)?;
    let Some(at) = own.iter().position(|(key, _)| key == "include") else {
        return Ok(own);
    };
    let includes = match own.remove(at).1 {
        Node::Text(file) => vec![file],
        Node::List(files) => files
            .into_iter()
            .map(|file| match file {
                Node::Text(file) => Ok(file),
                other => Err(no_file(path, &other)),
            })
            .collect::<Result<_, _>>()?,
        other => return Err(no_file(path, &other)),
    };
    let mut merged = Vec::new();
    for file in includes {
        let beside = path.parent().unwrap_or(Path::new("")).join(file);
        let mut included = load(&beside, seen, notes)?;
        // It names tasks of the included file only.
        included.retain(|(key, _)| key != "task_list");
        update(&mut merged, included);
    }
    update(&mut merged, own);
    Ok(merged)
}

fn update(merged: &mut Vec<(String, Node)>, entries: Vec<(String, Node)>) {
    for (key, node) in entries {
        match merged.iter_mut().find(|(name, _)| *name == key) {
            Some((_, old)) => *old = node,
            None => merged.push((key, node)),
        }
    }
}

fn read(path: &Path, notes: &mut Notes) -> Result<Vec<(String, Node)>, TaskError> {
    let bytes = std::fs::read(path).map_err(|source| unreadable(path, source))?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = before.split(|&byte| byte == b'\n').count();
        broken(path, line, "it is not UTF-8")
    })?;
    let (document, repeated) = yaml::parse(text.strip_prefix('\u{feff}').unwrap_or(&text))
        .map_err(|problem| broken(path, problem.line, &problem.message))?;
    for key in repeated {
        notes.lost(
            key,
            "it stands twice in one mapping; the last counts, as in lm-eval",
        );
    }
    match document {
        Node::Map(entries) => Ok(entries),
        other => {
            let problem = format!("it is {}, not a task's keys", other.describe());
            Err(broken(path, 1, &problem))
        }
    }
}

fn unreadable(path: &Path, source: std::io::Error) -> TaskError {
    TaskError::Read {
        path: path.to_owned(),
        source,
        remedy: "give the path of one of lm-eval's task files, with the files that it includes beside it".into(),
    }
}

fn broken(path: &Path, line: usize, problem: &str) -> TaskError {
    TaskError::Line {
        path: path.to_owned(),
        line,
        problem: problem.to_owned(),
        remedy: "correct the file; evalh holds to YAML 1.2's rules, where a text over several lines is indented further than its key".into(),
    }
}

fn no_file(path: &Path, node: &Node) -> TaskError {
    TaskError::Data {
        path: path.to_owned(),
        problem: format!("`include` is {}", node.describe()),
        remedy: "name a file, or a list of files".into(),
    }
}
