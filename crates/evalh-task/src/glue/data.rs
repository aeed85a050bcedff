//! The rows of a task.

use super::form::HeadTask;
use crate::{
    DataFiles, TaskError,
    definition::{
        Rows,
        source::{Place, Row, Source, Split, field_remedy, wrong_count},
        template::{Fields, TaskValues},
    },
};
use evalh_record::Prompt;
use std::{collections::BTreeMap, path::PathBuf};

/// One row.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// What the encoder reads.
    pub prompt: Prompt,
    /// What is right.
    pub gold: Gold,
}

/// What is right.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Gold {
    /// A label, by its place in the task's.
    Label(usize),
    /// A number.
    Number(f64),
}

/// Reads a task's rows, all of them.
///
/// # Errors
/// When its file is missing, cannot be read, holds another number of rows, or a row's label is none of the task's.
pub fn read(source: &mut Source<'_>, task: &HeadTask) -> Result<Vec<Item>, TaskError> {
    let values = TaskValues::new(&task.name, &BTreeMap::new());
    let fault = |problem: String, remedy: String| TaskError::Data {
        path: PathBuf::from(&task.name),
        problem,
        remedy,
    };
    let layout = source
        .layout(&task.layouts, &values, false)
        .map_err(|problem| fault(problem, "correct the table of tasks".into()))?;
    let layout = layout.map_err(|missing| {
        let files: Vec<String> = missing.into_iter().flatten().collect();
        fault(
            format!(
                "its rows are missing: there is no {}",
                files.join(" and no ")
            ),
            format!(
                "give the folder that holds one of them, or leave {} out with --tasks",
                task.name
            ),
        )
    })?;
    let split = source.split(&layout.items, &values)?;
    if split.rows.len() != task.rows {
        return Err(wrong_count(&split.path, split.rows.len(), task.rows));
    }
    split
        .rows
        .iter()
        .map(|row| item(task, &split, row))
        .collect()
}

/// All rows of one file.
///
/// # Errors
/// When it cannot be read, or a row's label is none of the task's.
pub fn items(files: &DataFiles, rows: &Rows, task: &HeadTask) -> Result<Vec<Item>, TaskError> {
    let values = TaskValues::new(&task.name, &BTreeMap::new());
    let split = Source::new(Place::Disk(files)).split(rows, &values)?;
    let rows = split.rows.iter();
    rows.map(|row| item(task, &split, row)).collect()
}

fn item(task: &HeadTask, split: &Split, row: &Row) -> Result<Item, TaskError> {
    let fault = |problem: String| TaskError::Row {
        path: split.path.clone(),
        row: row.in_file,
        problem,
        remedy: field_remedy(&row.fields),
    };
    let text = |name: &String| {
        let value = row.fields.get(name);
        let text = value.as_ref().and_then(|value| value.as_str());
        text.map(str::to_owned)
            .ok_or_else(|| fault(format!("field `{name}` is missing or no text")))
    };
    let first = text(&task.texts[0])?;
    let prompt = match task.texts.get(1) {
        None => Prompt::Text(first),
        Some(second) => Prompt::Pair {
            first,
            second: text(second)?,
        },
    };
    Ok(Item {
        prompt,
        gold: gold(task, &row.fields).map_err(fault)?,
    })
}

/// The label: its place as a number (the hub's), its place as text or its name (the official files').
fn gold(task: &HeadTask, fields: &Fields) -> Result<Gold, String> {
    let value = fields.get("label").ok_or("field `label` is missing")?;
    let text = value.to_string();
    if task.is_regression() {
        let number: f32 = text.parse().unwrap_or(f32::NAN);
        if !(0.0..=5.0).contains(&number) {
            return Err(format!("field `label` is `{text}`, no number from 0 to 5"));
        }
        // the hub stores them as f32: the same numbers from either layout
        return Ok(Gold::Number(f64::from(number)));
    }
    let named = task.labels.iter().position(|label| *label == text);
    let place = named.or_else(|| text.parse().ok());
    let place = place.filter(|&place: &usize| place < task.labels.len());
    place.map(Gold::Label).ok_or_else(|| {
        format!(
            "field `label` is `{text}`, none of {} (from 0) and no place among them",
            task.labels.join(", ")
        )
    })
}
