//! The programs as requests, and samples as rows.

use super::{
    super::{Item, Items},
    RepairProtocol,
    program::{EFFORT, SLOW},
};
use crate::{
    Judgement, Slot, Task, TaskError, TaskOptions,
    human_eval::{Asked, ks_of, pass_at_k_estimates},
};
use evalh_record::{
    Answer, Generate, Part, Request, RequestKind, Response, ResultRow, Sample, SuiteSettings,
    TaskSettings,
};
use serde_json::json;

/// The programs to repair, with the suite's settings, which have been checked.
pub(super) struct RepairTask {
    pub suite: &'static str,
    pub items: Items,
    pub protocol: RepairProtocol,
    pub options: TaskOptions,
}

impl RepairTask {
    fn items(&self) -> &[Item] {
        let all = self.items.all();
        &all[..self.options.limit.unwrap_or(all.len()).min(all.len())]
    }

    fn max_new_tokens(&self) -> usize {
        self.options
            .max_new_tokens
            .unwrap_or(self.protocol.max_new_tokens())
    }

    fn request(&self, index: usize, item: &Item, sample: usize) -> Request {
        Request {
            index,
            prompt: self.protocol.prompt(item),
            kind: RequestKind::Generate(Generate {
                max_new_tokens: self.max_new_tokens(),
                stops: self
                    .protocol
                    .stops()
                    .iter()
                    .map(ToString::to_string)
                    .collect(),
                sampling: self.options.sampling(self.suite, &item.name, sample),
            }),
        }
    }
}

impl Task for RepairTask {
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
            // Upstream's `--runslow` is off: see the test module of `knapsack`.
            options: [
                ("slow_tests".to_owned(), false.into()),
                ("effort".to_owned(), json!({ SLOW: EFFORT })),
            ]
            .into_iter()
            .collect(),
            data: self.items.files().to_vec(),
        }
    }

    fn requests(&self) -> Vec<Request> {
        let samples = self.options.samples;
        self.items()
            .iter()
            .flat_map(|item| (0..samples).map(move |sample| (item, sample)))
            .enumerate()
            .map(|(index, (item, sample))| self.request(index, item, sample))
            .collect()
    }

    fn slot(&self, index: usize) -> Option<Slot<'_>> {
        let position = index / self.options.samples;
        Some(Slot {
            task: self.suite,
            item: &self.items().get(position)?.name,
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

    /// pass@k, and `repaired`: how many of the programs were repaired by at least one of their samples. It is a count, not
    /// a share.
    fn rows(&self, variant: &str, samples: &[Sample]) -> Result<Vec<ResultRow>, TaskError> {
        let names = self.items().iter().map(|item| item.name.as_str());
        let tallies = Asked {
            suite: self.suite,
            protocol: self.protocol(),
            samples: self.options.samples,
        }
        .tallies(names, variant, samples)?;
        let row = |metric: String, value: f64, stderr: Option<f64>| ResultRow {
            suite: self.suite.to_owned(),
            task: self.suite.to_owned(),
            part: Part::Whole,
            protocol: self.protocol().to_owned(),
            variant: variant.to_owned(),
            metric,
            value,
            stderr,
            n: tallies.len(),
            chance: None,
        };
        let repaired = tallies.iter().filter(|tally| tally.passed > 0).count();
        let share = evalh_stats::mean(
            &tallies
                .iter()
                .map(|tally| f64::from(u8::from(tally.passed > 0)))
                .collect::<Vec<_>>(),
        );
        let stderr = share.and_then(|share| Some(share.stderr? * tallies.len() as f64));
        let mut rows: Vec<ResultRow> = pass_at_k_estimates(&tallies, &ks_of(self.options.samples))
            .into_iter()
            .map(|found| row(found.metric(), found.estimate.value, found.estimate.stderr))
            .collect();
        rows.push(row("repaired".into(), repaired as f64, stderr));
        Ok(rows)
    }
}
