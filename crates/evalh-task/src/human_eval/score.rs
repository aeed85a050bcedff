//! From passes to pass@k.

use evalh_stats::{Estimate, mean, pass_at_k};

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
