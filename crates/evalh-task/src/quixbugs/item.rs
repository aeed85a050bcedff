//! One program with its fix and its tests.

use super::{
    literal,
    source::{Source, signature},
};
use serde_json::Value;

/// A program with one bug, its fix, and tests that tell the two apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The program's name, which is its function's.
    pub name: String,
    /// The program, with its specification in triple quotes after the code.
    pub buggy: String,
    /// The reference fix. What is in triple quotes after its code is no part of it.
    pub correct: String,
    /// Arguments and results; `None` where the tests are a module of their own.
    pub cases: Option<Vec<Case>>,
    /// The text of the test module, where the tests are not just the cases compared one by one.
    pub pytest: Option<String>,
    /// The text of the module `node`, where the tests import it.
    pub node: Option<String>,
}

/// One call and what it has to return.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// The positional arguments.
    pub arguments: Vec<Value>,
    /// The result.
    pub expected: Value,
}

impl Case {
    /// A case from `[arguments, expected]`. One argument may stand without its list, as upstream's runner takes it.
    ///
    /// # Errors
    /// When it is no such pair, or a number in it has more than 64 bits; the text reads after the name of the case.
    pub fn parse(value: Value) -> Result<Case, &'static str> {
        if literal::python(&value).is_none() {
            return Err("holds a number of more than 64 bits");
        }
        let Value::Array(pair) = value else {
            return Err("is not a list of arguments and result");
        };
        let [arguments, expected] =
            <[Value; 2]>::try_from(pair).map_err(|_| "is not a list of arguments and result")?;
        Ok(Case {
            arguments: match arguments {
                Value::Array(arguments) => arguments,
                argument => vec![argument],
            },
            expected,
        })
    }
}

/// What is not as it should be: the field, and what is wrong with it.
pub(super) type Problem = (&'static str, String);

impl Item {
    /// The buggy program's code without its specification.
    pub fn buggy_code(&self) -> &str {
        Source::of(&self.buggy).code
    }

    /// The reference fix's code.
    pub fn correct_code(&self) -> &str {
        Source::of(&self.correct).code
    }

    /// What the program should do, in triple quotes.
    pub fn specification(&self) -> &str {
        Source::of(&self.buggy).specification.unwrap_or_default()
    }

    /// The line that begins the function, the same in program and fix.
    pub fn signature(&self) -> &str {
        signature(self.buggy_code(), &self.name).unwrap_or_default()
    }

    /// Checks everything that prompts and tests rest on.
    pub(super) fn check(&self) -> Result<(), Problem> {
        let is_name = self
            .name
            .starts_with(|first: char| first == '_' || first.is_ascii_alphabetic())
            && self
                .name
                .chars()
                .all(|c| c == '_' || c.is_ascii_alphanumeric());
        if !is_name {
            return Err(("name", format!("is `{}`, not a Python name", self.name)));
        }
        let source = Source::of(&self.buggy);
        if source.specification.is_none() || !source.rest.trim().is_empty() {
            return Err((
                "buggy",
                "does not end in its specification in triple quotes".into(),
            ));
        }
        let Some(line) = signature(source.code, &self.name) else {
            return Err((
                "buggy",
                format!("has no line `def {}(...):` at the left margin", self.name),
            ));
        };
        if signature(self.correct_code(), &self.name) != Some(line) {
            return Err(("correct", format!("does not have the line `{line}`")));
        }
        if self.buggy_code() == self.correct_code() {
            return Err(("correct", "is the same as the buggy program".into()));
        }
        match (&self.cases, &self.pytest) {
            (None, None) => Err(("pytest", "is missing, and so are cases".into())),
            (Some(cases), _) if cases.is_empty() => Err(("cases", "is empty".into())),
            _ => Ok(()),
        }
    }
}

/// Whether a test module needs the module `node`.
pub(super) fn imports_node(pytest: &str) -> bool {
    pytest
        .lines()
        .any(|line| line.starts_with("from node import") || line.starts_with("import node"))
}
