//! The rows of all asked tasks.

use super::{Loaded, Opening};
use crate::{
    TaskError,
    definition::{
        form::{Exemplar, Form, Layout, TaskForm},
        source::{Row, Source, Split, wrong_count},
        template::{Fields, TaskValues},
    },
};
use std::{fmt::Write as _, path::PathBuf, sync::Arc};

/// Most tasks that a message lists.
const MOST_LISTED: usize = 4;

impl Opening<'_> {
    /// Reads the rows of the asked tasks.
    pub(super) fn load<'o>(
        &'o self,
        source: &mut Source<'_>,
        tasks: &'o [TaskForm],
        asked: &[bool],
    ) -> Result<Vec<Loaded<'o>>, TaskError> {
        let layouts = self.layouts(source, tasks, asked)?;
        let mut loaded = Vec::new();
        let (mut offset, mut found) = (0, 0);
        for ((task, form), layout) in tasks.iter().zip(&self.forms).zip(layouts) {
            let Some(layout) = layout else {
                offset += task.rows.unwrap_or(0);
                continue;
            };
            let values = TaskValues::new(&task.name, &task.vars);
            let split = source.split(&layout.items, &values)?;
            if let Some(stated) = task.rows.filter(|&stated| stated != split.rows.len()) {
                return Err(wrong_count(&split.path, split.rows.len(), stated));
            }
            let pool = self.pool(source, task, form, layout, &values)?;
            let rows = split.rows.len();
            found += rows;
            loaded.push(Loaded {
                task,
                form,
                values,
                layout,
                split,
                pool,
                offset,
            });
            offset += rows;
        }
        let stated = self.definition.rows.filter(|&stated| stated != found);
        if let (Some(stated), true) = (stated, asked.iter().all(|&is_asked| is_asked)) {
            return Err(wrong_count(
                &PathBuf::from(&self.definition.name),
                found,
                stated,
            ));
        }
        Ok(loaded)
    }

    /// What solved examples are taken from; nothing where there are none.
    fn pool(
        &self,
        source: &mut Source<'_>,
        task: &TaskForm,
        form: &Form,
        layout: &Layout,
        values: &TaskValues,
    ) -> Result<Split, TaskError> {
        let nothing = Split {
            path: PathBuf::from(&self.definition.name),
            rows: Vec::new(),
        };
        let Some(shots) = form.shots.as_ref().filter(|_| self.shot_count(form) > 0) else {
            return Ok(nothing);
        };
        if !shots.exemplars.is_empty() {
            return Ok(Split {
                rows: shots.exemplars.iter().zip(1..).map(fixed).collect(),
                ..nothing
            });
        }
        let Some(rows) = &layout.shots else {
            return Err(TaskError::Setting {
                suite: self.definition.name.clone(),
                setting: "shots",
                problem: format!(
                    "is {}, and task `{}` has no solved examples",
                    self.shot_count(form),
                    task.name
                ),
                remedy: "ask for 0, or add `shots` to the definition's layout".into(),
            });
        };
        source.split(rows, values)
    }

    /// For each asked task the layout whose files are there.
    fn layouts<'o>(
        &'o self,
        source: &Source<'_>,
        tasks: &'o [TaskForm],
        asked: &[bool],
    ) -> Result<Vec<Option<&'o Layout>>, TaskError> {
        let mut chosen = Vec::new();
        let (mut missing, mut present) = (Vec::new(), Vec::new());
        for ((task, form), &is_asked) in tasks.iter().zip(&self.forms).zip(asked) {
            let values = TaskValues::new(&task.name, &task.vars);
            let takes_rows = form
                .shots
                .as_ref()
                .is_some_and(|shots| shots.exemplars.is_empty());
            let needs_shots = takes_rows && self.shot_count(form) > 0;
            let found = source
                .layout(self.definition.layouts_of(task), &values, needs_shots)
                .map_err(|problem| self.data_fault(&problem, "correct the suite's definition"))?;
            match found {
                Ok(layout) => {
                    present.push(task.name.as_str());
                    chosen.push(is_asked.then_some(layout));
                }
                Err(files) => {
                    if is_asked {
                        missing.push((task.name.as_str(), files));
                    }
                    chosen.push(None);
                }
            }
        }
        if missing.is_empty() {
            return Ok(chosen);
        }
        Err(self.missing(&missing, &present))
    }

    fn missing(&self, missing: &[(&str, Vec<Vec<String>>)], present: &[&str]) -> TaskError {
        let mut listed = String::new();
        for (task, layouts) in missing.iter().take(MOST_LISTED) {
            let ways: Vec<String> = layouts.iter().map(|files| files.join(" and ")).collect();
            let of_task = if self.definition.tasks.is_empty() {
                String::new()
            } else {
                format!("{task}: ")
            };
            let gap = if listed.is_empty() { "" } else { ", " };
            let _ = write!(listed, "{gap}{of_task}{}", ways.join(" or "));
        }
        if missing.len() > MOST_LISTED {
            let _ = write!(
                listed,
                ", and those of {} more tasks",
                missing.len() - MOST_LISTED
            );
        }
        let remedy = if present.is_empty() || self.definition.tasks.len() < 2 {
            "give the folder that holds them".to_owned()
        } else {
            format!(
                "add them, or choose the tasks that are there with --tasks {}",
                present.join(",")
            )
        };
        self.data_fault(&format!("files are missing ({listed})"), &remedy)
    }
}

fn fixed((exemplar, in_file): (&Exemplar, usize)) -> Row {
    let fields = exemplar
        .iter()
        .map(|(name, value)| (name.clone(), value.clone()));
    Row {
        in_file,
        fields: Fields::new(Arc::new(fields.collect())),
    }
}
