//! Metrics of what is right and what was answered: F1, correlations.

use crate::compare::answers::Items;
use evalh_stats::{Bootstrap, classification as class, correlation};
use std::collections::BTreeSet;

/// Which metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::compare) enum Kind {
    F1,
    Precision,
    Recall,
    BalancedAccuracy,
    Matthews,
    Pearson,
    Spearman,
}

impl Kind {
    pub fn of(metric: &str) -> Option<Kind> {
        match metric {
            "f1" => Some(Kind::F1),
            "precision" => Some(Kind::Precision),
            "recall" => Some(Kind::Recall),
            "balanced_acc" => Some(Kind::BalancedAccuracy),
            "mcc" => Some(Kind::Matthews),
            "pearson" => Some(Kind::Pearson),
            "spearman" => Some(Kind::Spearman),
            _ => None,
        }
    }

    /// Whether one label counts as positive.
    pub fn has_positive(self) -> bool {
        matches!(self, Kind::F1 | Kind::Precision | Kind::Recall)
    }
}

/// The labels that are right for any item.
pub(super) fn names<'p, 'r: 'p>(items: impl Iterator<Item = &'p Items<'r>>) -> BTreeSet<String> {
    let samples = items.flat_map(|items| items.values().flatten());
    samples.filter_map(|sample| sample.target.clone()).collect()
}

/// What is right and what was answered, a pair a sample.
pub(in crate::compare) struct Labels {
    kind: Kind,
    /// Of each item, its samples' pairs.
    pairs: Vec<Vec<Pair>>,
}

/// Numbers of labels, or the numbers themselves for a correlation.
#[derive(Clone, Copy)]
struct Pair {
    right: f64,
    answered: f64,
}

/// The positive label's number: it is the first one.
const POSITIVE: usize = 0;

/// No standard error: it is the caller who draws anew.
const NO_RESAMPLES: Bootstrap = Bootstrap {
    resamples: 0,
    seed: 0,
};

impl Labels {
    pub fn of(kind: Kind, positive: &str, items: &Items<'_>) -> Option<Labels> {
        let numbers = matches!(kind, Kind::Pearson | Kind::Spearman);
        let mut labels: Vec<&str> = vec![positive];
        for sample in items.values().flatten() {
            for text in [sample.target.as_deref()?, sample.extracted.as_deref()?] {
                if !labels.contains(&text) {
                    labels.push(text);
                }
            }
        }
        let number = |text: &str| -> Option<f64> {
            if numbers {
                return text.parse().ok();
            }
            labels
                .iter()
                .position(|label| *label == text)
                .map(|at| at as f64)
        };
        let mut pairs = Vec::with_capacity(items.len());
        for samples in items.values() {
            let of_item = samples.iter().map(|sample| {
                Some(Pair {
                    right: number(sample.target.as_deref()?)?,
                    answered: number(sample.extracted.as_deref()?)?,
                })
            });
            pairs.push(of_item.collect::<Option<Vec<_>>>()?);
        }
        Some(Labels { kind, pairs })
    }

    pub fn items(&self) -> usize {
        self.pairs.len()
    }

    pub fn value(&self, drawn: &[usize]) -> Option<f64> {
        let drawn = drawn.iter().flat_map(|&place| &self.pairs[place]);
        let labels = || -> (Vec<usize>, Vec<usize>) {
            let pairs = drawn.clone();
            pairs
                .map(|pair| (pair.right as usize, pair.answered as usize))
                .unzip()
        };
        let numbers = || -> (Vec<f64>, Vec<f64>) {
            let pairs = drawn.clone();
            pairs.map(|pair| (pair.right, pair.answered)).unzip()
        };
        let none = NO_RESAMPLES;
        let estimate = match self.kind {
            Kind::Pearson => {
                let (right, answered) = numbers();
                correlation::pearson(&right, &answered, none)
            }
            Kind::Spearman => {
                let (right, answered) = numbers();
                correlation::spearman(&right, &answered, none)
            }
            kind => {
                let (right, answered) = labels();
                match kind {
                    Kind::F1 => class::f1(&right, &answered, POSITIVE, none),
                    Kind::Precision => class::precision(&right, &answered, POSITIVE, none),
                    Kind::Recall => class::recall(&right, &answered, POSITIVE, none),
                    Kind::BalancedAccuracy => class::balanced_accuracy(&right, &answered, none),
                    _ => class::matthews(&right, &answered, none),
                }
            }
        };
        estimate.map(|estimate| estimate.value)
    }
}
