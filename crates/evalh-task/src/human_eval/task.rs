//! The problems as requests, and samples as rows.

use super::{Problem, Problems, Protocol, REFERENCE_KS, Tally, pass_at_k_estimates};
use crate::{Judgement, Slot, Task, TaskError, TaskOptions, score_name};
use evalh_record::{
    Answer, Generate, Part, Request, RequestKind, Response, ResultRow, Sample, SuiteSettings,
    TaskSettings,
};
use std::collections::BTreeSet;

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

    /// 1, 10 and 100 as far as there are so many samples, and the number of samples itself.
    fn ks(&self) -> Vec<u64> {
        let samples = self.options.samples as u64;
        let mut ks: Vec<u64> = REFERENCE_KS.into_iter().filter(|&k| k < samples).collect();
        ks.push(samples);
        ks
    }

    /// One tally an item, each complete.
    fn tallies(&self, variant: &str, samples: &[Sample]) -> Result<Vec<Tally>, TaskError> {
        let mut tallies = vec![Tally::default(); self.items().len()];
        let mut seen = BTreeSet::new();
        for sample in samples
            .iter()
            .filter(|sample| sample.suite == self.suite && sample.variant == variant)
        {
            let tally = self
                .problems
                .position(&sample.item)
                .and_then(|position| tallies.get_mut(position));
            if let Some(tally) = tally
                && seen.insert((&sample.item, sample.sample))
            {
                tally.count(sample.score >= 1.0);
            }
        }
        for (problem, tally) in self.items().iter().zip(&tallies) {
            if tally.samples != self.options.samples as u64 {
                return Err(TaskError::Incomplete {
                    what: score_name(self.suite, self.protocol.name()),
                    problem: format!(
                        "variant `{variant}` has {} samples of `{}`, and {} were asked for",
                        tally.samples, problem.task_id, self.options.samples
                    ),
                    remedy: "resume the run to its end".into(),
                });
            }
        }
        Ok(tallies)
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
        let tallies = self.tallies(variant, samples)?;
        let rows = pass_at_k_estimates(&tallies, &self.ks())
            .into_iter()
            .map(|found| ResultRow {
                suite: self.suite.to_owned(),
                task: self.suite.to_owned(),
                part: Part::Whole,
                protocol: self.protocol.name().to_owned(),
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
