//! The score interval and test of a difference of two paired rates (Tango 1998, Statistics in Medicine 17:891).
//!
//! They hold where t does not: with few items that differ, and with none, where the standard error is 0.

use crate::{
    Interval,
    distribution::{normal_quantile, normal_tail},
    spread::is_share,
};

/// The score interval of the difference `(gained - lost) / n` of paired rates: all differences that the score test does
/// not reject at `1 - confidence`, two-sided. `gained` items only the one variant gets right, `lost` only the other.
///
/// With nothing gained or lost it still has a width: `z^2 / (n + z^2)` to either side. `None` without items, with more
/// gained and lost than items, and where `confidence` is not between 0 and 1.
pub fn tango_interval(gained: u64, lost: u64, n: u64, confidence: f64) -> Option<Interval> {
    let table = Table::new(gained, lost, n)?;
    if !is_share(confidence) {
        return None;
    }
    let z = normal_quantile(f64::midpoint(1.0, confidence));
    Some(Interval {
        low: -table.mirrored().upper(z),
        high: table.upper(z),
    })
}

/// One-sided p-value of the score test that the rate fell by `margin` (between 0 and 1) or more: small where the variant
/// loses less than `margin`. `None` as for [`tango_interval`], and where `margin` is not between 0 and 1.
pub fn tango_non_inferiority(gained: u64, lost: u64, n: u64, margin: f64) -> Option<f64> {
    let table = Table::new(gained, lost, n)?;
    is_share(margin).then(|| normal_tail(table.score(-margin)))
}

/// Paired answers: items gained, lost, and in all.
#[derive(Clone, Copy)]
struct Table {
    gained: f64,
    lost: f64,
    n: f64,
}

impl Table {
    fn new(gained: u64, lost: u64, n: u64) -> Option<Table> {
        let differ = gained.checked_add(lost)?;
        (n > 0 && differ <= n).then_some(Table {
            gained: gained as f64,
            lost: lost as f64,
            n: n as f64,
        })
    }

    fn mirrored(self) -> Table {
        Table {
            gained: self.lost,
            lost: self.gained,
            ..self
        }
    }

    /// How many standard errors the difference lies above `assumed`, with the rate lost estimated under that assumption.
    /// Infinite where the assumption leaves no spread and is not met; 0 where it is.
    fn score(self, assumed: f64) -> f64 {
        let Table { gained, lost, n } = self;
        let above = gained - lost - n * assumed;
        let linear = (2.0 * n - gained + lost) * assumed - gained - lost;
        let constant = -lost * assumed * (1.0 - assumed);
        let root = (linear * linear - 8.0 * n * constant).max(0.0).sqrt();
        // The positive root, by whichever form does not cancel.
        let lost_rate = if linear > 0.0 {
            -2.0 * constant / (linear + root)
        } else {
            (root - linear) / (4.0 * n)
        };
        let variance = n * (2.0 * lost_rate + assumed * (1.0 - assumed));
        if above == 0.0 {
            0.0
        } else {
            above / variance.max(0.0).sqrt()
        }
    }

    /// The largest difference at most `z` standard errors above what was seen. The score falls as the difference grows.
    fn upper(self, z: f64) -> f64 {
        let (mut inside, mut outside) = ((self.gained - self.lost) / self.n, 1.0);
        // Halving ends where no number lies between the two.
        loop {
            let middle = f64::midpoint(inside, outside);
            if middle <= inside || middle >= outside {
                return middle;
            }
            if self.score(middle) >= -z {
                inside = middle;
            } else {
                outside = middle;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_differs_still_leaves_a_doubt() {
        let z = normal_quantile(0.975);
        let found = tango_interval(0, 0, 40, 0.95).unwrap();
        assert!((found.high - z * z / (40.0 + z * z)).abs() < 1e-12);
        assert!((found.low + found.high).abs() < 1e-15);
        assert!(tango_non_inferiority(0, 0, 40, 0.05).unwrap() > 0.05);
        assert!(tango_non_inferiority(0, 0, 400, 0.05).unwrap() < 1e-4);
    }

    #[test]
    fn ends_of_the_range_are_reached() {
        assert!((tango_interval(10, 0, 10, 0.95).unwrap().high - 1.0).abs() < f64::EPSILON);
        assert!((tango_interval(0, 10, 10, 0.95).unwrap().low + 1.0).abs() < f64::EPSILON);
    }

    #[test]
    fn what_is_no_table_has_no_result() {
        assert_eq!(tango_interval(0, 0, 0, 0.95), None);
        assert_eq!(tango_interval(3, 3, 5, 0.95), None);
        assert_eq!(tango_interval(u64::MAX, 1, u64::MAX, 0.95), None);
        assert_eq!(tango_interval(1, 1, 5, 1.0), None);
        assert_eq!(tango_non_inferiority(1, 1, 5, 0.0), None);
        assert_eq!(tango_non_inferiority(1, 1, 5, 1.0), None);
    }
}
