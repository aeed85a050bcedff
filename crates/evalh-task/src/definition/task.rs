//! An opened suite: requests out, samples and results back.

use super::{
    combine::{TaskResults, combined},
    effective::Kind,
    form::{Definition, Form},
    item::{Asked, Item},
    prompt::Asking,
    results::{Answered, Outcome},
    score::Scorer,
};
use crate::{Judgement, Slot, Task, TaskError, TaskOptions, score_name};
use evalh_record::{
    Generate, LogLikelihood, Loss, Part, Prompt, Request, RequestKind, Response, ResultRow, Sample,
    SuiteSettings,
};
use std::collections::{BTreeMap, HashMap};

/// One task with its items.
pub struct OpenTask {
    /// Its name within the suite.
    pub name: String,
    /// The group that it is counted in.
    pub group: Option<String>,
    /// Its items, at least one, each with its place in the suite's data.
    pub items: Vec<(usize, Item)>,
    /// The solved examples that its items use, by number.
    pub solved: BTreeMap<usize, Asked>,
    /// Its whole form.
    pub form: Form,
    /// How its answers are scored.
    pub scorer: Scorer,
}

/// An opened suite.
pub struct DefinedTask {
    suite: String,
    protocol: String,
    /// Whether the suite's definition has several tasks, asked or not.
    has_tasks: bool,
    tasks: Vec<OpenTask>,
    /// For each item in order its task and its place there.
    order: Vec<(usize, usize)>,
    options: TaskOptions,
    settings: SuiteSettings,
}

impl DefinedTask {
    /// A task of opened parts.
    pub fn new(
        definition: &Definition,
        protocol: String,
        tasks: Vec<OpenTask>,
        options: TaskOptions,
        settings: SuiteSettings,
    ) -> DefinedTask {
        let places = |(task, opened): (usize, &OpenTask)| {
            (0..opened.items.len())
                .map(move |place| (task, place))
                .collect::<Vec<_>>()
        };
        DefinedTask {
            suite: definition.name.clone(),
            protocol,
            has_tasks: definition.tasks.len() > 1,
            order: tasks.iter().enumerate().flat_map(places).collect(),
            tasks,
            options,
            settings,
        }
    }

    /// The item of a request's index, and which of its samples.
    fn find(&self, index: usize) -> Option<(&OpenTask, usize, &Item, usize)> {
        let &(task, place) = self.order.get(index / self.options.samples)?;
        let task = &self.tasks[task];
        let (position, item) = &task.items[place];
        Some((task, *position, item, index % self.options.samples))
    }

    fn request(&self, index: usize, task: &OpenTask, item: &Item, sample: usize) -> Request {
        let form = &task.form;
        let kind = match form.kind() {
            Kind::Choices => RequestKind::LogLikelihood(LogLikelihood {
                continuations: {
                    let before = Asking::before_choice(form, self.options.chat.is_some());
                    let choices = item.asked.choices.iter();
                    choices.map(|choice| format!("{before}{choice}")).collect()
                },
            }),
            Kind::Generate => RequestKind::Generate(self.generate(form, item, sample)),
            Kind::Loss => RequestKind::Loss(Loss {
                window: self.options.window,
                stride: (self.options.stride)
                    .or_else(|| form.loss.as_ref().and_then(|loss| loss.stride)),
            }),
        };
        Request {
            index,
            prompt: self.prompt(task, item),
            kind,
        }
    }

    fn prompt(&self, task: &OpenTask, item: &Item) -> Prompt {
        if task.form.kind() == Kind::Loss {
            return Prompt::Text(item.asked.question.clone());
        }
        let asking = Asking {
            form: &task.form,
            preamble: &item.preamble,
            solved: item
                .shots
                .iter()
                .filter_map(|shot| task.solved.get(shot))
                .collect(),
            item: &item.asked,
        };
        match &self.options.chat {
            None => asking.text(),
            Some(chat) => asking.chat(chat),
        }
    }

    fn generate(&self, form: &Form, item: &Item, sample: usize) -> Generate {
        let (most, stops) = match &form.generate {
            Some(generate) => (generate.max_new_tokens, generate.stops.clone()),
            None => (0, Vec::new()),
        };
        Generate {
            max_new_tokens: self.options.max_new_tokens.unwrap_or(most),
            stops,
            sampling: self.options.sampling(&self.suite, &item.id, sample),
        }
    }

    fn refuse(&self, index: usize, problem: String) -> TaskError {
        TaskError::Response {
            suite: self.suite.clone(),
            index,
            problem,
        }
    }

