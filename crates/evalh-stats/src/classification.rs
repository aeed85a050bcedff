//! How well predicted labels meet the gold ones.
//!
//! Values are those of scikit-learn 1.9, also where a ratio has nothing below the line: it is 0 then, as scikit-learn gives
//! with a warning. All are `None` for no items and where there is not one prediction an item. Standard errors are
//! analytic for the accuracy, else by [`Bootstrap`].

use crate::{Bootstrap, Estimate, mean};

/// The share of right labels.
pub fn accuracy(gold: &[usize], predicted: &[usize]) -> Option<Estimate> {
    if gold.len() != predicted.len() {
        return None;
    }
    let right: Vec<f64> = gold
        .iter()
        .zip(predicted)
        .map(|(gold, predicted)| f64::from(u8::from(gold == predicted)))
        .collect();
    mean(&right)
}

/// Of the items predicted `positive`, the share that are; 0 where none is predicted.
pub fn precision(
    gold: &[usize],
    predicted: &[usize],
    positive: usize,
    bootstrap: Bootstrap,
) -> Option<Estimate> {
    of_positive(
        gold,
        predicted,
        positive,
        bootstrap,
        |[_, predicted, hits]| ratio(hits, predicted),
    )
}

/// Of the items that are `positive`, the share predicted so; 0 where none is.
pub fn recall(
    gold: &[usize],
    predicted: &[usize],
    positive: usize,
    bootstrap: Bootstrap,
) -> Option<Estimate> {
    of_positive(gold, predicted, positive, bootstrap, |[gold, _, hits]| {
        ratio(hits, gold)
    })
}

/// The harmonic mean of precision and recall of `positive`; 0 where it neither is nor is predicted.
pub fn f1(
    gold: &[usize],
    predicted: &[usize],
    positive: usize,
    bootstrap: Bootstrap,
) -> Option<Estimate> {
    of_positive(
        gold,
        predicted,
        positive,
        bootstrap,
        |[gold, predicted, hits]| ratio(2 * hits, gold + predicted),
    )
}

/// A metric of one label, from how often it is gold, is predicted, and both.
fn of_positive(
    gold: &[usize],
    predicted: &[usize],
    positive: usize,
    bootstrap: Bootstrap,
    metric: impl Fn([u64; 3]) -> f64,
) -> Option<Estimate> {
    let labels = Labels::of(gold, predicted)?;
    let positive = labels.place(positive);
    Some(labels.estimate(bootstrap, |counts| metric(counts.of(positive))))
}

/// The mean of the recalls of all gold labels. Labels that are predicted only do not count.
pub fn balanced_accuracy(
    gold: &[usize],
    predicted: &[usize],
    bootstrap: Bootstrap,
) -> Option<Estimate> {
    Some(Labels::of(gold, predicted)?.estimate(bootstrap, Counts::mean_recall))
}

/// Matthews' correlation coefficient, for any number of labels (Gorodkin 2004); 0 where all gold or all predicted labels
/// are the same, all right or not.
pub fn matthews(gold: &[usize], predicted: &[usize], bootstrap: Bootstrap) -> Option<Estimate> {
    Some(Labels::of(gold, predicted)?.estimate(bootstrap, Counts::matthews))
}

fn ratio(above: u64, below: u64) -> f64 {
    if below == 0 {
        0.0
    } else {
        above as f64 / below as f64
    }
}

/// Gold and predicted labels, an item each, as places in the list of all labels that occur.
struct Labels {
    names: Vec<usize>,
    items: Vec<[usize; 2]>,
}

impl Labels {
    fn of(gold: &[usize], predicted: &[usize]) -> Option<Labels> {
        if gold.is_empty() || gold.len() != predicted.len() {
            return None;
        }
        let mut names: Vec<usize> = gold.iter().chain(predicted).copied().collect();
        names.sort_unstable();
        names.dedup();
        let place = |label| names.partition_point(|&name| name < label);
        let items = gold
            .iter()
            .zip(predicted)
            .map(|(&gold, &predicted)| [place(gold), place(predicted)])
            .collect();
        Some(Labels { names, items })
    }

    fn place(&self, label: usize) -> Option<usize> {
        self.names.binary_search(&label).ok()
    }

    fn estimate(&self, bootstrap: Bootstrap, statistic: impl Fn(&Counts) -> f64) -> Estimate {
        let n = self.items.len();
        let mut counts = Counts::default();
        counts.count(self.names.len(), self.items.iter());
        let value = statistic(&counts);
        let stderr = bootstrap.standard_error(n, |drawn| {
            counts.count(
                self.names.len(),
                drawn.iter().map(|&item| &self.items[item]),
            );
            Some(statistic(&counts))
        });
        Estimate { value, stderr, n }
    }
}

/// How often each label is gold, predicted, and both: all that these metrics need of a confusion matrix.
#[derive(Default)]
struct Counts(Vec<[u64; 3]>);

impl Counts {
    fn count<'a>(&mut self, labels: usize, items: impl Iterator<Item = &'a [usize; 2]>) {
        self.0.clear();
        self.0.resize(labels, [0; 3]);
        for &[gold, predicted] in items {
            self.0[gold][0] += 1;
            self.0[predicted][1] += 1;
            self.0[gold][2] += u64::from(gold == predicted);
        }
    }

    /// The counts of one label; none of one that never occurs.
    fn of(&self, label: Option<usize>) -> [u64; 3] {
        label.map_or([0; 3], |label| self.0[label])
    }

    fn mean_recall(&self) -> f64 {
        let recalls: Vec<f64> = self
            .0
            .iter()
            .filter(|[gold, ..]| *gold > 0)
            .map(|&[gold, _, hits]| ratio(hits, gold))
            .collect();
        recalls.iter().sum::<f64>() / recalls.len() as f64
    }

    fn matthews(&self) -> f64 {
        // Whole numbers up to the fourth power of the items' number: exact until the root.
        let sum = |term: fn(&[u64; 3]) -> i128| self.0.iter().map(term).sum::<i128>();
        let items = sum(|&[gold, ..]| i128::from(gold));
        let hits = sum(|&[_, _, hits]| i128::from(hits));
        let both = sum(|&[gold, predicted, _]| i128::from(gold) * i128::from(predicted));
        let gold = sum(|&[gold, ..]| i128::from(gold) * i128::from(gold));
        let predicted = sum(|&[_, predicted, _]| i128::from(predicted) * i128::from(predicted));
        let spread = (items * items - gold) as f64 * (items * items - predicted) as f64;
        if spread == 0.0 {
            0.0
        } else {
            (hits * items - both) as f64 / spread.sqrt()
        }
    }
}
