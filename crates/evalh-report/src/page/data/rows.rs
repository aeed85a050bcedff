//! One row an item: what every variant answered to it.

use crate::page::{PageError, PageInput};
use evalh_record::{Answer, Record, Sample};
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

/// The rows, suite by suite, in the order of the data.
pub(super) fn rows<'a>(input: &PageInput<'a>) -> Result<Vec<Row<'a>>, PageError> {
    let comparison = input.comparison;
    let homes = homes(input)?;
    let mut found: BTreeMap<(usize, usize, &str), Row<'a>> = BTreeMap::new();
    for (suite, compared) in comparison.suites.iter().enumerate() {
        // Who answers this suite in which run.
        let mut answering = HashMap::new();
        for (variant, homes) in homes.iter().enumerate() {
            let mut homes = homes.iter();
            if let Some(home) = homes.find(|(run, _)| asks(input.records[*run], &compared.name)) {
                answering.insert(*home, variant);
            }
        }
        for (run, record) in input.records.iter().enumerate() {
            for sample in record.samples.iter().filter(|s| s.suite == compared.name) {
                let Some(&variant) = answering.get(&(run, sample.variant.as_str())) else {
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
                row.by_variant[variant].push(sample);
            }
        }
    }
    Ok(found.into_values().collect())
}

fn asks(record: &Record, suite: &str) -> bool {
    let suites = &record.manifest.settings.suites;
    suites.iter().any(|of| of.name == suite)
}

/// The runs of each variant, the first one first, and its name there: one base may stand for the bases of several.
fn homes<'a>(input: &PageInput<'a>) -> Result<Vec<Vec<(usize, &'a str)>>, PageError> {
    let variants = input.comparison.variants.iter();
    let all = variants.map(|variant| {
        let first = (variant.run, variant.name_in_run.as_str());
        let also = variant.also_in.iter();
        let also = also.map(|home| (home.run, home.name.as_str()));
        let homes: Vec<_> = std::iter::once(first).chain(also).collect();
        match homes.iter().find(|(run, _)| *run >= input.records.len()) {
            Some(&(run, _)) => Err(PageError::NoRecord {
                variant: variant.name.clone(),
                run,
                given: input.records.len(),
            }),
            None => Ok(homes),
        }
    });
    all.collect()
}