    /// The samples of a task's items, all of them.
    fn answered<'a>(
        &'a self,
        task: &'a OpenTask,
        samples: &HashMap<(&str, usize), &'a Sample>,
        variant: &str,
    ) -> Result<Answered<'a>, TaskError> {
        let mut items = Vec::with_capacity(task.items.len());
        for (_, item) in &task.items {
            let own = (0..self.options.samples)
                .map_while(|sample| samples.get(&(item.id.as_str(), sample)).copied());
            let own: Vec<&Sample> = own.collect();
            if own.len() < self.options.samples {
                return Err(self.incomplete(format!(
                    "variant `{variant}` has {} samples of `{}`, and {} were asked for",
                    own.len(),
                    item.id,
                    self.options.samples
                )));
            }
            items.push((item, own));
        }
        Ok(Answered {
            scorer: &task.scorer,
            items,
        })
    }

    fn incomplete(&self, problem: String) -> TaskError {
        TaskError::Incomplete {
            what: score_name(&self.suite, &self.protocol),
            problem,
            remedy: "resume the run to its end".into(),
        }
    }

    fn rows_of<'r>(
        &'r self,
        variant: &'r str,
        part: Part,
        name: &'r str,
        outcomes: Vec<Outcome>,
    ) -> impl Iterator<Item = ResultRow> + 'r {
        outcomes.into_iter().map(move |outcome| ResultRow {
            suite: self.suite.clone(),
            task: name.to_owned(),
            part,
            protocol: self.protocol.clone(),
            variant: variant.to_owned(),
            metric: outcome.name,
            value: outcome.estimate.value,
            stderr: outcome.estimate.stderr,
            n: outcome.estimate.n,
            chance: outcome.chance,
        })
    }

    /// The groups in the order of their first tasks, each with the places of its tasks.
    fn groups(&self) -> Vec<(&str, Vec<usize>)> {
        let mut groups: Vec<(&str, Vec<usize>)> = Vec::new();
        for (place, task) in self.tasks.iter().enumerate() {
            let Some(name) = task.group.as_deref() else {
                continue;
            };
            match groups.iter_mut().find(|(known, _)| *known == name) {
                Some((_, places)) => places.push(place),
                None => groups.push((name, vec![place])),
            }
        }
        groups
    }
}

impl Task for DefinedTask {
    fn suite(&self) -> &str {
        &self.suite
    }

    fn protocol(&self) -> &str {
        &self.protocol
    }

    fn settings(&self) -> SuiteSettings {
        self.settings.clone()
    }

    fn requests(&self) -> Vec<Request> {
        let samples = self.options.samples;
        let mut requests = Vec::with_capacity(self.order.len() * samples);
        for &(task, place) in &self.order {
            let task = &self.tasks[task];
            for sample in 0..samples {
                requests.push(self.request(requests.len(), task, &task.items[place].1, sample));
            }
        }
        requests
    }

    fn slot(&self, index: usize) -> Option<Slot<'_>> {
        let (task, position, item, sample) = self.find(index)?;
        Some(Slot {
            task: &task.name,
            item: &item.id,
            position,
            sample,
            shots: &item.shots,
            target: (task.form.kind() != Kind::Loss).then_some(item.asked.target.as_str()),
        })
    }

    fn judge(&self, response: &Response) -> Result<Judgement, TaskError> {
        let refuse = |problem| self.refuse(response.index, problem);
        let (task, _, item, _) = self
            .find(response.index)
            .ok_or_else(|| refuse("no request has this index".into()))?;
        let scored = task.scorer.score(item, &response.answer);
        scored.map(Judgement::Scored).map_err(refuse)
    }

    fn rows(&self, variant: &str, samples: &[Sample]) -> Result<Vec<ResultRow>, TaskError> {
        let own = samples.iter().filter(|sample| {
            sample.suite == self.suite
                && sample.variant == variant
                && sample.protocol == self.protocol
        });
        let own: HashMap<(&str, usize), &Sample> = own
            .map(|sample| ((sample.item.as_str(), sample.sample), sample))
            .collect();
        let mut results = Vec::new();
        for task in &self.tasks {
            let answered = self.answered(task, &own, variant)?;
            results.push(
                answered
                    .results()
                    .map_err(|problem| self.incomplete(problem))?,
            );
        }
        let all: Vec<&TaskResults> = results.iter().collect();
        let mut rows: Vec<ResultRow> = self
            .rows_of(variant, Part::Whole, &self.suite, combined(&all))
            .collect();
        if self.has_tasks {
            for (name, places) in self.groups() {
                let parts: Vec<&TaskResults> =
                    places.iter().map(|&place| &results[place]).collect();
                rows.extend(self.rows_of(variant, Part::Group, name, combined(&parts)));
            }
            for (task, results) in self.tasks.iter().zip(results) {
                rows.extend(self.rows_of(variant, Part::Task, &task.name, results.outcomes));
            }
        }
        Ok(rows)
    }
}
