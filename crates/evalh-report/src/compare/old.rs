//! Variants against the base, item by item.

use crate::parts::{counts_for, parts};
use evalh_record::{Answer, Part, Record, ResultRow, Sample};
use evalh_stats::{Estimate, mcnemar_exact, paired_difference};
use std::collections::BTreeMap;

/// One variant against the base on one part of a suite.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// The suite.
    pub suite: String,
    /// Which part of it.
    pub part: Part,
    /// The part's name: the suite's own, a group's or a task's.
    pub task: String,
    /// The variant.
    pub variant: String,
    /// Items on which the variant's mean score is better than the base's, in the suite's order: higher, or lower for a loss.
    pub gained: Vec<String>,
    /// Items on which it is worse.
    pub lost: Vec<String>,
    /// Items answered by both.
    pub items: usize,
    /// Items to which the variant gave the base's answers, word for word.
    pub same_answers: usize,
    /// P-value of the exact two-sided test (`McNemar`) of `gained` against `lost`, where every item has one right-or-wrong answer.
    pub p: Option<f64>,
    /// The mean difference of the items' scores, with the standard error of the paired differences.
    pub difference: Option<Estimate>,
    /// The means of the items' scores, the base's and the variant's.
    pub means: Option<(f64, f64)>,
}

impl Comparison {
    /// The standard error of the difference between the base's score and the variant's, where both are the means of the
    /// items' scores (they are not for pass@k with k above 1, for F1, for a correlation).
    pub fn stderr_of(&self, base: f64, other: f64) -> Option<f64> {
        let (base_mean, other_mean) = self.means?;
        let are_means = (base - base_mean).abs() < 1e-9 && (other - other_mean).abs() < 1e-9;
        self.difference.filter(|_| are_means)?.stderr
    }
}

/// Compares every variant with the first one of the manifest, part by part of every suite.
pub fn comparisons(record: &Record) -> Vec<Comparison> {
    let settings = &record.manifest.settings;
    let Some((base, others)) = settings.variants.split_first() else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for suite in &settings.suites {
        for (part, task) in parts(&record.results, suite) {
            let of = |variant: &str| {
                items(record, |sample| {
                    sample.variant == variant && counts_for(suite, part, task, sample)
                })
            };
            let base = of(&base.name);
            for variant in others {
                let empty = Comparison {
                    suite: suite.name.clone(),
                    part,
                    task: task.to_owned(),
                    variant: variant.name.clone(),
                    gained: Vec::new(),
                    lost: Vec::new(),
                    items: 0,
                    same_answers: 0,
                    p: None,
                    difference: None,
                    means: None,
                };
                found.push(compare(empty, &base, &of(&variant.name)));
            }
        }
    }
    found
}

/// The comparison that belongs to a row of results.
pub fn comparison_of<'c>(compared: &'c [Comparison], row: &ResultRow) -> Option<&'c Comparison> {
    compared.iter().find(|c| {
        (
            c.suite.as_str(),
            c.part,
            c.task.as_str(),
            c.variant.as_str(),
        ) == (
            row.suite.as_str(),
            row.part,
            row.task.as_str(),
            row.variant.as_str(),
        )
    })
}

/// The samples that count, by item, in the suite's order.
fn items(record: &Record, counts: impl Fn(&Sample) -> bool) -> Items<'_> {
    let mut items = Items::new();
    for sample in record.samples.iter().filter(|sample| counts(sample)) {
        let key = (sample.position, sample.item.as_str());
        items.entry(key).or_default().push(sample);
    }
    items
}

type Items<'r> = BTreeMap<(usize, &'r str), Vec<&'r Sample>>;

fn compare(mut comparison: Comparison, base: &Items<'_>, other: &Items<'_>) -> Comparison {
    let mut single = true;
    let (mut of_base, mut of_other) = (Vec::new(), Vec::new());
    for (key, ours) in other {
        let Some(theirs) = base.get(key) else {
            continue;
        };
        comparison.items += 1;
        single &= [ours, theirs]
            .iter()
            .all(|s| matches!(s.as_slice(), [one] if [0.0, 1.0].contains(&one.score)));
        let same = ours.len() == theirs.len()
            && ours.iter().zip(theirs).all(|(a, b)| a.answer == b.answer);
        comparison.same_answers += usize::from(same);
        let (score, base_score) = (mean(ours), mean(theirs));
        of_base.push(base_score);
        of_other.push(score);
        let lower_is_better = ours.iter().any(|s| matches!(s.answer, Answer::Loss(_)));
        let better = if lower_is_better {
            base_score - score
        } else {
            score - base_score
        };
        if better > 0.0 {
            comparison.gained.push(key.1.to_owned());
        } else if better < 0.0 {
            comparison.lost.push(key.1.to_owned());
        }
    }
    comparison.difference = paired_difference(&of_base, &of_other);
    comparison.means = evalh_stats::mean(&of_base)
        .zip(evalh_stats::mean(&of_other))
        .map(|(base, other)| (base.value, other.value));
    if single && comparison.items > 0 {
        comparison.p = Some(mcnemar_exact(
            comparison.gained.len() as u64,
            comparison.lost.len() as u64,
        ));
    }
    comparison
}

fn mean(samples: &[&Sample]) -> f64 {
    samples.iter().map(|sample| sample.score).sum::<f64>() / samples.len() as f64
}
