//! One row an item: what every variant answered to it.

use crate::{
    compare::Variant,
    page::{PageError, PageInput},
};
use evalh_record::{Answer, Sample};
use std::collections::{BTreeMap, HashMap};

/// An item, and what every variant answered to it.
pub(super) struct Row<'a> {
    /// The suite's place in the comparison.
    pub suite: usize,
    /// The task.
    pub task: &'a str,
    /// The item's id.
    pub item: &'a str,
    /// The answers of each variant, in the comparison's order; empty where it gave none.
    pub by_variant: Vec<Vec<&'a Sample>>,
}

impl Row<'_> {
    /// Answers of all variants.
    pub(super) fn answers(&self) -> usize {
        self.by_variant.iter().map(Vec::len).sum()
    }

    /// All answers.
    pub(super) fn samples(&self) -> impl Iterator<Item = &Sample> {
        self.by_variant.iter().flatten().copied()
    }

    /// The mean score of a variant's answers.
    pub(super) fn score(&self, variant: usize) -> Option<f64> {
        let samples = &self.by_variant[variant];
        let sum: f64 = samples.iter().map(|sample| sample.score).sum();
        (!samples.is_empty()).then(|| sum / samples.len() as f64)
    }

    /// How a variant's mean score stands to its base's: 1 better, -1 worse, 0 the same.
    pub(super) fn flip(&self, variant: usize, base: usize) -> Option<i8> {
        let (score, base) = (self.score(variant)?, self.score(base)?);
        let mut samples = self.by_variant[variant].iter();
        let lower_is_better = samples.any(|s| matches!(s.answer, Answer::Loss(_)));
        let better = if lower_is_better {
            base - score
        } else {
            score - base
        };
        Some(match better {
            b if b > 0.0 => 1,
            b if b < 0.0 => -1,
            _ => 0,
        })
    }
}

/// The name that a variant has in a run.
fn name_in(variant: &Variant, run: usize) -> Option<&str> {
    if variant.run == run {
        return Some(&variant.name_in_run);
    }
    let also = variant.also_in.iter().find(|of| of.run == run);
    also.map(|of| of.name.as_str())
}

/// The rows, suite by suite, in the order of the data.
pub(super) fn rows<'a>(input: &PageInput<'a>) -> Result<Vec<Row<'a>>, PageError> {
    let comparison = input.comparison;
    let suites: HashMap<&str, usize> = comparison
        .suites
        .iter()
        .enumerate()
        .map(|(place, suite)| (suite.name.as_str(), place))
        .collect();
    let mut found: BTreeMap<(usize, usize, &str), Row<'a>> = BTreeMap::new();
    // Which variants of a run are which of the comparison: one base may stand for the bases of several.
    for (run, record) in input.records.iter().enumerate() {
        let here = comparison.variants.iter().enumerate();
        let here: HashMap<&str, usize> = here
            .filter_map(|(place, variant)| Some((name_in(variant, run)?, place)))
            .collect();
        for sample in &record.samples {
            let suite = suites.get(sample.suite.as_str());
            let (Some(&suite), Some(&variant)) = (suite, here.get(sample.variant.as_str())) else {
                continue;
            };
            let row = found
                .entry((suite, sample.position, &sample.item))
                .or_insert_with(|| Row {
                    suite,
                    task: &sample.task,
                    item: &sample.item,
                    by_variant: vec![Vec::new(); comparison.variants.len()],
                });
            let answers = &mut row.by_variant[variant];
            // Where two runs answered for one variant, the first one's answers stand.
            if answers.iter().all(|other| other.sample != sample.sample) {
                answers.push(sample);
            }
        }
    }
    for variant in &comparison.variants {
        if variant.run >= input.records.len() {
            return Err(PageError::NoRecord {
                variant: variant.name.clone(),
                run: variant.run,
                given: input.records.len(),
            });
        }
    }
    Ok(found.into_values().collect())
}
