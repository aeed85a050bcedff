//! The answers of all variants, by suite and item.

use super::{Run, variants::Member};
use evalh_record::{Part, Record, ResultRow, Sample, SuiteSettings};
use std::collections::BTreeMap;

/// One variant's answers to one suite, from the first run that has them.
pub(super) struct Answered<'r> {
    /// The variant.
    pub variant: usize,
    /// Names of other runs that have answers to the same items, and other ones.
    pub contradicted_by: Vec<&'r str>,
    /// The suite as that run asked it.
    pub suite: &'r SuiteSettings,
    /// Its samples by item, in the suite's order.
    pub items: Items<'r>,
    /// Its rows of results.
    pub rows: Vec<&'r ResultRow>,
}

/// Samples by item: its place in the suite, and its id.
pub(super) type Items<'r> = BTreeMap<(usize, &'r str), Vec<&'r Sample>>;

impl<'r> Answered<'r> {
    /// What the variants answered of a suite, in their order.
    pub fn of(runs: &[Run<'r>], members: &[Member], suite: &str) -> Vec<Answered<'r>> {
        let mut found = Vec::new();
        for (variant, member) in members.iter().enumerate() {
            let mut each = member.runs.iter().filter_map(|(place, name)| {
                let record = runs[*place].record;
                let suites = &record.manifest.settings.suites;
                let settings = suites.iter().find(|of| of.name == suite)?;
                Some((runs[*place].name, name, record, settings))
            });
            let Some((_, name, record, settings)) = each.next() else {
                continue;
            };
            let items = items(record, suite, name);
            let contradicted_by = each
                .filter(|(_, name, record, _)| !agree(&items, &self::items(record, suite, name)))
                .map(|(run, ..)| run)
                .collect();
            let rows = record.results.iter();
            let rows = rows.filter(|row| row.suite == suite && row.variant == *name);
            found.push(Answered {
                variant,
                contradicted_by,
                suite: settings,
                items,
                rows: rows.collect(),
            });
        }
        found
    }

    /// The items that count for a part.
    pub fn part(&self, part: Part, name: &str) -> Items<'r> {
        let counts = |sample: &Sample| crate::parts::counts_for(self.suite, part, name, sample);
        let items = self.items.iter();
        items
            .filter(|(_, samples)| samples.first().is_some_and(|sample| counts(sample)))
            .map(|(key, samples)| (*key, samples.clone()))
            .collect()
    }

    /// The row of a metric of a part.
    pub fn row(&self, part: Part, name: &str, metric: &str) -> Option<&'r ResultRow> {
        let mut rows = self.rows.iter();
        let found = rows.find(|row| row.part == part && row.task == name && row.metric == metric);
        found.copied()
    }
}

/// A variant's samples of a suite.
fn items<'r>(record: &'r Record, suite: &str, variant: &str) -> Items<'r> {
    let mut items = Items::new();
    for sample in &record.samples {
        if sample.suite == suite && sample.variant == variant {
            let key = (sample.position, sample.item.as_str());
            items.entry(key).or_default().push(sample);
        }
    }
    items
}

/// Whether the answers to items that both have are the same.
fn agree(a: &Items<'_>, b: &Items<'_>) -> bool {
    let both = a.iter().filter_map(|(key, a)| Some((a, b.get(key)?)));
    both.into_iter().all(|(a, b)| same_answers(a, b))
}

/// Whether two variants gave the same answers to an item, word for word.
pub(super) fn same_answers(a: &[&Sample], b: &[&Sample]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.answer == b.answer)
}

/// An item's headline score: the mean over its samples.
pub(super) fn item_score(samples: &[&Sample]) -> f64 {
    samples.iter().map(|sample| sample.score).sum::<f64>() / samples.len() as f64
}
