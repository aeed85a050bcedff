//! From passes to pass@k.

use crate::{TaskError, score_name};
use evalh_record::Sample;
use evalh_stats::{Estimate, mean, pass_at_k};
use std::collections::{BTreeSet, HashMap};

/// The values of k that the reference harness reports.
pub const REFERENCE_KS: [u64; 3] = [1, 10, 100];

/// Samples of one problem, and how many of them passed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Samples.
    pub samples: u64,
    /// Those that passed.
    pub passed: u64,
}

impl Tally {
    /// Counts one more sample.
    pub fn count(&mut self, passed: bool) {
        self.samples += 1;
        self.passed += u64::from(passed);
    }
}

/// What was asked of every item.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'t> {
    /// The suite.
    pub suite: &'t str,
    /// Its protocol.
    pub protocol: &'t str,
    /// Answers an item.
    pub samples: usize,
}

impl Asked<'_> {
    /// One tally an item, each complete. Samples of other variants, suites or items are passed over, and so is a sample
    /// that is there twice.
    pub fn tallies<'i>(
        self,
        items: impl Iterator<Item = &'i str>,
        variant: &str,
        samples: &[Sample],
    ) -> Result<Vec<Tally>, TaskError> {
        let items: Vec<&str> = items.collect();
        let places: HashMap<&str, usize> = items.iter().copied().zip(0..).collect();
        let mut tallies = vec![Tally::default(); items.len()];
        let mut seen = BTreeSet::new();
        for sample in samples
            .iter()
            .filter(|sample| sample.suite == self.suite && sample.variant == variant)
        {
            if let Some(&place) = places.get(sample.item.as_str())
                && seen.insert((place, sample.sample))
            {
                tallies[place].count(sample.score >= 1.0);
            }
        }
        for (item, tally) in items.iter().zip(&tallies) {
            if tally.samples != self.samples as u64 {
                return Err(TaskError::Incomplete {
                    what: score_name(self.suite, self.protocol),
                    problem: format!(
                        "variant `{variant}` has {} samples of `{item}`, and {} were asked for",
                        tally.samples, self.samples
                    ),
                    remedy: "resume the run to its end".into(),
                });
            }
        }
        Ok(tallies)
    }
}

/// The values of k for so many samples: 1, 10 and 100 as far as there are more, and the number of samples itself.
pub(crate) fn ks_of(samples: usize) -> Vec<u64> {
    let samples = samples as u64;
    let mut ks: Vec<u64> = REFERENCE_KS.into_iter().filter(|&k| k < samples).collect();
    ks.push(samples);
    ks
}

/// pass@k over all problems.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PassAtK {
    /// k.
    pub k: u64,
    /// Mean over the problems of each one's unbiased estimate.
    pub estimate: Estimate,
}

impl PassAtK {
    /// The metric's name, `pass@1`.
    pub fn metric(&self) -> String {
        format!("pass@{}", self.k)
    }
}

/// pass@k for each of `ks` for which every problem has at least k samples, as the reference harness reports it.
pub fn pass_at_k_estimates(tallies: &[Tally], ks: &[u64]) -> Vec<PassAtK> {
    ks.iter()
        .filter_map(|&k| {
            let values: Option<Vec<f64>> = tallies
                .iter()
                .map(|tally| pass_at_k(tally.samples, tally.passed, k))
                .collect();
            Some(PassAtK {
                k,
                estimate: mean(&values?)?,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn k_counts_only_where_every_problem_has_as_many_samples() {
        let tallies = [
            Tally {
                samples: 10,
                passed: 5,
            },
            Tally {
                samples: 9,
                passed: 9,
            },
        ];
        let found = pass_at_k_estimates(&tallies, &REFERENCE_KS);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].metric(), "pass@1");
        assert!((found[0].estimate.value - 0.75).abs() < 1e-15);
        assert!((found[0].estimate.stderr.unwrap() - 0.25).abs() < 1e-15);
        assert!(pass_at_k_estimates(&[], &[1]).is_empty());
    }
}
