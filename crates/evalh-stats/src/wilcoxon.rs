//! Wilcoxon's signed-rank test.

use crate::distribution::normal_tail;

/// The two-sided test that differences lie symmetrically about 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Wilcoxon {
    /// The smaller of the sums of ranks of the positive and of the negative differences.
    pub statistic: f64,
    /// Two-sided p-value.
    pub p: f64,
    /// Differences that are not 0: those that were ranked.
    pub n: usize,
    /// Whether `p` is of the exact distribution, and not of the normal one.
    pub exact: bool,
}

/// Differences that are not 0 up to which the distribution is exact.
const EXACT: usize = 50;

/// The signed-rank test (Wilcoxon 1945). Differences of 0 are left out, ties of the sizes share their mean rank.
///
/// Up to 50 differences other than 0 the distribution is exact given the ties: every sign is equally likely for each
/// rank. That is `scipy.stats.wilcoxon(method="exact")` without ties, and with ties its `PermutationMethod` over all signs.
/// Above, it is normal with the variance corrected for ties and no continuity correction (`method="asymptotic"`).
///
/// `p` is 1 where all are 0. `None` without differences, or where one is not finite.
pub fn wilcoxon(differences: &[f64]) -> Option<Wilcoxon> {
    if differences.is_empty() || differences.iter().any(|x| !x.is_finite()) {
        return None;
    }
    let mut signed: Vec<f64> = differences.iter().copied().filter(|&x| x != 0.0).collect();
    signed.sort_by(|a, b| a.abs().total_cmp(&b.abs()));
    let groups: Vec<&[f64]> = signed
        .chunk_by(|a, b| a.abs().total_cmp(&b.abs()).is_eq())
        .collect();
    let n = signed.len();

    // Twice the ranks, so that mean ranks of ties are whole numbers.
    let mut ranks: Vec<usize> = Vec::with_capacity(n);
    let mut positive = 0;
    for group in &groups {
        let rank = 2 * ranks.len() + group.len() + 1;
        ranks.resize(ranks.len() + group.len(), rank);
        positive += rank * group.iter().filter(|&&x| x > 0.0).count();
    }
    let least = positive.min(n * (n + 1) - positive);
    let exact = n <= EXACT;
    Some(Wilcoxon {
        statistic: least as f64 / 2.0,
        p: if exact {
            exact_p(&ranks, least)
        } else {
            normal_p(&groups, n as f64, least as f64 / 2.0)
        },
        n,
        exact,
    })
}

/// Twice the probability that the sum of a random half of the doubled `ranks` is at most `least`.
fn exact_p(ranks: &[usize], least: usize) -> f64 {
    let mut probability = vec![0.0; least + 1];
    probability[0] = 1.0;
    for &rank in ranks {
        for sum in (0..=least).rev() {
            let with = if sum >= rank {
                probability[sum - rank]
            } else {
                0.0
            };
            probability[sum] = f64::midpoint(probability[sum], with);
        }
    }
    (2.0 * probability.iter().sum::<f64>()).min(1.0)
}

fn normal_p(groups: &[&[f64]], n: f64, statistic: f64) -> f64 {
    let ties: f64 = groups
        .iter()
        .map(|group| group.len() as f64)
        .map(|ties| ties * (ties * ties - 1.0))
        .sum();
    let variance = (n * (n + 1.0) * (2.0 * n + 1.0) - ties / 2.0) / 24.0;
    let z = (n * (n + 1.0) / 4.0 - statistic) / variance.sqrt();
    (2.0 * normal_tail(z)).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::wilcoxon;

    #[test]
    fn the_sharpest_result_of_few_differences_is_one_sign_for_all() {
        let found = wilcoxon(&[0.1, 0.2, 0.3, 0.4, 0.0]).unwrap();
        assert_eq!((found.n, found.exact), (4, true));
        assert!(found.statistic.abs() < f64::EPSILON);
        assert!((found.p - 2.0 / 16.0).abs() < 1e-15);
    }

    #[test]
    fn zeros_are_no_evidence() {
        let found = wilcoxon(&[0.0, 0.0]).unwrap();
        assert_eq!(found.n, 0);
        assert!((found.p - 1.0).abs() < f64::EPSILON);
        assert_eq!(wilcoxon(&[]), None);
        assert_eq!(wilcoxon(&[f64::NAN, 1.0]), None);
    }
}
