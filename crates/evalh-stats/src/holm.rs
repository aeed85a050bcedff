//! Holm's correction of a family of comparisons.

/// Holm's adjusted p-values (Holm 1979; `multipletests(method="holm")` of `statsmodels`), in the order given: rejecting
/// those at or below a level keeps the chance of any false rejection in the family at that level, whatever their
/// dependence.
///
/// A value that is not a number stays so, and still counts as a member of the family.
pub fn holm(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|&a, &b| {
        p[a].is_nan()
            .cmp(&p[b].is_nan())
            .then(p[a].total_cmp(&p[b]))
    });
    let mut adjusted = vec![f64::NAN; p.len()];
    let mut largest: f64 = 0.0;
    for (rank, &place) in order.iter().enumerate() {
        if p[place].is_nan() {
            break;
        }
        largest = largest.max(p[place] * (p.len() - rank) as f64).min(1.0);
        adjusted[place] = largest;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::holm;

    #[test]
    fn what_is_not_a_number_stays_and_counts() {
        let found = holm(&[0.01, f64::NAN, 0.02]);
        assert!((found[0] - 0.03).abs() < 1e-15 && (found[2] - 0.04).abs() < 1e-15);
        assert!(found[1].is_nan());
        assert!(holm(&[]).is_empty());
    }
}
