//! The opened suite: requests out, samples and rows back.

use super::{
    data::Item,
    form::HeadTask,
    head::Head,
    metric::{chance, estimate, score},
    suite::PROTOCOL,
};
use crate::{Judgement, Slot, Task, TaskError, score_name};
use evalh_record::{
    FileIdentity, Part, Request, RequestKind, Response, ResultRow, Sample, SuiteSettings,
    TaskSettings,
};
use evalh_stats::Estimate;
use serde_json::{Map, Value};
use std::collections::HashMap;

/// The tasks of GLUE whose mean is the benchmark's score: nine, of which MNLI has two sets.
const ALL: usize = 10;

/// A task with its rows.
pub struct OpenHeadTask {
    /// The task.
    pub task: HeadTask,
    /// How the head answers it.
    pub head: Head,
    /// All of its rows.
    pub items: Vec<Item>,
    /// Rows of the tasks before.
    pub offset: usize,
}

/// One asked item.
struct Asked {
    /// The task's place among those asked.
    task: usize,
    /// The row's number.
    row: usize,
    id: String,
    target: String,
}

/// GLUE, opened.
pub struct GlueTask {
    suite: &'static str,
    tasks: Vec<OpenHeadTask>,
    order: Vec<Asked>,
    settings: SuiteSettings,
}

