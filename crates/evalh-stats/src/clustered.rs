//! Means over items that come in clusters: rows of one model, questions of one subject.

use crate::Estimate;
use std::collections::BTreeMap;

/// The mean over all items with a standard error that allows for any dependence within a cluster; `clusters[i]` names
/// the cluster of item `i`. The estimate's `n` is the number of clusters, so that t has one less degrees of freedom.
///
/// The standard error is the root of `G / (G - 1) * sum_g (sum_{i in g} (x_i - mean))^2 / N^2` for `G` clusters of `N` items
/// (Liang and Zeger 1986 with the correction CR1; an intercept by `OLS(...).fit(cov_type="cluster")` of `statsmodels`). With
/// one item a cluster it is the ordinary one. With few clusters it is still too small; [`cluster_means`] and a t-test are
/// safer then. No standard error for one cluster, `None` without items or where there is not one cluster an item.
pub fn clustered_mean(values: &[f64], clusters: &[usize]) -> Option<Estimate> {
    if values.is_empty() || values.len() != clusters.len() {
        return None;
    }
    let items = values.len() as f64;
    let value = values.iter().sum::<f64>() / items;
    let mut sums: BTreeMap<usize, f64> = BTreeMap::new();
    for (x, &cluster) in values.iter().zip(clusters) {
        *sums.entry(cluster).or_default() += x - value;
    }
    let n = sums.len();
    let stderr = (n > 1).then(|| {
        let squares: f64 = sums.values().map(|sum| sum * sum).sum();
        (squares * (n as f64 / (n - 1) as f64)).sqrt() / items
    });
    Some(Estimate { value, stderr, n })
}

/// The mean of each cluster, in ascending order of their names: one value a model or subject, for a test over those.
/// Names that do not occur have none. Empty where there is not one cluster an item.
pub fn cluster_means(values: &[f64], clusters: &[usize]) -> Vec<f64> {
    if values.len() != clusters.len() {
        return Vec::new();
    }
    let mut sums: BTreeMap<usize, (f64, f64)> = BTreeMap::new();
    for (x, &cluster) in values.iter().zip(clusters) {
        let (sum, items) = sums.entry(cluster).or_default();
        *sum += x;
        *items += 1.0;
    }
    sums.into_values().map(|(sum, items)| sum / items).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mean;

    #[test]
    fn one_item_a_cluster_is_the_ordinary_mean() {
        let values = [0.1, 0.4, -0.3, 0.8];
        let found = clustered_mean(&values, &[3, 1, 0, 2]).unwrap();
        let ordinary = mean(&values).unwrap();
        assert_eq!((found.value, found.n), (ordinary.value, 4));
        assert!((found.stderr.unwrap() - ordinary.stderr.unwrap()).abs() < 1e-15);
    }

    #[test]
    fn copies_of_a_row_add_nothing() {
        let once = mean(&[0.1, 0.5, 0.9]).unwrap();
        let thrice = clustered_mean(
            &[0.1, 0.1, 0.1, 0.5, 0.5, 0.5, 0.9, 0.9, 0.9],
            &[0, 0, 0, 1, 1, 1, 2, 2, 2],
        )
        .unwrap();
        assert!((once.stderr.unwrap() - thrice.stderr.unwrap()).abs() < 1e-15);
    }

    #[test]
    fn what_has_no_clusters_has_no_error() {
        assert_eq!(clustered_mean(&[], &[]), None);
        assert_eq!(clustered_mean(&[1.0], &[0, 1]), None);
        assert_eq!(clustered_mean(&[1.0, 2.0], &[7, 7]).unwrap().stderr, None);
        assert!(cluster_means(&[1.0], &[]).is_empty());
        assert_eq!(
            cluster_means(&[1.0, 5.0, 3.0], &[usize::MAX, 4, usize::MAX]),
            [5.0, 2.0]
        );
    }
}
