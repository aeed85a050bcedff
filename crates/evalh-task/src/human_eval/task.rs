//! The problems as requests, and samples as rows.

use super::{Asked, Problem, Problems, Protocol, ks_of, pass_at_k_estimates};
use crate::{Judgement, Slot, Task, TaskError, TaskOptions};
use evalh_record::{
    Answer, Generate, Part, Request, RequestKind, Response, ResultRow, Sample, SuiteSettings,
    TaskSettings,
};

/// `HumanEval` with its settings.
pub struct HumanEvalTask {
    suite: &'static str,
    problems: Problems,
    protocol: Protocol,
    options: TaskOptions,
}

impl HumanEvalTask {
    /// A task; the options have been checked.
    pub fn new(
        suite: &'static str,
        problems: Problems,
        protocol: Protocol,
        options: TaskOptions,
    ) -> HumanEvalTask {
        HumanEvalTask {
            suite,
            problems,
            protocol,
            options,
        }
    }

    fn items(&self) -> &[Problem] {
        let all = self.problems.all();
        &all[..self.options.limit.unwrap_or(all.len()).min(all.len())]
    }

    fn max_new_tokens(&self) -> usize {
        self.options
            .max_new_tokens
            .unwrap_or(self.protocol.max_new_tokens())
    }

    fn request(&self, index: usize, problem: &Problem, sample: usize) -> Request {
        Request {
            index,
            prompt: self
                .protocol
                .prompt(problem, self.options.has_chat_template),
            kind: RequestKind::Generate(Generate {
                max_new_tokens: self.max_new_tokens(),
                stops: self
                    .protocol
                    .stops()
                    .iter()
                    .map(ToString::to_string)
                    .collect(),
                sampling: self.options.sampling(self.suite, &problem.task_id, sample),
            }),
        }
    }
}

impl Task for HumanEvalTask {
    fn suite(&self) -> &str {
        self.suite
    }

    fn protocol(&self) -> &str {
        self.protocol.name()
    }

    fn settings(&self) -> SuiteSettings {
        SuiteSettings {
            name: self.suite.to_owned(),
            protocol: self.protocol.name().to_owned(),
            tasks: vec![TaskSettings {
                name: self.suite.to_owned(),
                group: None,
                items: self.items().len(),
            }],
            shots: 0,
            items: self.items().len(),
            limit: self.options.limit,
            samples: self.options.samples,
            sampling: Some(self.options.sampling_settings()),
            max_new_tokens: Some(self.max_new_tokens()),
            options: serde_json::Map::new(),
            data: vec![self.problems.identity().clone()],
        }
    }

    fn requests(&self) -> Vec<Request> {
        let samples = self.options.samples;
        self.items()
            .iter()
            .flat_map(|problem| (0..samples).map(move |sample| (problem, sample)))
            .enumerate()
            .map(|(index, (problem, sample))| self.request(index, problem, sample))
            .collect()
    }

    fn slot(&self, index: usize) -> Option<Slot<'_>> {
        let position = index / self.options.samples;
        let item = &self.items().get(position)?.task_id;
        Some(Slot {
            task: self.suite,
            item,
            position,
            sample: index % self.options.samples,
            shots: &[],
            target: None,
        })
    }

    fn judge(&self, response: &Response) -> Result<Judgement, TaskError> {
        let refuse = |problem: &str| TaskError::Response {
            suite: self.suite.to_owned(),
            index: response.index,
            problem: problem.to_owned(),
        };
        let slot = self
            .slot(response.index)
            .ok_or_else(|| refuse("no request has this index"))?;
        let Answer::Generated(generation) = &response.answer else {
            return Err(refuse("it is no text, and text was asked for"));
        };
        Ok(Judgement::Run(
            self.protocol
                .program(&self.items()[slot.position], &generation.text),
        ))
    }

    fn rows(&self, variant: &str, samples: &[Sample]) -> Result<Vec<ResultRow>, TaskError> {
        let items = self.items().iter().map(|problem| problem.task_id.as_str());
        let protocol = self.protocol.name();
        let tallies = Asked {
            suite: self.suite,
            protocol,
            samples: self.options.samples,
        }
        .tallies(items, variant, samples)?;
        let rows = pass_at_k_estimates(&tallies, &ks_of(self.options.samples))
            .into_iter()
            .map(|found| ResultRow {
                suite: self.suite.to_owned(),
                task: self.suite.to_owned(),
                part: Part::Whole,
                protocol: protocol.to_owned(),
                variant: variant.to_owned(),
                metric: found.metric(),
                value: found.estimate.value,
                stderr: found.estimate.stderr,
                n: found.estimate.n,
                chance: None,
            });
        Ok(rows.collect())
    }
}