/// A task's metrics with their values, the headline first.
type Outcomes = Vec<(&'static str, Estimate, Option<f64>)>;

impl GlueTask {
    /// The opened tasks, of each the rows that are asked; tasks without are left out.
    pub fn new(
        suite: &'static str,
        opened: Vec<OpenHeadTask>,
        rows: &[Vec<usize>],
        limit: Option<usize>,
        options: Map<String, Value>,
        data: Vec<FileIdentity>,
    ) -> GlueTask {
        let asked: Vec<(OpenHeadTask, &Vec<usize>)> = (opened.into_iter().zip(rows))
            .filter(|(_, rows)| !rows.is_empty())
            .collect();
        let mut order = Vec::new();
        for (place, (open, rows)) in asked.iter().enumerate() {
            order.extend(rows.iter().map(|&row| Asked {
                task: place,
                row,
                id: format!("{}/{row}", open.task.name),
                target: target(&open.task, &open.items[row]),
            }));
        }
        let settings = SuiteSettings {
            name: suite.to_owned(),
            protocol: PROTOCOL.to_owned(),
            tasks: (asked.iter())
                .map(|(open, rows)| TaskSettings {
                    name: open.task.name.clone(),
                    group: None,
                    items: rows.len(),
                })
                .collect(),
            shots: 0,
            items: order.len(),
            limit,
            samples: 1,
            sampling: None,
            max_new_tokens: None,
            options,
            data,
        };
        GlueTask {
            suite,
            tasks: asked.into_iter().map(|(open, _)| open).collect(),
            order,
            settings,
        }
    }

    fn item(&self, asked: &Asked) -> (&OpenHeadTask, &Item) {
        let open = &self.tasks[asked.task];
        (open, &open.items[asked.row])
    }

    fn refuse(&self, index: usize, problem: String) -> TaskError {
        TaskError::Response {
            suite: self.suite.to_owned(),
            index,
            problem,
        }
    }

    fn incomplete(&self, problem: String, remedy: &str) -> TaskError {
        TaskError::Incomplete {
            what: score_name(self.suite, PROTOCOL),
            problem,
            remedy: remedy.to_owned(),
        }
    }

    /// The outcomes of the task of this place.
    fn outcomes(
        &self,
        place: usize,
        variant: &str,
        samples: &HashMap<&str, &Sample>,
    ) -> Result<Outcomes, TaskError> {
        let open = &self.tasks[place];
        let mut answers = Vec::new();
        for asked in self.order.iter().filter(|asked| asked.task == place) {
            let sample = samples.get(asked.id.as_str()).ok_or_else(|| {
                let problem = format!("variant `{variant}` has no sample of `{}`", asked.id);
                self.incomplete(problem, "resume the run to its end")
            })?;
            let read = open.head.read(&open.task, &sample.answer);
            let predicted = read.map_err(|problem| {
                let problem = format!("the sample of `{}`: {problem}", asked.id);
                self.incomplete(
                    problem,
                    "delete its line from samples.jsonl and resume the run",
                )
            })?;
            answers.push((open.items[asked.row].gold, predicted));
        }
        let metrics = open.task.metrics.iter();
        metrics
            .map(|&metric| {
                let value = estimate(metric, &answers).map_err(|problem| {
                    let problem = format!("variant `{variant}`, task `{}`: {problem}", open.task.name);
                    self.incomplete(
                        problem,
                        "ask more items, or check the checkpoint: its head gives one number for all of them",
                    )
                })?;
                Ok((metric.name(), value, chance(&open.task, metric)))
            })
            .collect()
    }

    /// The benchmark's score as the GLUE paper has it: the mean over tasks, of which each counts with the mean of its
    /// metrics, and MNLI with the mean of its two sets. It is called so only where all tasks were asked.
    fn whole(&self, outcomes: &[Outcomes]) -> Outcomes {
        if let [only] = outcomes {
            return only.clone();
        }
        let mut benchmarks: Vec<(&str, Vec<Mean>)> = Vec::new();
        for (open, outcomes) in self.tasks.iter().zip(outcomes) {
            let name = open.task.name.split('_').next().unwrap_or_default();
            let metrics = outcomes.iter().map(|(_, estimate, chance)| Mean {
                value: estimate.value,
                chance: *chance,
            });
            let task = Mean::of(metrics);
            match benchmarks.iter_mut().find(|(known, _)| *known == name) {
                Some((_, sets)) => sets.push(task),
                None => benchmarks.push((name, vec![task])),
            }
        }
        let benchmarks = benchmarks.into_iter();
        let whole = Mean::of(benchmarks.map(|(_, sets)| Mean::of(sets.into_iter())));
        let estimate = Estimate {
            value: whole.value,
            // two metrics of the same answers are not independent, so no error follows from theirs
            stderr: None,
            n: self.order.len(),
        };
        let name = if outcomes.len() == ALL {
            "glue_score"
        } else {
            "average"
        };
        vec![(name, estimate, whole.chance)]
    }
}

/// A mean of metrics, and of what they give to one who guesses, where that can be told of all.
#[derive(Clone, Copy)]
struct Mean {
    value: f64,
    chance: Option<f64>,
}

impl Mean {
    fn of(parts: impl Iterator<Item = Mean>) -> Mean {
        let parts: Vec<Mean> = parts.collect();
        let count = parts.len() as f64;
        let chances: Option<f64> = parts.iter().map(|part| part.chance).sum();
        Mean {
            value: parts.iter().map(|part| part.value).sum::<f64>() / count,
            chance: chances.map(|chances| chances / count),
        }
    }
}

fn target(task: &HeadTask, item: &Item) -> String {
    match item.gold {
        super::data::Gold::Label(label) => task.labels[label].clone(),
        super::data::Gold::Number(number) => (number as f32).to_string(),
    }
}

impl Task for GlueTask {
    fn suite(&self) -> &str {
        self.suite
    }

    fn protocol(&self) -> &str {
        PROTOCOL
    }

    fn settings(&self) -> SuiteSettings {
        self.settings.clone()
    }

    fn requests(&self) -> Vec<Request> {
        let asked = self.order.iter().enumerate();
        asked
            .map(|(index, asked)| Request {
                index,
                prompt: self.item(asked).1.prompt.clone(),
                kind: RequestKind::Classify,
            })
            .collect()
    }

    fn slot(&self, index: usize) -> Option<Slot<'_>> {
        let asked = self.order.get(index)?;
        let open = &self.tasks[asked.task];
        Some(Slot {
            task: &open.task.name,
            item: &asked.id,
            position: open.offset + asked.row,
            sample: 0,
            shots: &[],
            target: Some(&asked.target),
        })
    }

    fn judge(&self, response: &Response) -> Result<Judgement, TaskError> {
        let refuse = |problem| self.refuse(response.index, problem);
        let asked = self.order.get(response.index);
        let asked = asked.ok_or_else(|| refuse("no request has this index".into()))?;
        let (open, item) = self.item(asked);
        let predicted = open
            .head
            .read(&open.task, &response.answer)
            .map_err(refuse)?;
        Ok(Judgement::Scored(score(&open.task, item.gold, predicted)))
    }

    fn rows(&self, variant: &str, samples: &[Sample]) -> Result<Vec<ResultRow>, TaskError> {
        let own = samples.iter().filter(|sample| {
            sample.suite == self.suite && sample.variant == variant && sample.protocol == PROTOCOL
        });
        let own: HashMap<&str, &Sample> =
            own.map(|sample| (sample.item.as_str(), sample)).collect();
        let outcomes: Vec<Outcomes> = (0..self.tasks.len())
            .map(|place| self.outcomes(place, variant, &own))
            .collect::<Result<_, _>>()?;
        let row = |part, task: &str, (metric, estimate, chance): (&str, Estimate, Option<f64>)| {
            ResultRow {
                suite: self.suite.to_owned(),
                task: task.to_owned(),
                part,
                protocol: PROTOCOL.to_owned(),
                variant: variant.to_owned(),
                metric: metric.to_owned(),
                value: estimate.value,
                stderr: estimate.stderr,
                n: estimate.n,
                chance,
            }
        };
        let whole = self.whole(&outcomes).into_iter();
        let mut rows: Vec<ResultRow> = whole.map(|of| row(Part::Whole, self.suite, of)).collect();
        for (open, outcomes) in self.tasks.iter().zip(outcomes) {
            rows.extend(
                outcomes
                    .into_iter()
                    .map(|of| row(Part::Task, &open.task.name, of)),
            );
        }
        Ok(rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        glue::{data::Gold, form::tasks},
        sample,
    };
    use evalh_record::{Answer, Prompt, sha256_bytes};

    /// Two items of each task, which a head answers with its first label, or with the right number.
    #[test]
    fn all_tasks_make_the_score_of_the_paper() {
        let opened: Vec<OpenHeadTask> = (tasks().iter().cloned())
            .map(|task| {
                let gold = |place: usize| match task.name.as_str() {
                    "stsb" => Gold::Number(1.0 + place as f64),
                    "mnli_mismatched" => Gold::Label(1),
                    _ => Gold::Label(0),
                };
                let item = |place| Item {
                    prompt: Prompt::Text(String::new()),
                    gold: gold(place),
                };
                OpenHeadTask {
                    items: vec![item(0), item(1)],
                    head: Head::new("glue", &task, &[]).unwrap(),
                    offset: 0,
                    task,
                }
            })
            .collect();
        let all = vec![vec![0, 1]; opened.len()];
        let task = GlueTask::new("glue", opened, &all, None, Map::new(), Vec::new());
        let samples: Vec<Sample> = (0..task.order.len())
            .map(|index| {
                let open = &task.tasks[task.order[index].task];
                let mut outputs = vec![0.0; open.task.outputs()];
                outputs[0] = 1.0 + task.order[index].row as f32;
                let response = Response {
                    index,
                    prompt_sha256: sha256_bytes(b""),
                    prompt_tokens: 1,
                    truncated_tokens: 0,
                    answer: Answer::Classified(outputs),
                };
                let Judgement::Scored(scored) = task.judge(&response).unwrap() else {
                    panic!("nothing runs")
                };
                sample(&task, "base", response, scored).unwrap()
            })
            .collect();
        let rows = task.rows("base", &samples).unwrap();
        assert_eq!(
            (rows[0].metric.as_str(), rows[0].part),
            ("glue_score", Part::Whole)
        );
        // Matthews 0; accuracies 1; F1 of the second label 0; correlations 1; MNLI 1 and 0
        let tasks = [0.0, 1.0, 0.5, 1.0, 0.5, 0.5, 1.0, 1.0, 1.0];
        let mean = tasks.iter().sum::<f64>() / 9.0;
        assert!((rows[0].value - mean).abs() < 1e-12, "{}", rows[0].value);
        assert_eq!((rows.len(), rows[0].n), (1 + 13, 20));
    }
}
