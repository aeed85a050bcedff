//! The layout in two files: programs as JSON Lines, and `node.py` as a field.

use super::{
    file::REMEDY,
    item::{Case, Item, imports_node},
    items::NODE,
};
use crate::{
    TaskError,
    jsonl::{Line, lines},
};
use serde_json::Value;
use std::{collections::BTreeSet, path::Path};

/// The field of `node.json`.
const NODE_FIELD: &str = "node.py";

/// The programs of a file in its order. `node` is the text of `node.json`, with its path.
pub(super) fn parse(
    path: &Path,
    text: &str,
    node: Option<(&Path, &str)>,
) -> Result<Vec<Item>, TaskError> {
    let node = node
        .map(|(path, text)| parse_node(path, text))
        .transpose()?;
    let mut names = BTreeSet::new();
    let mut all = Vec::new();
    for line in lines(path, text) {
        let line = line?;
        let item = parse_item(path, &line, node.as_deref())?;
        if !names.insert(item.name.clone()) {
            return Err(line.error(path, format!("field `name` repeats `{}`", item.name)));
        }
        all.push(item);
    }
    Ok(all)
}

fn parse_item(path: &Path, line: &Line, node: Option<&str>) -> Result<Item, TaskError> {
    for field in line.fields.keys() {
        if !["name", "buggy", "correct", "cases", "pytest"].contains(&field.as_str()) {
            return Err(line.error(path, format!("field `{field}` is unknown")));
        }
    }
    let pytest = match line.fields.get("pytest") {
        None | Some(Value::Null) => None,
        Some(_) => Some(line.text(path, "pytest")?),
    };
    let needs_node = pytest.as_deref().is_some_and(imports_node);
    if needs_node && node.is_none() {
        return Err(line.error(
            path,
            format!("field `pytest` imports `node`, and there is no {NODE} beside the file"),
        ));
    }
    let item = Item {
        name: line.text(path, "name")?,
        buggy: line.text(path, "buggy")?,
        correct: line.text(path, "correct")?,
        cases: parse_cases(path, line)?,
        pytest,
        node: node.filter(|_| needs_node).map(str::to_owned),
    };
    item.check()
        .map_err(|(field, problem)| line.error(path, format!("field `{field}` {problem}")))?;
    Ok(item)
}

fn parse_cases(path: &Path, line: &Line) -> Result<Option<Vec<Case>>, TaskError> {
    let cases = match line.fields.get("cases") {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Array(cases)) => cases,
        Some(_) => return Err(line.error(path, "field `cases` is not a list".into())),
    };
    cases
        .iter()
        .zip(1..)
        .map(|(case, number)| {
            Case::parse(case.clone()).map_err(|problem| {
                line.error(path, format!("case {number} of field `cases` {problem}"))
            })
        })
        .collect::<Result<_, _>>()
        .map(Some)
}

fn parse_node(path: &Path, text: &str) -> Result<String, TaskError> {
    let problem = match serde_json::from_str::<Value>(text) {
        Ok(value) => match value.get(NODE_FIELD) {
            Some(Value::String(node)) => return Ok(node.clone()),
            Some(_) => format!("field `{NODE_FIELD}` is not a string"),
            None => format!("field `{NODE_FIELD}` is missing"),
        },
        Err(error) => format!("it is not JSON ({error})"),
    };
    Err(TaskError::Data {
        path: path.to_owned(),
        problem,
        remedy: REMEDY.into(),
    })
}
