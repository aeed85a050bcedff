//! The distributions that the tests and intervals need, from `statrs`.

use statrs::{
    distribution::{Continuous, ContinuousCDF, Normal, StudentsT},
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

/// Degrees of freedom above which Student's t goes by [`normalized`]: there it is exact to a double's precision, while the
/// logarithms of the gamma function in the incomplete beta function lose digits.
const MANY: f64 = 1000.0;

/// The probability that Student's t with `df` degrees of freedom is above `t`.
pub(crate) fn t_tail(t: f64, df: f64) -> f64 {
    if df > MANY {
        return normal_tail(normalized(t, df).0);
    }
    let square = t * t;
    // For small t, df / (df + t^2) would round their square off.
    let outside = if square < 1.0 {
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

/// The value that Student's t with `df` degrees of freedom exceeds with probability `tail`, which lies between 0 and 1.
pub(crate) fn t_upper(tail: f64, df: f64) -> f64 {
    if tail > 0.5 {
        return -t_upper(1.0 - tail, df);
    }
    // Newton's method: the tail is convex and the normal quantile below the root, so it comes near from below; the first
    // step back is of rounding.
    let mut t = -normal_quantile(tail);
    while t > 0.0 && t.is_finite() {
        let step = (t_tail(t, df) - tail) / t_density(t, df);
        t += step;
        if step.is_nan() || step <= t * f64::EPSILON {
            break;
        }
    }
    t
}

/// The density at `t`, which is not 0; a part in 10^6 is enough for the steps that it is for.
fn t_density(t: f64, df: f64) -> f64 {
    if df > MANY {
        let (z, slope) = normalized(t, df);
        return Normal::standard().pdf(z) * slope;
    }
    StudentsT::new(0.0, 1.0, df).map_or(f64::NAN, |student| student.pdf(t))
}

/// The normal value with the tail of Student's `t` (Hill 1970, Communications of the ACM 13:617), and about how fast it
/// grows with `t`. The terms left out are below `1 / df^6`.
fn normalized(t: f64, df: f64) -> (f64, f64) {
    let a = df - 0.5;
    let b = 48.0 * a * a;
    let square = a * (t * t / df).ln_1p();
    let z = square.sqrt().copysign(t);
    let cubed = z * square;
    let last = z * (855.0 + square * (240.0 + square * (33.0 + 4.0 * square)));
    let corrected =
        z + (cubed + 3.0 * z) / b - last / (10.0 * b * (b + 0.8 * square * square + 100.0));
    (corrected, a * t / (z * (df + t * t)))
}
