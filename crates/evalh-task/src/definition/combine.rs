//! From the results of tasks to those of a group and of the suite.

use super::{form::Metric, results::Outcome};
use evalh_stats::{Bootstrap, Estimate, loss, pooled};

/// The name of the mean over tasks whose headlines cannot be counted together.
const AVERAGE: &str = "average";

/// A task's results, with what those of a group need.
pub struct TaskResults {
    /// Its results, the headline first.
    pub outcomes: Vec<Outcome>,
    /// The texts, where the loss was taken.
    pub texts: Option<Texts>,
}

/// The texts of which the loss was taken.
#[derive(Debug, Clone, Default)]
pub struct Texts {
    /// Log-probability of each, in nats.
    pub log_probs: Vec<f64>,
    /// Tokens of each.
    pub tokens: Vec<usize>,
    /// Bytes of each.
    pub bytes: Vec<usize>,
    /// Words of each.
    pub words: Vec<usize>,
}

impl Texts {
    /// A metric over all texts; `None` where it is no metric of a loss, or has no value.
    pub fn estimate(&self, metric: Metric) -> Option<Estimate> {
        let bootstrap = Bootstrap::default();
        match metric {
            Metric::NatsPerToken => loss::nats_per_token(&self.log_probs, &self.tokens, bootstrap),
            Metric::BitsPerByte => loss::bits_per_byte(&self.log_probs, &self.bytes, bootstrap),
            Metric::WordPerplexity => {
                loss::word_perplexity(&self.log_probs, &self.words, bootstrap)
            }
            _ => None,
        }
    }

    fn of_all(parts: &[&TaskResults]) -> Texts {
        let mut all = Texts::default();
        for texts in parts.iter().filter_map(|part| part.texts.as_ref()) {
            all.log_probs.extend(&texts.log_probs);
            all.tokens.extend(&texts.tokens);
            all.bytes.extend(&texts.bytes);
            all.words.extend(&texts.words);
        }
        all
    }
}

/// The results of several tasks together, the headline first.
///
/// A metric that all tasks have and that is a mean over items is taken over all their items, with lm-eval's standard error
/// of a group; losses are taken over all texts. Where the tasks' headlines are not all one such metric, the headline is the
/// plain mean of them, `average`, with the standard error of a mean of independent values (lm-eval's
/// `unweighted_mean_stderr`).
pub fn combined(parts: &[&TaskResults]) -> Vec<Outcome> {
    let [first, rest @ ..] = parts else {
        return Vec::new();
    };
    if rest.is_empty() {
        return first.outcomes.clone();
    }
    let mut outcomes = Vec::new();
    let mut headline_is_shared = false;
    for (place, outcome) in first.outcomes.iter().enumerate() {
        let same: Vec<&Outcome> = parts
            .iter()
            .filter_map(|part| {
                part.outcomes
                    .iter()
                    .find(|other| other.name == outcome.name)
            })
            .collect();
        if same.len() < parts.len() {
            continue;
        }
        let Some(estimate) = counted_together(parts, &same) else {
            continue;
        };
        let is_headline = |part: &&TaskResults| {
            part.outcomes
                .first()
                .is_some_and(|headline| headline.name == outcome.name)
        };
        headline_is_shared |= place == 0 && parts.iter().all(is_headline);
        outcomes.push(Outcome {
            chance: weighted_chance(&same),
            estimate,
            ..outcome.clone()
        });
    }
    if !headline_is_shared {
        let headlines: Vec<&Outcome> = parts
            .iter()
            .filter_map(|part| part.outcomes.first())
            .collect();
        outcomes.insert(0, average(&headlines));
    }
    outcomes
}

fn counted_together(parts: &[&TaskResults], same: &[&Outcome]) -> Option<Estimate> {
    let metric = same.first()?.metric?;
    if metric.is_mean() {
        let estimates: Vec<Estimate> = same.iter().map(|outcome| outcome.estimate).collect();
        return pooled(&estimates);
    }
    Texts::of_all(parts).estimate(metric)
}

fn weighted_chance(same: &[&Outcome]) -> Option<f64> {
    let (mut sum, mut items) = (0.0, 0);
    for outcome in same {
        sum += outcome.chance? * outcome.estimate.n as f64;
        items += outcome.estimate.n;
    }
    Some(sum / items as f64)
}

fn average(headlines: &[&Outcome]) -> Outcome {
    let count = headlines.len() as f64;
    let squares: Option<f64> = headlines
        .iter()
        .map(|headline| headline.estimate.stderr.map(|stderr| stderr * stderr))
        .sum();
    let chances: Option<f64> = headlines.iter().map(|headline| headline.chance).sum();
    Outcome {
        name: AVERAGE.into(),
        metric: None,
        estimate: Estimate {
            value: headlines
                .iter()
                .map(|headline| headline.estimate.value)
                .sum::<f64>()
                / count,
            stderr: squares.map(|squares| squares.sqrt() / count),
            n: headlines.iter().map(|headline| headline.estimate.n).sum(),
        },
        chance: chances.map(|chances| chances / count),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(results: &[(&str, Metric, f64, f64, usize, f64)]) -> TaskResults {
        let outcomes = results
            .iter()
            .map(|&(name, metric, value, stderr, n, chance)| Outcome {
                name: name.into(),
                metric: Some(metric),
                estimate: Estimate {
                    value,
                    stderr: Some(stderr),
                    n,
                },
                chance: Some(chance),
            });
        TaskResults {
            outcomes: outcomes.collect(),
            texts: None,
        }
    }

    #[test]
    fn a_shared_mean_is_taken_over_all_items() {
        let parts = [
            task(&[
                ("acc", Metric::Acc, 0.5, 0.1, 10, 0.5),
                ("f1", Metric::F1, 0.3, 0.1, 10, 0.0),
            ]),
            task(&[("acc", Metric::Acc, 0.8, 0.1, 30, 0.25)]),
        ];
        let found = combined(&[&parts[0], &parts[1]]);
        assert_eq!(found.len(), 1);
        assert!((found[0].estimate.value - 0.725).abs() < 1e-15);
        assert!((found[0].chance.unwrap() - 0.3125).abs() < 1e-15);
        assert_eq!(found[0].estimate.n, 40);
    }

    #[test]
    fn headlines_of_several_metrics_are_averaged() {
        let parts = [
            task(&[("mcc", Metric::Mcc, 0.1, 0.3, 10, 0.0)]),
            task(&[("acc", Metric::Acc, 0.7, 0.4, 30, 0.5)]),
        ];
        let found = combined(&[&parts[0], &parts[1]]);
        assert_eq!(found.len(), 1);
        assert_eq!(
            (found[0].name.as_str(), found[0].estimate.n),
            ("average", 40)
        );
        assert!((found[0].estimate.value - 0.4).abs() < 1e-15);
        assert!((found[0].estimate.stderr.unwrap() - 0.25).abs() < 1e-15);
        assert_eq!(found[0].chance, Some(0.25));
    }

    #[test]
    fn one_task_alone_is_itself() {
        let part = task(&[("f1", Metric::F1, 0.3, 0.1, 10, 0.0)]);
        assert_eq!(combined(&[&part]), part.outcomes);
        assert!(combined(&[]).is_empty());
    }
}
