//! From samples to the results of a task.

use super::{
    combine::{TaskResults, Texts},
    form::Metric,
    item::Item,
    score::{Scorer, best},
};
use evalh_record::{Answer, Sample};
use evalh_stats::{Bootstrap, Estimate, classification, mean};

/// One metric's result for one task, group or suite.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// Its name.
    pub name: String,
    /// Its metric; `None` for an average over tasks of several.
    pub metric: Option<Metric>,
    /// Its value.
    pub estimate: Estimate,
    /// What it gives to one who guesses.
    pub chance: Option<f64>,
}

/// A task's items with all of their samples.
pub struct Answered<'a> {
    /// How they are scored.
    pub scorer: &'a Scorer,
    /// The items, each with its samples in their order.
    pub items: Vec<(&'a Item, Vec<&'a Sample>)>,
}

impl Answered<'_> {
    /// The task's results, the headline first.
    ///
    /// # Errors
    /// When a sample does not hold what the metrics need.
    pub fn results(&self) -> Result<TaskResults, String> {
        let texts = self.texts();
        let mut outcomes = Vec::new();
        for &metric in self.scorer.metrics() {
            for name in self.scorer.names(metric) {
                let estimate = match &texts {
                    Some(texts) => texts.estimate(metric),
                    None => self.estimate(metric, &name)?,
                };
                outcomes.push(Outcome {
                    estimate: estimate.ok_or_else(|| format!("{name} has no value"))?,
                    metric: Some(metric),
                    chance: self.chance(metric),
                    name,
                });
            }
        }
        Ok(TaskResults { outcomes, texts })
    }

    fn estimate(&self, metric: Metric, name: &str) -> Result<Option<Estimate>, String> {
        if metric.is_mean() {
            return Ok(mean(&self.means(name)?));
        }
        let (gold, predicted) = self.labels()?;
        let (positive, bootstrap) = (self.scorer.positive(), Bootstrap::default());
        Ok(match metric {
            Metric::F1 => classification::f1(&gold, &predicted, positive, bootstrap),
            Metric::Precision => classification::precision(&gold, &predicted, positive, bootstrap),
            Metric::Recall => classification::recall(&gold, &predicted, positive, bootstrap),
            Metric::BalancedAcc => classification::balanced_accuracy(&gold, &predicted, bootstrap),
            Metric::Mcc => classification::matthews(&gold, &predicted, bootstrap),
            _ => None,
        })
    }

    /// For each item the mean over its samples.
    fn means(&self, name: &str) -> Result<Vec<f64>, String> {
        let is_own = self.scorer.own_name() == name;
        let of_sample = |sample: &&Sample| {
            let found = if is_own {
                Some(sample.score)
            } else {
                sample.scores.get(name).copied()
            };
            found.ok_or_else(|| format!("a sample of `{}` has no {name}", sample.item))
        };
        let of_item = |(_, samples): &(&Item, Vec<&Sample>)| {
            let scores: Vec<f64> = samples.iter().map(of_sample).collect::<Result<_, _>>()?;
            Ok(scores.iter().sum::<f64>() / scores.len() as f64)
        };
        self.items.iter().map(of_item).collect()
    }

    /// Right and chosen labels of all samples.
    fn labels(&self) -> Result<(Vec<usize>, Vec<usize>), String> {
        let (mut gold, mut predicted) = (Vec::new(), Vec::new());
        for (item, samples) in &self.items {
            for sample in samples {
                let Answer::Scored(scores) = &sample.answer else {
                    return Err(format!("a sample of `{}` scores no choices", sample.item));
                };
                gold.push(item.asked.gold);
                predicted.push(best(&item.asked.choices, scores, Metric::Acc)?);
            }
        }
        Ok((gold, predicted))
    }

    /// The texts, where the loss of all was taken.
    fn texts(&self) -> Option<Texts> {
        let mut texts = Texts::default();
        for (item, samples) in &self.items {
            for sample in samples {
                let Answer::Loss(loss) = &sample.answer else {
                    return None;
                };
                texts.log_probs.push(loss.log_prob);
                texts.tokens.push(loss.tokens);
                texts.bytes.push(loss.bytes);
                texts.words.push(item.words());
            }
        }
        Some(texts)
    }

    fn chance(&self, metric: Metric) -> Option<f64> {
        match metric {
            Metric::Acc | Metric::AccNorm | Metric::AccBytes | Metric::BalancedAcc => {
                let guesses = self
                    .items
                    .iter()
                    .map(|(item, _)| 1.0 / item.asked.choices.len() as f64);
                Some(guesses.sum::<f64>() / self.items.len() as f64)
            }
            Metric::Mcc => Some(0.0),
            _ => None,
        }
    }
}
