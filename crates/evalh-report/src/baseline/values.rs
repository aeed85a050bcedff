//! The scores of one variant on the items of a task, by one metric.

use serde::{Deserialize, Serialize};

/// One score an item, in the items' order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Values {
    /// Right and wrong, four items a hexadecimal digit, the first item in the highest bit.
    Right(String),
    /// Scores that are more than right or wrong: a mean over an item's answers.
    Scores(Vec<f64>),
    /// Losses, which count by the length of their texts.
    Losses(Losses),
}

/// Losses of texts: the metric is the sum of `losses` over the sum of `lengths`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Losses {
    /// The loss of each text, in the metric's unit: nats, or bits.
    pub losses: Vec<f64>,
    /// Its tokens, or bytes.
    pub lengths: Vec<u64>,
}

/// One score an item, unpacked for computing.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Series {
    /// Right and wrong.
    Right(Vec<bool>),
    /// Scores that are more than that.
    Scores(Vec<f64>),
    /// Losses and the lengths of their texts.
    Losses(Vec<f64>, Vec<f64>),
}

impl Series {
    /// Of scores: right and wrong where each is 1 or 0.
    pub(crate) fn of_scores(scores: Vec<f64>) -> Series {
        if scores.iter().all(|score| [0.0, 1.0].contains(score)) {
            Series::Right(scores.iter().map(|&score| score > 0.5).collect())
        } else {
            Series::Scores(scores)
        }
    }

    /// Items.
    pub(crate) fn len(&self) -> usize {
        match self {
            Series::Right(right) => right.len(),
            Series::Scores(scores) => scores.len(),
            Series::Losses(losses, _) => losses.len(),
        }
    }

    /// Whether a lower value is better.
    pub(crate) fn lower_is_better(&self) -> bool {
        matches!(self, Series::Losses(..))
    }

    /// The items' scores; of losses their contributions, whose mean is the metric's value: the value plus how far each
    /// text's loss lies above what its length makes expect (the linearised ratio, Cochran 1977, 6.3).
    pub(crate) fn contributions(&self) -> Vec<f64> {
        match self {
            Series::Right(right) => right.iter().map(|&r| f64::from(u8::from(r))).collect(),
            Series::Scores(scores) => scores.clone(),
            Series::Losses(losses, lengths) => {
                let (sum, length) = (losses.iter().sum::<f64>(), lengths.iter().sum::<f64>());
                let (value, mean_length) = (sum / length, length / lengths.len() as f64);
                losses
                    .iter()
                    .zip(lengths)
                    .map(|(loss, length)| value + (loss - value * length) / mean_length)
                    .collect()
            }
        }
    }

    /// The metric's value; `None` without items.
    pub(crate) fn value(&self) -> Option<f64> {
        let value = match self {
            Series::Losses(losses, lengths) => {
                losses.iter().sum::<f64>() / lengths.iter().sum::<f64>()
            }
            scores => {
                let values = scores.contributions();
                values.iter().sum::<f64>() / values.len() as f64
            }
        };
        value.is_finite().then_some(value)
    }

    /// Two tasks' items one after the other; `None` where one's are losses and the other's are not.
    pub(crate) fn joined(self, other: Series) -> Option<Series> {
        match (self, other) {
            (Series::Right(mut a), Series::Right(b)) => {
                a.extend(b);
                Some(Series::Right(a))
            }
            (Series::Losses(mut a, mut a_lengths), Series::Losses(b, b_lengths)) => {
                a.extend(b);
                a_lengths.extend(b_lengths);
                Some(Series::Losses(a, a_lengths))
            }
            (Series::Losses(..), _) | (_, Series::Losses(..)) => None,
            (a, b) => {
                let mut all = a.contributions();
                all.extend(b.contributions());
                Some(Series::Scores(all))
            }
        }
    }

    /// For a file.
    pub(super) fn packed(&self) -> Values {
        match self {
            Series::Right(right) => Values::Right(super::bits::to_hex(right)),
            Series::Scores(scores) => Values::Scores(scores.clone()),
            Series::Losses(losses, lengths) => Values::Losses(Losses {
                losses: losses.clone(),
                lengths: lengths.iter().map(|&length| length as u64).collect(),
            }),
        }
    }
}

impl Values {
    /// Unpacked. `None` where they are not the scores of exactly so many items, or one is not finite, or a length is 0 for
    /// all.
    pub(crate) fn series(&self, items: usize) -> Option<Series> {
        let finite = |values: &[f64]| values.iter().all(|value| value.is_finite());
        match self {
            Values::Right(digits) => super::bits::from_hex(digits, items).map(Series::Right),
            Values::Scores(scores) => {
                (scores.len() == items && finite(scores)).then(|| Series::Scores(scores.clone()))
            }
            Values::Losses(Losses { losses, lengths }) => {
                let fit = losses.len() == items && lengths.len() == items && finite(losses);
                let any = items == 0 || lengths.iter().any(|&length| length > 0);
                (fit && any).then(|| {
                    let lengths = lengths.iter().map(|&length| length as f64).collect();
                    Series::Losses(losses.clone(), lengths)
                })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contributions_of_losses_have_the_metric_as_their_mean() {
        let series = Series::Losses(vec![2.0, 30.0], vec![1.0, 9.0]);
        let values = series.contributions();
        assert!((series.value().unwrap() - 3.2).abs() < 1e-15);
        // 3.2 + (2 - 3.2) / 5 and 3.2 + (30 - 28.8) / 5
        assert!((values[0] - 2.96).abs() < 1e-12 && (values[1] - 3.44).abs() < 1e-12);
        assert_eq!(Series::Right(Vec::new()).value(), None);
    }

    #[test]
    fn tasks_join_where_they_are_of_one_kind() {
        let right = || Series::Right(vec![true, false]);
        let losses = || Series::Losses(vec![1.0], vec![2.0]);
        assert_eq!(right().joined(right()).unwrap().len(), 4);
        assert_eq!(
            right().joined(Series::Scores(vec![0.5])),
            Some(Series::Scores(vec![1.0, 0.0, 0.5]))
        );
        assert_eq!(right().joined(losses()), None);
        assert_eq!(losses().joined(losses()).unwrap().value(), Some(0.5));
    }

    #[test]
    fn values_of_other_items_are_refused() {
        let losses = |losses: &[f64], lengths: &[u64]| {
            Values::Losses(Losses {
                losses: losses.to_vec(),
                lengths: lengths.to_vec(),
            })
        };
        assert!(Values::Right("a8".into()).series(5).is_some());
        assert_eq!(Values::Right("a8".into()).series(9), None);
        assert_eq!(Values::Scores(vec![0.5, f64::NAN]).series(2), None);
        assert_eq!(Values::Scores(vec![0.5]).series(2), None);
        assert!(losses(&[1.0, 2.0], &[1, 0]).series(2).is_some());
        assert_eq!(losses(&[1.0, 2.0], &[0, 0]).series(2), None);
        assert_eq!(losses(&[1.0, 2.0], &[1]).series(2), None);
    }
}
