//! Names, tasks and layouts.

use super::{Checked, Part};
use crate::{
    TaskError,
    definition::{
        form::{Definition, Layout},
        template::{Formula, ROW, TASK, Text},
    },
};
use std::collections::BTreeSet;

impl Definition {
    pub(super) fn check_names(&self, file: &Checked) -> Result<(), TaskError> {
        let top = file.at(String::new());
        if !is_name(&self.name, "_") {
            return top.refuse(
                "name",
                format!("`{}` is no suite's name", self.name),
                "use lower-case letters, digits and `_`, no `_` first",
            );
        }
        if self.description.trim().is_empty() || self.description.contains('\n') {
            return top.refuse(
                "description",
                "it is not one line",
                "say what the suite is in one line",
            );
        }
        if self.protocols.is_empty() {
            return top.refuse(
                "protocol",
                "there is none",
                "add `[protocol.NAME]` with context, target and one of choices, generate and loss",
            );
        }
        for name in self.protocols.keys() {
            if !is_name(name, "_-.") {
                return file.at(format!("protocol.{name}")).refuse(
                    "",
                    "it is no protocol's name",
                    "use letters, digits, `_`, `-` and `.`, no mark first",
                );
            }
        }
        let known = || {
            self.protocols
                .keys()
                .map(String::as_str)
                .collect::<Vec<_>>()
                .join(", ")
        };
        match &self.default_protocol {
            Some(name) if !self.protocols.contains_key(name) => top.refuse(
                "default_protocol",
                format!("there is no protocol `{name}`"),
                format!("choose one of: {}", known()),
            ),
            None if self.protocols.len() > 1 => top.refuse(
                "default_protocol",
                "it is missing, and there are several protocols",
                format!("choose one of: {}", known()),
            ),
            _ => self.check_tasks(file),
        }
    }

    fn check_tasks(&self, file: &Checked) -> Result<(), TaskError> {
        let mut names = BTreeSet::new();
        for task in &self.tasks {
            let at = file.at(format!("task `{}`", task.name));
            if !is_name(&task.name, "_-.") {
                return at.refuse(
                    "name",
                    "it is no task's name",
                    "use letters, digits, `_`, `-` and `.`, no mark first",
                );
            }
            if !names.insert(&task.name) {
                return at.refuse(
                    "name",
                    "another task has it too",
                    "give each task a name of its own",
                );
            }
            if let Some(name) = [TASK, ROW]
                .into_iter()
                .find(|name| task.vars.contains_key(*name))
            {
                return at.refuse(
                    "vars",
                    format!("`{name}` has a meaning of its own in templates"),
                    "give the value another name",
                );
            }
        }
        for task in &self.tasks {
            let at = file.at(format!("task `{}`", task.name));
            let Some(group) = &task.group else { continue };
            if !is_name(group, "_-.") {
                return at.refuse(
                    "group",
                    format!("`{group}` is no group's name"),
                    "use letters, digits, `_`, `-` and `.`, no mark first",
                );
            }
            if names.contains(group) || *group == self.name {
                return at.refuse(
                    "group",
                    format!("a task or the suite is named `{group}` too"),
                    "give the group a name of its own",
                );
            }
        }
        if let (Some(rows), Some(sum)) = (self.rows, self.sum_of_tasks())
            && rows != sum
        {
            return file.at(String::new()).refuse(
                "rows",
                format!("it is {rows}, and the tasks' rows are {sum} together"),
                "correct it, or leave it out",
            );
        }
        Ok(())
    }

    fn sum_of_tasks(&self) -> Option<usize> {
        if self.tasks.is_empty() {
            return None;
        }
        self.tasks
            .iter()
            .try_fold(0_usize, |sum, task| sum.checked_add(task.rows?))
    }

    pub(super) fn check_layouts(&self, file: &Checked) -> Result<(), TaskError> {
        for (layout, place) in self.layouts.iter().zip(0..) {
            check_layout(layout, &file.at(format!("layout[{place}]")))?;
        }
        for task in &self.tasks {
            for (layout, place) in task.layouts.iter().zip(0..) {
                check_layout(
                    layout,
                    &file.at(format!("task `{}`, layout[{place}]", task.name)),
                )?;
            }
        }
        for task in self.all_tasks() {
            if self.layouts_of(&task).is_empty() {
                let at = file.at(format!("task `{}`", task.name));
                return at.refuse(
                    "layout",
                    "there is none, and the suite has none either",
                    "add `[[layout]]` with `items = { file = \"...\" }`",
                );
            }
        }
        Ok(())
    }
}

fn check_layout(layout: &Layout, at: &Part<'_>) -> Result<(), TaskError> {
    let parts = [
        ("items", Some(&layout.items)),
        ("shots", layout.shots.as_ref()),
    ];
    for (part, rows) in parts {
        let Some(rows) = rows else { continue };
        let fault = |field: &str, problem: String| {
            at.fault(
                &format!("{part}.{field}"),
                problem,
                "correct the template or expression (minijinja)",
            )
        };
        Text::new(&rows.file).map_err(|problem| fault("file", problem))?;
        if rows.file.trim().is_empty() {
            return at.refuse(
                &format!("{part}.file"),
                "it is empty",
                "name the file of the rows",
            );
        }
        if let Some(filter) = &rows.filter {
            Formula::new(filter).map_err(|problem| fault("where", problem))?;
        }
        for (name, source) in &rows.fields {
            let field = format!("fields.{name}");
            Formula::new(source).map_err(|problem| fault(&field, problem))?;
        }
        let mut seen = BTreeSet::new();
        if let Some(twice) = rows.columns.iter().find(|column| !seen.insert(*column)) {
            return at.refuse(
                &format!("{part}.columns"),
                format!("`{twice}` is named twice"),
                "give each column a name of its own",
            );
        }
    }
    Ok(())
}

/// Lower-case letters (any letters where `marks` has more than `_`), digits and `marks`, a letter or digit first.
fn is_name(name: &str, marks: &str) -> bool {
    let letter = |c: char| c.is_ascii_lowercase() || (marks.len() > 1 && c.is_ascii_uppercase());
    let good = |c: char| letter(c) || c.is_ascii_digit() || marks.contains(c);
    name.starts_with(|c: char| letter(c) || c.is_ascii_digit()) && name.chars().all(good)
}
