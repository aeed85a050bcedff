//! From a definition, its data and the options to a task.

mod read;
mod record;
pub(crate) mod select;

use super::{
    form::{Definition, Form, Layout, TaskForm},
    item::{Asked, Item, Maker},
    put::Put,
    score::Scorer,
    shots::Chooser,
    source::{Place, Source, Split},
    task::{DefinedTask, OpenTask},
    template::TaskValues,
};
use crate::{TaskError, TaskOptions};
use evalh_record::Sha256;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

/// What is opened, and how.
pub struct Opening<'o> {
    /// The suite.
    pub definition: &'o Definition,
    /// Of the definition's text.
    pub sha256: &'o Sha256,
    /// The protocol, as the definition names it.
    pub protocol: String,
    /// The whole form of each task under it.
    pub forms: Vec<Form>,
    /// The options, checked.
    pub options: &'o TaskOptions,
}

/// A task with its rows, before its items are made.
struct Loaded<'o> {
    task: &'o TaskForm,
    form: &'o Form,
    values: TaskValues,
    layout: &'o Layout,
    split: Split,
    /// What solved examples are taken from, where there are any.
    pool: Split,
    /// Items of the tasks before.
    offset: usize,
}

impl Opening<'_> {
    /// Reads the data and makes the items.
    pub fn open(&self, place: Place<'_>) -> Result<DefinedTask, TaskError> {
        self.check_chat()?;
        let tasks = self.definition.all_tasks();
        let named: Vec<_> = (tasks.iter())
            .map(|task| (task.name.as_str(), task.group.as_deref()))
            .collect();
        let asked = select::asked(&self.definition.name, &named, &self.options.tasks)?;
        let mut source = Source::new(place);
        let loaded = self.load(&mut source, &tasks, &asked)?;
        let sizes: Vec<usize> = loaded.iter().map(|task| task.split.rows.len()).collect();
        let rows = select::rows(&self.definition.name, &sizes, self.options)?;
        let mut opened = Vec::new();
        for (task, rows) in loaded.iter().zip(&rows) {
            if !rows.is_empty() {
                opened.push(self.items(task, rows)?);
            }
        }
        if opened.is_empty() {
            return Err(self.data_fault("it holds no item", "give a file with at least one row"));
        }
        self.check_ids(&opened)?;
        let settings = self.settings(&opened, source.identities());
        Ok(DefinedTask::new(
            self.definition,
            self.protocol_name(),
            opened,
            self.options.clone(),
            settings,
        ))
    }

    /// The protocol's name in records and results.
    fn protocol_name(&self) -> String {
        let suffix = match &self.options.chat {
            None => "",
            Some(chat) if chat.shots_as_turns => "+chat-turns",
            Some(_) => "+chat",
        };
        format!("{}{suffix}", self.protocol)
    }

    fn check_chat(&self) -> Result<(), TaskError> {
        if self.options.chat.is_some() && !self.options.has_chat_template {
            return Err(TaskError::Setting {
                suite: self.definition.name.clone(),
                setting: "chat",
                problem: "needs a chat template, and the checkpoint has none".into(),
                remedy: "leave it out, or choose a checkpoint with a chat template".into(),
            });
        }
        Ok(())
    }

    /// Solved examples before each item of a task.
    fn shot_count(&self, form: &Form) -> usize {
        self.options.shots.unwrap_or(form.shot_count())
    }

    fn items(&self, loaded: &Loaded<'_>, rows: &[usize]) -> Result<OpenTask, TaskError> {
        let form = loaded.form;
        let at_definition = |(field, problem): (String, String)| {
            self.data_fault(
                &format!("`{field}`: {problem}"),
                "correct the suite's definition",
            )
        };
        let put = Put::new(form).map_err(at_definition)?;
        let mut maker = Maker::new(form, &put, &loaded.values);
        let mut chooser = self.chooser(loaded)?;
        let mut items = Vec::with_capacity(rows.len());
        let mut used = BTreeSet::new();
        let mut wanted = rows.iter().peekable();
        for (number, row) in loaded.split.rows.iter().enumerate() {
            let Some(&&next) = wanted.peek() else { break };
            // drawn for every item, so that each has the same whatever else is asked
            let chosen = chooser.as_mut().map(|chooser| chooser.next(row));
            if number < next {
                continue;
            }
            wanted.next();
            let mut item = maker.item(&loaded.split, number)?;
            if let Some(chosen) = chosen {
                item.shots = chosen.ok_or_else(|| self.too_few_shots(loaded, chooser.as_ref()))?;
            }
            used.extend(item.shots.iter().copied());
            if self.definition.tasks.len() > 1 {
                item.id = format!("{}/{}", loaded.task.name, item.id);
            }
            items.push((loaded.offset + number, item));
        }
        let solve = |shot: usize| Ok((shot, maker.solved(&loaded.pool, shot)?));
        let solved: BTreeMap<usize, Asked> = used
            .into_iter()
            .map(solve)
            .collect::<Result<_, TaskError>>()?;
        Ok(OpenTask {
            name: loaded.task.name.clone(),
            group: loaded.task.group.clone(),
            items,
            solved,
            scorer: Scorer::new(form).map_err(at_definition)?,
            form: form.clone(),
        })
    }

    fn chooser<'l>(&self, loaded: &'l Loaded<'_>) -> Result<Option<Chooser<'l>>, TaskError> {
        let count = self.shot_count(loaded.form);
        let Some(shots) = loaded.form.shots.as_ref().filter(|_| count > 0) else {
            return Ok(None);
        };
        let seed = self.options.shot_seed.unwrap_or(shots.seed());
        let chooser = Some(Chooser::new(
            &loaded.pool,
            shots,
            loaded.layout,
            count,
            seed,
        ));
        let most = chooser.as_ref().map_or(0, Chooser::most);
        if count > most {
            return Err(self.too_few_shots(loaded, chooser.as_ref()));
        }
        Ok(chooser)
    }

    fn too_few_shots(&self, loaded: &Loaded<'_>, chooser: Option<&Chooser<'_>>) -> TaskError {
        let most = chooser.map_or(0, Chooser::most);
        TaskError::Setting {
            suite: self.definition.name.clone(),
            setting: "shots",
            problem: format!(
                "is {}, and task `{}` has {most} solved examples that differ from the item",
                self.shot_count(loaded.form),
                loaded.task.name
            ),
            remedy: format!("ask for at most {most}"),
        }
    }

    fn check_ids(&self, tasks: &[OpenTask]) -> Result<(), TaskError> {
        let mut ids: BTreeMap<&str, &Item> = BTreeMap::new();
        for (_, item) in tasks.iter().flat_map(|task| &task.items) {
            if ids.insert(&item.id, item).is_some() {
                return Err(self.data_fault(
                    &format!("two of its items have the id `{}`", item.id),
                    "make the ids different, or leave `id` out so that rows are numbered",
                ));
            }
        }
        Ok(())
    }

    fn data_fault(&self, problem: &str, remedy: &str) -> TaskError {
        TaskError::Data {
            path: PathBuf::from(&self.definition.name),
            problem: problem.to_owned(),
            remedy: remedy.to_owned(),
        }
    }
}
