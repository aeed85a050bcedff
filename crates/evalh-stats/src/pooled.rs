//! The score of a group of tasks.

use crate::Estimate;

/// The mean of parts weighted by their items, with the standard error that lm-eval gives a group (`aggregate_subtask_metrics`
/// and `pooled_sample_stderr` with `weight_by_size`): `sqrt(sum (n - 1) n se^2 / (sum n - parts) / sum n)`.
///
/// It leaves the spread between the parts out, so it is below the standard error of the mean over all their items. `None`
/// without parts or items. No standard error where a part has none or all have one item only.
pub fn pooled(parts: &[Estimate]) -> Option<Estimate> {
    let n: usize = parts.iter().map(|part| part.n).sum();
    if n == 0 {
        return None;
    }
    let weighted: f64 = parts.iter().map(|part| part.value * part.n as f64).sum();
    let variance = parts.iter().try_fold(0.0, |sum, part| {
        let stderr = part.stderr?;
        Some(sum + (part.n as f64 - 1.0) * stderr * stderr * part.n as f64)
    });
    let stderr = variance
        .filter(|_| n > parts.len())
        .map(|variance| (variance / (n - parts.len()) as f64 / n as f64).sqrt());
    Some(Estimate {
        value: weighted / n as f64,
        stderr,
        n,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_without_an_error_leaves_the_group_without() {
        let part = |stderr, n| Estimate {
            value: 0.5,
            stderr,
            n,
        };
        assert_eq!(pooled(&[]), None);
        assert_eq!(
            pooled(&[part(None, 1), part(Some(0.1), 10)])
                .unwrap()
                .stderr,
            None
        );
        assert_eq!(pooled(&[part(Some(0.0), 1)]).unwrap().stderr, None);
    }
}
