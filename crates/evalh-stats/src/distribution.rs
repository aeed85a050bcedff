//! The distributions that the tests and intervals need, from `statrs`.

use statrs::{
    distribution::{ContinuousCDF, Normal, StudentsT},
    function::beta::beta_reg,
};

/// The value that a standard normal variable does not exceed with probability `p`.
///
/// Minus and plus infinity at 0 and 1; not a number where `p` is not within them.
pub fn normal_quantile(p: f64) -> f64 {
    if (0.0..=1.0).contains(&p) {
        Normal::standard().inverse_cdf(p)
    } else {
        f64::NAN
    }
}

/// The two-sided p-value of a standard normal variable that is as far from 0 as `z`.
pub fn normal_two_sided(z: f64) -> f64 {
    2.0 * Normal::standard().sf(z.abs())
}

/// The probability that a standard normal variable is below `z`.
pub(crate) fn normal_cdf(z: f64) -> f64 {
    Normal::standard().cdf(z)
}

/// The probability that a standard normal variable is above `z`.
pub(crate) fn normal_tail(z: f64) -> f64 {
    Normal::standard().sf(z)
}

/// The probability that Student's t with `df` degrees of freedom is above `t`.
///
/// Small `t` go by the complement of the incomplete beta function: `df / (df + t^2)` would round their square off.
pub(crate) fn t_tail(t: f64, df: f64) -> f64 {
    let square = t * t;
    let outside = if square < df {
        1.0 - beta_reg(0.5, df / 2.0, square / (df + square))
    } else {
        beta_reg(df / 2.0, 0.5, df / (df + square))
    };
    if t > 0.0 {
        outside / 2.0
    } else {
        1.0 - outside / 2.0
    }
}

/// The value that Student's t with `df` degrees of freedom does not exceed with probability `p`, which lies between 0
/// and 1.
pub(crate) fn t_quantile(p: f64, df: f64) -> f64 {
    StudentsT::new(0.0, 1.0, df).map_or(f64::NAN, |t| t.inverse_cdf(p))
}
