//! From answers to a task's scores.

use super::{data::Gold, form::HeadMetric, form::HeadTask, head::Predicted};
use crate::Scored;
use evalh_stats::{Bootstrap, Estimate, classification, correlation};
use std::collections::BTreeMap;

/// The largest number of STS-B's scale, from 0.
const SCALE: f64 = 5.0;

/// The score of one answer: 1 right, 0 wrong. Of a number, how near it is on the scale: `1 - |error| / 5`, not below 0; no
/// metric rests on that.
pub fn score(task: &HeadTask, gold: Gold, predicted: Predicted) -> Scored {
    let (extracted, score) = match (gold, predicted) {
        (Gold::Number(gold), Predicted::Number(number)) => (
            number.to_string(),
            (1.0 - (number - gold).abs() / SCALE).max(0.0),
        ),
        (gold, Predicted::Label(label)) => (
            task.labels[label].clone(),
            f64::from(u8::from(gold == Gold::Label(label))),
        ),
        (Gold::Label(_), Predicted::Number(number)) => (number.to_string(), 0.0),
    };
    Scored {
        extracted: Some(extracted),
        program_sha256: None,
        outcome: None,
        score,
        scores: BTreeMap::new(),
    }
}

/// A task's value by a metric, from what is right and what was answered.
///
/// # Errors
/// When the metric has no value: a model that always gives the same number has no correlation.
pub fn estimate(metric: HeadMetric, answers: &[(Gold, Predicted)]) -> Result<Estimate, String> {
    let bootstrap = Bootstrap::default();
    let labels = || -> (Vec<usize>, Vec<usize>) {
        let both = answers.iter().filter_map(|pair| match pair {
            (Gold::Label(gold), Predicted::Label(label)) => Some((*gold, *label)),
            _ => None,
        });
        both.unzip()
    };
    let numbers = || -> (Vec<f64>, Vec<f64>) {
        let both = answers.iter().filter_map(|pair| match pair {
            (Gold::Number(gold), Predicted::Number(number)) => Some((*gold, *number)),
            _ => None,
        });
        both.unzip()
    };
    let (value, what) = match metric {
        HeadMetric::Acc => {
            let (gold, predicted) = labels();
            (classification::accuracy(&gold, &predicted), "item")
        }
        HeadMetric::F1 => {
            let (gold, predicted) = labels();
            (classification::f1(&gold, &predicted, 1, bootstrap), "item")
        }
        HeadMetric::Mcc => {
            let (gold, predicted) = labels();
            (
                classification::matthews(&gold, &predicted, bootstrap),
                "item",
            )
        }
        HeadMetric::Pearson => {
            let (gold, predicted) = numbers();
            (correlation::pearson(&gold, &predicted, bootstrap), "spread")
        }
        HeadMetric::Spearman => {
            let (gold, predicted) = numbers();
            (
                correlation::spearman(&gold, &predicted, bootstrap),
                "spread",
            )
        }
    };
    value.ok_or_else(|| format!("{} has no value: there is no {what}", metric.name()))
}

/// What a metric gives to one who guesses.
pub fn chance(task: &HeadTask, metric: HeadMetric) -> Option<f64> {
    match metric {
        HeadMetric::Acc => Some(1.0 / task.labels.len() as f64),
        HeadMetric::F1 => None,
        HeadMetric::Mcc | HeadMetric::Pearson | HeadMetric::Spearman => Some(0.0),
    }
}
