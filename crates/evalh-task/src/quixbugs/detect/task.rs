//! The programs as questions, and answers as rows.

use super::{
    prompt::{ANSWERS, Version, question},
    suite::PROTOCOL,
};
use crate::{
    Judgement, Scored, Slot, Task, TaskError, TaskOptions,
    quixbugs::{Item, Items},
    score_name,
};
use evalh_record::{
    Answer, LogLikelihood, Part, Request, RequestKind, Response, ResultRow, Sample, SuiteSettings,
    TaskSettings,
};
use evalh_stats::{Bootstrap, classification};
use std::collections::{BTreeMap, HashMap};

/// The metrics, the headline first. A buggy program is the positive.
pub(super) const METRICS: [&str; 5] = ["f1", "precision", "recall", "balanced_acc", "acc"];

/// The programs to tell apart, with the suite's settings, which have been checked. An item's buggy program stands before
/// its fix, so that a limited run has as many of both.
pub(super) struct DetectTask {
    suite: &'static str,
    items: Items,
    protocol: String,
    options: TaskOptions,
    /// The ids of all questions, `bitcount/buggy`.
    ids: Vec<String>,
}

impl DetectTask {
    pub fn new(suite: &'static str, items: Items, options: TaskOptions) -> DetectTask {
        let ids: Vec<String> = items
            .all()
            .iter()
            .flat_map(|item| {
                Version::ALL.map(|version| format!("{}/{}", item.name, version.name()))
            })
            .collect();
        let asked = options.limit.unwrap_or(ids.len()).min(ids.len());
        DetectTask {
            suite,
            items,
            protocol: match options.chat {
                Some(_) => format!("{PROTOCOL}+chat"),
                None => PROTOCOL.to_owned(),
            },
            options,
            ids: ids.into_iter().take(asked).collect(),
        }
    }

    fn program(&self, index: usize) -> (&Item, Version) {
        let versions = Version::ALL.len();
        (
            &self.items.all()[index / versions],
            Version::ALL[index % versions],
        )
    }

    /// Gold and predicted labels of all items, in their order.
    fn labels(
        &self,
        variant: &str,
        samples: &[Sample],
    ) -> Result<(Vec<usize>, Vec<usize>), TaskError> {
        let given: HashMap<&str, usize> = samples
            .iter()
            .filter(|sample| sample.suite == self.suite && sample.variant == variant)
            .filter_map(|sample| {
                let answer = sample.extracted.as_deref()?;
                let label = ANSWERS.iter().position(|known| *known == answer)?;
                Some((sample.item.as_str(), label))
            })
            .collect();
        let mut labels = (Vec::new(), Vec::new());
        for (index, id) in self.ids.iter().enumerate() {
            let predicted = given
                .get(id.as_str())
                .ok_or_else(|| TaskError::Incomplete {
                    what: score_name(self.suite, &self.protocol),
                    problem: format!("variant `{variant}` has no answer to `{id}`"),
                    remedy: "resume the run to its end".into(),
                })?;
            labels.0.push(self.program(index).1.label());
            labels.1.push(*predicted);
        }
        Ok(labels)
    }
}

impl Task for DetectTask {
    fn suite(&self) -> &str {
        self.suite
    }

    fn protocol(&self) -> &str {
        &self.protocol
    }

    fn settings(&self) -> SuiteSettings {
        let system = self
            .options
            .chat
            .as_ref()
            .and_then(|chat| chat.system.clone());
        SuiteSettings {
            name: self.suite.to_owned(),
            protocol: self.protocol.clone(),
            tasks: vec![TaskSettings {
                name: self.suite.to_owned(),
                group: None,
                items: self.ids.len(),
            }],
            shots: 0,
            items: self.ids.len(),
            limit: self.options.limit,
            samples: 1,
            sampling: None,
            max_new_tokens: None,
            options: system
                .map(|system| ("system".to_owned(), system.into()))
                .into_iter()
                .collect(),
            data: self.items.files().to_vec(),
        }
    }

    fn requests(&self) -> Vec<Request> {
        (0..self.ids.len())
            .map(|index| {
                let (item, version) = self.program(index);
                let (prompt, continuations) = question(item, version, self.options.chat.as_ref());
                Request {
                    index,
                    prompt,
                    kind: RequestKind::LogLikelihood(LogLikelihood { continuations }),
                }
            })
            .collect()
    }

    fn slot(&self, index: usize) -> Option<Slot<'_>> {
        Some(Slot {
            task: self.suite,
            item: self.ids.get(index)?,
            position: index,
            sample: 0,
            shots: &[],
            target: Some(ANSWERS[self.program(index).1.label()]),
        })
    }

    fn judge(&self, response: &Response) -> Result<Judgement, TaskError> {
        let refuse = |problem: &str| TaskError::Response {
            suite: self.suite.to_owned(),
            index: response.index,
            problem: problem.to_owned(),
        };
        if response.index >= self.ids.len() {
            return Err(refuse("no request has this index"));
        }
        let Answer::Scored(scores) = &response.answer else {
            return Err(refuse(
                "it holds no scores, and two answers were to be scored",
            ));
        };
        let [no, yes] = scores.as_slice() else {
            return Err(refuse("it does not score two answers"));
        };
        let chosen = usize::from(yes.log_prob > no.log_prob);
        let is_right = chosen == self.program(response.index).1.label();
        Ok(Judgement::Scored(Scored {
            extracted: Some(ANSWERS[chosen].to_owned()),
            program_sha256: None,
            outcome: None,
            score: f64::from(u8::from(is_right)),
            scores: BTreeMap::new(),
        }))
    }

    fn rows(&self, variant: &str, samples: &[Sample]) -> Result<Vec<ResultRow>, TaskError> {
        let (gold, predicted) = self.labels(variant, samples)?;
        let (gold, predicted) = (gold.as_slice(), predicted.as_slice());
        let positive = Version::Buggy.label();
        let bootstrap = Bootstrap::default();
        let estimates = [
            classification::f1(gold, predicted, positive, bootstrap),
            classification::precision(gold, predicted, positive, bootstrap),
            classification::recall(gold, predicted, positive, bootstrap),
            classification::balanced_accuracy(gold, predicted, bootstrap),
            classification::accuracy(gold, predicted),
        ];
        let row = |metric: &str, estimate: evalh_stats::Estimate| ResultRow {
            suite: self.suite.to_owned(),
            task: self.suite.to_owned(),
            part: Part::Whole,
            protocol: self.protocol.clone(),
            variant: variant.to_owned(),
            metric: metric.to_owned(),
            value: estimate.value,
            stderr: estimate.stderr,
            n: estimate.n,
            // The others can be had by one answer to everything: "yes" has a recall of 1 and an F1 of 2/3.
            chance: matches!(metric, "balanced_acc" | "acc").then_some(0.5),
        };
        Ok(METRICS
            .into_iter()
            .zip(estimates)
            .filter_map(|(metric, estimate)| Some(row(metric, estimate?)))
            .collect())
    }
}
