//! Problems as requests, and samples as rows.

use super::{Asked, Tally, ks_of, pass_at_k_estimates};
use crate::{Judgement, Program, Slot, Task, TaskError, TaskOptions};
use evalh_record::{
    Answer, FileIdentity, Generate, Part, Prompt, Request, RequestKind, Response, ResultRow,
    Sample, SuiteSettings, TaskSettings,
};
use serde_json::{Map, Value};

/// Problems in the way in which one protocol puts them.
pub(crate) trait Problems: Send + Sync {
    /// The protocol's name.
    fn protocol(&self) -> &'static str;

    /// How many there are.
    fn count(&self) -> usize;

    /// The id of the problem at a place.
    fn id(&self, place: usize) -> &str;

    /// What the model reads.
    fn prompt(&self, place: usize, has_chat_template: bool) -> Prompt;

    /// What is right, where the data tells it.
    fn reference(&self, place: usize) -> Option<&str>;

    /// The program that an answer is, with its tests.
    fn program(&self, place: usize, answer: &str) -> Program;

    /// The strings that end an answer.
    fn stops(&self) -> &'static [&'static str];

    /// Most tokens of an answer.
    fn max_new_tokens(&self) -> usize;

    /// The files they come from.
    fn files(&self) -> Vec<FileIdentity>;

    /// What else can change a score, for the record.
    fn settings(&self) -> Map<String, Value> {
        Map::new()
    }

    /// Metrics beside pass@k.
    fn metrics(&self, _tallies: &[Tally]) -> Vec<Metric> {
        Vec::new()
    }
}

/// A metric over all problems.
pub(crate) struct Metric {
    /// Its name.
    pub name: &'static str,
    /// Its value.
    pub value: f64,
    /// The standard error.
    pub stderr: Option<f64>,
}

/// Problems with a suite's settings, which have been checked.
pub(crate) struct WritingTask<P> {
    /// The suite.
    pub suite: &'static str,
    /// Its problems.
    pub problems: P,
    /// Its settings.
    pub options: TaskOptions,
}

impl<P: Problems> WritingTask<P> {
    /// Problems asked.
    fn count(&self) -> usize {
        let all = self.problems.count();
        self.options.limit.unwrap_or(all).min(all)
    }

    fn max_new_tokens(&self) -> usize {
        let own = self.options.max_new_tokens;
        own.unwrap_or(self.problems.max_new_tokens())
    }

    fn request(&self, index: usize) -> Request {
        let (place, sample) = (index / self.options.samples, index % self.options.samples);
        let stops = self.problems.stops().iter();
        let sampling = self
            .options
            .sampling(self.suite, self.problems.id(place), sample);
        Request {
            index,
            prompt: self.problems.prompt(place, self.options.has_chat_template),
            kind: RequestKind::Generate(Generate {
                max_new_tokens: self.max_new_tokens(),
                stops: stops.map(ToString::to_string).collect(),
                sampling,
            }),
        }
    }
}

impl<P: Problems> Task for WritingTask<P> {
    fn suite(&self) -> &str {
        self.suite
    }

    fn protocol(&self) -> &str {
        self.problems.protocol()
    }

    fn settings(&self) -> SuiteSettings {
        SuiteSettings {
            name: self.suite.to_owned(),
            protocol: self.problems.protocol().to_owned(),
            tasks: vec![TaskSettings {
                name: self.suite.to_owned(),
                group: None,
                items: self.count(),
            }],
            shots: 0,
            items: self.count(),
            limit: self.options.limit,
            samples: self.options.samples,
            sampling: Some(self.options.sampling_settings()),
            max_new_tokens: Some(self.max_new_tokens()),
            options: self.problems.settings(),
            data: self.problems.files(),
        }
    }

    fn requests(&self) -> Vec<Request> {
        let all = 0..self.count() * self.options.samples;
        all.map(|index| self.request(index)).collect()
    }

    fn slot(&self, index: usize) -> Option<Slot<'_>> {
        let position = index / self.options.samples;
        (position < self.count()).then(|| Slot {
            task: self.suite,
            item: self.problems.id(position),
            position,
            sample: index % self.options.samples,
            shots: &[],
            target: None,
        })
    }

    fn reference(&self, index: usize) -> Option<String> {
        let place = index / self.options.samples;
        let reference = (place < self.count()).then(|| self.problems.reference(place))?;
        reference.map(str::to_owned)
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
            self.problems.program(slot.position, &generation.text),
        ))
    }

    fn rows(&self, variant: &str, samples: &[Sample]) -> Result<Vec<ResultRow>, TaskError> {
        let protocol = self.problems.protocol();
        let tallies = Asked {
            suite: self.suite,
            protocol,
            samples: self.options.samples,
        }
        .tallies(
            (0..self.count()).map(|place| self.problems.id(place)),
            variant,
            samples,
        )?;
        let row = |metric: String, value, stderr| ResultRow {
            suite: self.suite.to_owned(),
            task: self.suite.to_owned(),
            part: Part::Whole,
            protocol: protocol.to_owned(),
            variant: variant.to_owned(),
            metric,
            value,
            stderr,
            n: tallies.len(),
            chance: None,
        };
        let passed = pass_at_k_estimates(&tallies, &ks_of(self.options.samples)).into_iter();
        let mut rows: Vec<ResultRow> = passed
            .map(|found| row(found.metric(), found.estimate.value, found.estimate.stderr))
            .collect();
        let others = self.problems.metrics(&tallies).into_iter();
        rows.extend(others.map(|found| row(found.name.to_owned(), found.value, found.stderr)));
        Ok(rows)
    }
}
