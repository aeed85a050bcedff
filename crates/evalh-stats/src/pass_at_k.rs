//! The chance that one of `k` samples passes.

/// Unbiased estimate of pass@k for one problem with `n` samples of which `c` pass: `1 - C(n - c, k) / C(n, k)`.
///
/// Computed as the product of Chen et al. 2021 (arXiv:2107.03374, figure 3), which neither overflows nor cancels.
/// `None` where there are fewer than `k` samples, more passes than samples, or `k` is 0: then it is not defined.
pub fn pass_at_k(n: u64, c: u64, k: u64) -> Option<f64> {
    if k == 0 || k > n || c > n {
        return None;
    }
    if n - c < k {
        return Some(1.0);
    }
    if c == 0 {
        return Some(0.0);
    }
    let none_passes: f64 = (n - c + 1..=n).map(|i| 1.0 - k as f64 / i as f64).product();
    Some(1.0 - none_passes)
}

#[cfg(test)]
mod tests {
    use super::pass_at_k;

    #[test]
    fn what_is_not_defined_has_no_value() {
        assert_eq!(pass_at_k(4, 1, 5), None);
        assert_eq!(pass_at_k(4, 5, 1), None);
        assert_eq!(pass_at_k(4, 1, 0), None);
        assert_eq!(pass_at_k(0, 0, 1), None);
    }

    #[test]
    fn ends_of_the_range_are_exact() {
        assert_eq!(pass_at_k(10, 0, 3), Some(0.0));
        assert_eq!(pass_at_k(10, 8, 3), Some(1.0));
        assert_eq!(pass_at_k(1, 1, 1), Some(1.0));
    }
}
