//! Means over items, with their standard errors.

/// A mean and how well it is known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// The mean over the items.
    pub value: f64,
    /// The sample standard deviation over the root of `n`, as lm-eval reports it. `None` for a single item.
    pub stderr: Option<f64>,
    /// Items.
    pub n: usize,
}

/// The mean of one value an item, with the standard error `sqrt(sum (x - mean)^2 / (n - 1)) / sqrt(n)`.
/// `None` without items.
pub fn mean(values: &[f64]) -> Option<Estimate> {
    let n = values.len();
    if n == 0 {
        return None;
    }
    let value = values.iter().sum::<f64>() / n as f64;
    let stderr = (n > 1).then(|| {
        let squares: f64 = values.iter().map(|x| (x - value) * (x - value)).sum();
        (squares / (n - 1) as f64 / n as f64).sqrt()
    });
    Some(Estimate { value, stderr, n })
}

/// The mean difference `other - base` over items that both answered, with the standard error of the differences.
/// `None` without items, or where the two are not of one length and so not paired.
pub fn paired_difference(base: &[f64], other: &[f64]) -> Option<Estimate> {
    if base.len() != other.len() {
        return None;
    }
    let differences: Vec<f64> = other
        .iter()
        .zip(base)
        .map(|(other, base)| other - base)
        .collect();
    mean(&differences)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_item_has_a_mean_and_no_error() {
        assert_eq!(
            mean(&[0.25]),
            Some(Estimate {
                value: 0.25,
                stderr: None,
                n: 1
            })
        );
        assert_eq!(mean(&[]), None);
    }

    #[test]
    fn items_that_are_not_paired_have_no_difference() {
        assert_eq!(paired_difference(&[1.0], &[1.0, 0.0]), None);
        assert_eq!(paired_difference(&[], &[]), None);
    }
}
