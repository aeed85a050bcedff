//! The registered suites.

use super::{
    data,
    form::{HeadTask, tasks},
    head::Head,
    task::{GlueTask, OpenHeadTask},
};
use crate::{
    DataFiles, DataSource, Extra, Facts, ModelKind, Suite, Task, TaskError, TaskOptions,
    definition::{
        BuiltInFile,
        open::select,
        source::{Place, Source},
        template::Text,
    },
};
use serde_json::{Map, json};

/// The only protocol: `run_glue`'s.
pub const PROTOCOL: &str = "head";

/// GLUE for classification heads.
#[derive(Debug)]
pub struct Glue {
    name: &'static str,
    description: &'static str,
    counterpart: &'static str,
    tasks: Vec<HeadTask>,
    /// Files that are part of the program; none where the data is an artifact.
    files: &'static [BuiltInFile],
}

impl Glue {
    /// The published validation sets.
    pub fn published() -> Glue {
        Glue {
            name: "glue",
            description: "GLUE for encoders with a classification head: nine tasks of sentence classification and similarity",
            counterpart: "glue_prompt",
            tasks: tasks().to_vec(),
            files: &[],
        }
    }

    /// Ten rows of five tasks of this project's own writing, of these files.
    pub fn mini(files: &'static [BuiltInFile]) -> Glue {
        let has = |task: &HeadTask| {
            let file = &task.layouts[0].items.file;
            files
                .iter()
                .any(|(name, _)| name.strip_prefix("mini_glue/") == Some(file))
        };
        let own = tasks()
            .iter()
            .filter(|task| has(task))
            .cloned()
            .map(|mut task| {
                task.rows = 10;
                task.layouts.truncate(1);
                let rows = &mut task.layouts[0].items;
                rows.file = Text::quoted(&format!("mini_glue/{}", rows.file));
                task
            });
        Glue {
            name: "mini_glue",
            description: "50 rows of this project's own in GLUE's form for classification heads, built in; no published score",
            counterpart: "mini_glue_prompt",
            tasks: own.collect(),
            files,
        }
    }

    /// The asked tasks with their places among all, each with how the checkpoint's head answers it.
    fn asked(&self, options: &TaskOptions) -> Result<Vec<(usize, Head)>, TaskError> {
        let named: Vec<_> = (self.tasks.iter())
            .map(|task| (task.name.as_str(), None))
            .collect();
        let asked = select::asked(self.name, &named, &options.tasks)?;
        let head = |task: &HeadTask| Head::new(self.name, task, &options.labels);
        if options.tasks.is_empty() {
            let fits = self.tasks.iter().filter(|task| head(task).is_ok());
            let fits: Vec<&str> = fits.map(|task| task.name.as_str()).collect();
            if fits.len() < self.tasks.len() {
                return Err(self.not_all(options, &fits));
            }
        }
        let chosen = self.tasks.iter().enumerate().zip(asked);
        chosen
            .filter(|(_, is_asked)| *is_asked)
            .map(|((place, task), _)| Ok((place, head(task)?)))
            .collect()
    }

    fn not_all(&self, options: &TaskOptions, fits: &[&str]) -> TaskError {
        let labels = options.labels.join(", ");
        TaskError::Setting {
            suite: self.name.to_owned(),
            setting: "tasks",
            problem: format!("are all, and one head (labels: {labels}) does not answer all"),
            remedy: match fits {
                [] => "choose a checkpoint with a head for one of them".into(),
                fits => format!(
                    "choose the one that the head was trained for with --tasks; its labels fit {}",
                    fits.join(", ")
                ),
            },
        }
    }
}

impl Suite for Glue {
    fn name(&self) -> &str {
        self.name
    }

    fn description(&self) -> &str {
        self.description
    }

    fn data(&self) -> DataSource {
        if self.files.is_empty() {
            DataSource::Artifact("glue".into())
        } else {
            DataSource::BuiltIn
        }
    }

    fn facts(&self) -> Facts {
        let mut metrics: Vec<String> = Vec::new();
        for metric in self.tasks.iter().flat_map(|task| &task.metrics) {
            if !metrics.iter().any(|known| known == metric.name()) {
                metrics.push(metric.name().to_owned());
            }
        }
        Facts {
            split: "validation".into(),
            items: Some(self.tasks.iter().map(|task| task.rows).sum()),
            metrics,
            shots: 0,
        }
    }

    fn protocols(&self) -> Vec<&str> {
        vec![PROTOCOL]
    }

    fn default_protocol(&self, _has_chat_template: bool) -> &str {
        PROTOCOL
    }

    fn honours(&self) -> Vec<Extra> {
        vec![Extra::Tasks, Extra::Draw]
    }

    fn answered_by(&self) -> ModelKind {
        ModelKind::Encoder
    }

    fn counterpart(&self) -> Option<&str> {
        Some(self.counterpart)
    }

    fn open(&self, data: &DataFiles, options: &TaskOptions) -> Result<Box<dyn Task>, TaskError> {
        options.check(self.name, &self.honours())?;
        if let Some(other) = options.protocol.as_ref().filter(|name| *name != PROTOCOL) {
            return Err(TaskError::Setting {
                suite: self.name.to_owned(),
                setting: "protocol",
                problem: format!("`{other}` is unknown"),
                remedy: format!("choose {PROTOCOL}, or leave it out"),
            });
        }
        let asked = self.asked(options)?;
        let mut source = Source::new(match self.files {
            [] => Place::Disk(data),
            files => Place::BuiltIn(files),
        });
        let mut opened = Vec::with_capacity(asked.len());
        for (place, head) in asked {
            let task = &self.tasks[place];
            let offset = self.tasks[..place].iter().map(|task| task.rows).sum();
            opened.push(OpenHeadTask {
                items: data::read(&mut source, task)?,
                task: task.clone(),
                head,
                offset,
            });
        }
        let sizes: Vec<usize> = opened.iter().map(|task| task.items.len()).collect();
        let rows = select::rows(self.name, &sizes, options)?;
        let mut others = Map::new();
        if !options.tasks.is_empty() {
            let names: Vec<&str> = opened.iter().map(|open| open.task.name.as_str()).collect();
            others.insert("tasks".into(), json!(names));
        }
        if let Some(draw) = options.draw {
            let draw = json!({ "items": draw.items, "seed": draw.seed });
            others.insert("draw".into(), draw);
        }
        // which label each output of the head stands for: it decides every score
        let outputs: Map<_, _> = (opened.iter())
            .filter(|open| !open.task.is_regression())
            .map(|open| (open.task.name.clone(), json!(open.head.names(&open.task))))
            .collect();
        if !outputs.is_empty() {
            others.insert("outputs".into(), json!(outputs));
        }
        let data = source.identities();
        Ok(Box::new(GlueTask::new(
            self.name,
            opened,
            &rows,
            options.limit,
            others,
            data,
        )))
    }
}
