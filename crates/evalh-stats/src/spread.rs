//! What counts as a spread. Where all items differ alike, the sample says nothing of how others would: a standard error
//! of 0 is no certainty, so whatever divides by it has no result.

use crate::{Estimate, mean};

/// The mean of `values` and its standard error, where there are at least two, all finite, that are not all the same.
pub(crate) fn spread_mean(values: &[f64]) -> Option<(Estimate, f64)> {
    if values.iter().any(|value| !value.is_finite()) {
        return None;
    }
    let estimate = mean(values)?;
    Some((estimate, spread_stderr(estimate)?))
}

/// The standard error of an estimate of two items or more that is finite and has one above what rounding leaves of equal values.
///
/// A sum of `n` equal values is off by less than `n` roundings, so their standard error is below `sqrt(n) * epsilon`
/// times the value.
pub(crate) fn spread_stderr(estimate: Estimate) -> Option<f64> {
    let stderr = estimate.stderr?;
    let rounding = (estimate.n as f64).sqrt() * f64::EPSILON * estimate.value.abs();
    let finite = estimate.value.is_finite() && stderr.is_finite();
    (estimate.n > 1 && finite && stderr > rounding).then_some(stderr)
}

/// A share that is neither 0 nor 1.
pub(crate) fn is_share(value: f64) -> bool {
    value > 0.0 && value < 1.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_have_no_spread_however_they_round() {
        for n in [2, 3, 10, 14_042] {
            for value in [0.0, 0.1, -1.0 / 3.0, 1e300, 7.3e-9] {
                assert_eq!(spread_mean(&vec![value; n]), None, "{n} times {value}");
            }
        }
    }

    #[test]
    fn one_other_value_is_a_spread() {
        let mut values = vec![0.1; 14_042];
        values[5] = 0.1 + 1e-9;
        assert!(spread_mean(&values).is_some());
        values[5] = f64::NAN;
        assert_eq!(spread_mean(&values), None);
    }
}
