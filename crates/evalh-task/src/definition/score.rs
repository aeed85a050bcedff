//! The score of one answer.

use super::{
    effective::Kind,
    form::{Form, Metric},
    item::Item,
    put::Fault,
    read::Reader,
};
use crate::Scored;
use evalh_record::{Answer, ContinuationScore, TextScore};
use std::collections::BTreeMap;

/// Scores the answers to one task's items.
#[derive(Debug)]
pub struct Scorer {
    kind: Kind,
    metrics: Vec<Metric>,
    reader: Reader,
    positive: usize,
}

impl Scorer {
    /// A scorer by a task's form.
    pub fn new(form: &Form) -> Result<Scorer, Fault> {
        Ok(Scorer {
            kind: form.kind(),
            metrics: form.metrics(),
            reader: Reader::new(form)?,
            positive: form.positive.unwrap_or(1),
        })
    }

    /// The metrics, the headline first.
    pub fn metrics(&self) -> &[Metric] {
        &self.metrics
    }

    /// The label that F1, precision and recall count as positive.
    pub fn positive(&self) -> usize {
        self.positive
    }

    /// The names of a metric's results: with each way of reading, as lm-eval prints them.
    pub fn names(&self, metric: Metric) -> Vec<String> {
        if metric != Metric::ExactMatch {
            return vec![metric.name().to_owned()];
        }
        let ways = self.reader.names().into_iter();
        ways.map(|way| match way {
            Some(way) => format!("{},{way}", metric.name()),
            None => metric.name().to_owned(),
        })
        .collect()
    }

    /// The name of the result that a sample's own score adds up to: the first that is a mean, or the accuracy.
    pub fn own_name(&self) -> String {
        let default = match self.kind {
            Kind::Choices => Metric::Acc,
            Kind::Generate => Metric::ExactMatch,
            Kind::Loss => Metric::NatsPerToken,
        };
        let own = self.metrics.iter().find(|metric| metric.is_mean());
        self.names(*own.unwrap_or(&default)).swap_remove(0)
    }

    /// The score of an answer.
    ///
    /// # Errors
    /// When it is not the answer to the item's question.
    pub fn score(&self, item: &Item, answer: &Answer) -> Result<Scored, String> {
        match (self.kind, answer) {
            (Kind::Choices, Answer::Scored(scores)) => self.choice(item, scores),
            (Kind::Generate, Answer::Generated(generated)) => self.text(item, &generated.text),
            (Kind::Loss, Answer::Loss(loss)) => loss_of(loss),
            (kind, _) => Err(format!("it is no answer to a request for {}", kind.field())),
        }
    }

    fn choice(&self, item: &Item, scores: &[ContinuationScore]) -> Result<Scored, String> {
        let asked = &item.asked;
        let mut rights = BTreeMap::new();
        let mut chosen = None;
        let means = self
            .metrics
            .iter()
            .copied()
            .filter(|metric| metric.is_mean());
        for metric in means.chain([Metric::Acc]) {
            let place = best(&asked.choices, scores, metric)?;
            chosen.get_or_insert(place);
            rights.insert(metric.name().to_owned(), right(place == asked.gold));
        }
        let own = self.own_name();
        if !self.metrics.contains(&Metric::Acc) && own != Metric::Acc.name() {
            rights.remove(Metric::Acc.name());
        }
        let chosen = chosen
            .and_then(|place: usize| asked.choices.get(place))
            .cloned();
        Ok(scored(chosen, rights, &own))
    }

    fn text(&self, item: &Item, text: &str) -> Result<Scored, String> {
        let answers = self.reader.answers(text)?;
        let names = self.names(Metric::ExactMatch);
        let mut rights = BTreeMap::new();
        for (name, answer) in names.into_iter().zip(&answers) {
            let is_right = self.reader.is_right(answer, &item.asked.target)?;
            rights.insert(name, right(is_right));
        }
        let read = self.reader.names()[0].is_some();
        let extracted = read.then(|| answers.into_iter().next()).flatten();
        Ok(scored(extracted, rights, &self.own_name()))
    }
}

/// The place of the best choice by a metric's measure: the log-likelihood, or that a character or byte of the choice. The
/// first of equal ones (lm-eval: numpy's `argmax`).
pub fn best(
    choices: &[String],
    scores: &[ContinuationScore],
    metric: Metric,
) -> Result<usize, String> {
    if choices.len() != scores.len() {
        return Err(format!(
            "it scores {} choices of {}",
            scores.len(),
            choices.len()
        ));
    }
    let mut best: Option<(usize, f64)> = None;
    for (place, (choice, score)) in choices.iter().zip(scores).enumerate() {
        let length = match metric {
            Metric::AccNorm => choice.chars().count(),
            Metric::AccBytes => choice.len(),
            _ => 1,
        };
        let value = score.log_prob / length as f64;
        if value.is_nan() {
            return Err(format!(
                "the log-likelihood of choice {place} (from 0) is no number"
            ));
        }
        if best.is_none_or(|(_, known)| value > known) {
            best = Some((place, value));
        }
    }
    best.map(|(place, _)| place)
        .ok_or_else(|| "it scores no choice".to_owned())
}

fn loss_of(loss: &TextScore) -> Result<Scored, String> {
    let score = -loss.log_prob / loss.tokens as f64;
    if !score.is_finite() {
        return Err(format!(
            "its loss is no number ({} nats over {} tokens)",
            -loss.log_prob, loss.tokens
        ));
    }
    Ok(Scored {
        extracted: None,
        program_sha256: None,
        outcome: None,
        score,
        scores: BTreeMap::new(),
    })
}

fn right(is_right: bool) -> f64 {
    if is_right { 1.0 } else { 0.0 }
}

fn scored(extracted: Option<String>, mut scores: BTreeMap<String, f64>, own: &str) -> Scored {
    Scored {
        extracted,
        program_sha256: None,
        outcome: None,
        score: scores.remove(own).unwrap_or(0.0),
        scores,
    }
}
