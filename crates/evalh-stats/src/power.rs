//! What a paired comparison can detect: the power of the two-sided t-test.

use crate::{
    distribution::{normal_cdf, t_upper},
    spread::is_share,
};

/// The smallest true mean difference that a two-sided paired t-test at level `alpha` (0.05) finds with probability `power`
/// (0.8) over `n` items whose differences have the standard deviation `sd_of_differences`; in the same unit as that.
///
/// By the noncentral t distribution, as `TTestPower.solve_power` of `statsmodels`; for many items it is the textbook's
/// `(z_{1 - alpha / 2} + z_power) * sd / sqrt(n)`. `None` with less than two items, where the standard deviation is not
/// positive and finite (0 says nothing of what could be seen), and where not `0 < alpha < power < 1`. Nor is there an effect beyond the largest double.
pub fn minimum_detectable_effect(
    sd_of_differences: f64,
    n: usize,
    alpha: f64,
    power: f64,
) -> Option<f64> {
    if n < 2 || !is_positive(sd_of_differences) || !is_design(alpha, power) {
        return None;
    }
    let test = Design::new(n as f64, alpha);
    let (mut low, mut high) = (0.0, test.critical.max(1.0));
    while test.power(high) < power {
        low = high;
        high *= 2.0;
    }
    // 50 halvings leave nothing of a double's precision.
    for _ in 0..50 {
        let middle = f64::midpoint(low, high);
        if test.power(middle) < power {
            low = middle;
        } else {
            high = middle;
        }
    }
    Some(high / (n as f64).sqrt() * sd_of_differences).filter(|effect| effect.is_finite())
}

/// The least number of items over which a two-sided paired t-test at level `alpha` finds a true mean difference of
/// `effect` (of either sign) with probability `power`, where differences have the standard deviation
/// `sd_of_differences`. At least 2.
///
/// `None` where the effect is 0 or so small that more than 2^53 items were needed, and as for
/// [`minimum_detectable_effect`].
pub fn items_needed(sd_of_differences: f64, effect: f64, alpha: f64, power: f64) -> Option<u64> {
    let d = effect.abs() / sd_of_differences;
    if !is_positive(sd_of_differences) || !is_positive(d) || !is_design(alpha, power) {
        return None;
    }
    let enough = |n: u64| Design::new(n as f64, alpha).power(d * (n as f64).sqrt()) >= power;
    let (mut few, mut many) = (1, 2);
    while !enough(many) {
        few = many;
        many *= 2;
        if many > 1 << 53 {
            return None;
        }
    }
    while many - few > 1 {
        let middle = u64::midpoint(few, many);
        if enough(middle) {
            many = middle;
        } else {
            few = middle;
        }
    }
    Some(many)
}

fn is_positive(value: f64) -> bool {
    value > 0.0 && value.is_finite()
}

fn is_design(alpha: f64, power: f64) -> bool {
    is_share(alpha) && is_share(power) && alpha < power
}

/// The noncentrality beyond which the steps of the integral do not shrink on, so that every plan has an end.
const SHARPEST: f64 = 2500.0;

/// A two-sided t-test.
struct Design {
    df: f64,
    critical: f64,
}

impl Design {
    fn new(n: f64, alpha: f64) -> Design {
        let df = n - 1.0;
        Design {
            df,
            critical: t_upper(alpha / 2.0, df),
        }
    }

    /// The probability that t lies beyond the critical value on either side, where its mean is shifted by
    /// `noncentrality` standard errors (0 or more).
    ///
    /// t is `(z + noncentrality) / s` with `z` normal and `df * s^2` chi-squared, so this is the mean over `s` of a normal
    /// probability. Over `u = ln s` both factors are smooth and end fast, so that the trapezoid rule converges
    /// exponentially once its step is below their widths (about `1 / sqrt(2 df)` and `1 / noncentrality`); dividing by the
    /// sum of the weights spares their constant. Shifts above [`SHARPEST`], which only levels below about 1e-4 over two items
    /// ask for, have their edge resolved no better than that: four digits.
    fn power(&self, noncentrality: f64) -> f64 {
        let step = 0.25 / (2.5 + self.df.sqrt() + noncentrality.min(SHARPEST));
        let (mut all, mut beyond) = (0.0, 0.0);
        let mut add = |u: f64| {
            let log_weight = self.df * (u - (2.0 * u).exp_m1() / 2.0);
            if log_weight < -45.0 {
                return false;
            }
            let weight = log_weight.exp();
            let edge = self.critical * u.exp();
            all += weight;
            beyond +=
                weight * (normal_cdf(noncentrality - edge) + normal_cdf(-noncentrality - edge));
            true
        };
        add(0.0);
        for side in [step, -step] {
            let mut steps = 1.0;
            while add(side * steps) {
                steps += 1.0;
            }
        }
        beyond / all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_an_effect_the_power_is_the_level() {
        for n in [2.0, 3.0, 10.0, 200.0, 14_042.0] {
            for alpha in [0.001, 0.05, 0.3] {
                let found = Design::new(n, alpha).power(0.0);
                assert!(
                    (found - alpha).abs() < 1e-10 * n.sqrt(),
                    "{n} {alpha}: {found}"
                );
            }
        }
    }

    #[test]
    fn many_items_are_the_textbooks_normal_case() {
        let found = minimum_detectable_effect(1.0, 1_000_000, 0.05, 0.8).unwrap();
        assert!((found * 1000.0 - (1.959_963_985 + 0.841_621_234)).abs() < 1e-4);
    }

    #[test]
    fn what_cannot_be_planned_has_no_result() {
        assert_eq!(minimum_detectable_effect(0.5, 1, 0.05, 0.8), None);
        assert_eq!(minimum_detectable_effect(0.0, 10, 0.05, 0.8), None);
        assert_eq!(minimum_detectable_effect(f64::NAN, 10, 0.05, 0.8), None);
        assert_eq!(minimum_detectable_effect(0.5, 10, 0.05, 0.05), None);
        assert_eq!(minimum_detectable_effect(0.5, 10, 0.0, 0.8), None);
        assert_eq!(minimum_detectable_effect(0.5, 10, 0.05, 1.0), None);
        assert_eq!(items_needed(0.5, 0.0, 0.05, 0.8), None);
        assert_eq!(items_needed(0.0, 0.1, 0.05, 0.8), None);
        assert_eq!(items_needed(1.0, 1e-12, 0.05, 0.8), None);
        assert_eq!(items_needed(0.5, f64::INFINITY, 0.05, 0.8), None);
        assert_eq!(items_needed(1e-9, 1e9, 0.05, 0.8), Some(2));
    }
}
