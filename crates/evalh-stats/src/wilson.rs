//! Wilson's score interval of a rate.

/// The normal quantile of a two-sided 95 % interval.
pub const Z_95: f64 = 1.959_963_984_540_054;

/// An interval of values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// Lower end; of a rate at least 0.
    pub low: f64,
    /// Upper end; of a rate at most 1.
    pub high: f64,
}

/// Wilson's score interval (Wilson 1927, no continuity correction) for `successes` out of `n`, at the normal quantile
/// `z`. `None` without trials, or with more successes than trials.
pub fn wilson_interval(successes: u64, n: u64, z: f64) -> Option<Interval> {
    if n == 0 || successes > n {
        return None;
    }
    let count = n as f64;
    let rate = successes as f64 / count;
    let square = z * z;
    let centre = (rate + square / (2.0 * count)) / (1.0 + square / count);
    let half = z / (1.0 + square / count)
        * (rate * (1.0 - rate) / count + square / (4.0 * count * count)).sqrt();
    Some(Interval {
        low: if successes == 0 {
            0.0
        } else {
            (centre - half).max(0.0)
        },
        high: if successes == n {
            1.0
        } else {
            (centre + half).min(1.0)
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_a_rate_has_no_interval() {
        assert_eq!(wilson_interval(0, 0, Z_95), None);
        assert_eq!(wilson_interval(3, 2, Z_95), None);
    }
}
