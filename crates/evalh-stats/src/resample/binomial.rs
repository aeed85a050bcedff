//! Binomial draws by inversion from the mode outwards.

use super::draw::Draw;

/// Weights below this share of the mode's are left out; together they are far below a double's precision.
const NEGLIGIBLE: f64 = 1e-22;

/// The binomial distribution of `n` trials, of which one succeeds with probability `a / (a + b)`.
///
/// Only the four operations of arithmetic are used, which round alike everywhere, so that a draw is the same on every
/// machine.
pub(super) struct Binomial {
    first: u64,
    /// Sums of the weights up to each number from `first` on.
    sums: Vec<f64>,
}

impl Binomial {
    /// `a` and `b` are not both 0.
    pub(super) fn new(n: u64, a: f64, b: f64) -> Binomial {
        if n == 0 || a == 0.0 {
            return Binomial {
                first: 0,
                sums: vec![1.0],
            };
        }
        if b == 0.0 {
            return Binomial {
                first: n,
                sums: vec![1.0],
            };
        }
        let odds = a / b;
        let mode = ((n as f64 + 1.0) * (a / (a + b))) as u64;
        let mode = mode.min(n);
        let mut below = Vec::new();
        let (mut k, mut weight) = (mode, 1.0);
        while k > 0 && weight > NEGLIGIBLE {
            weight *= k as f64 / ((n - k + 1) as f64 * odds);
            k -= 1;
            below.push(weight);
        }
        let first = k;
        let (mut sum, mut sums) = (0.0, Vec::with_capacity(2 * below.len() + 1));
        for weight in below.into_iter().rev().chain([1.0]) {
            sum += weight;
            sums.push(sum);
        }
        let (mut k, mut weight) = (mode, 1.0);
        while k < n && weight > NEGLIGIBLE {
            weight *= (n - k) as f64 / (k + 1) as f64 * odds;
            k += 1;
            sum += weight;
            sums.push(sum);
        }
        Binomial { first, sums }
    }

    pub(super) fn draw(&self, draw: &mut Draw) -> u64 {
        let all = self.sums[self.sums.len() - 1];
        let at = draw.share() * all;
        let place = self.sums.partition_point(|&sum| sum <= at);
        // Rounding may bring the product up to all weights.
        self.first + place.min(self.sums.len() - 1) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use statrs::distribution::{Binomial as Reference, DiscreteCDF};

    #[test]
    fn cumulative_weights_are_the_binomials() {
        for (n, a, b) in [
            (1, 1.0, 1.0),
            (10, 3.0, 7.0),
            (500, 1.0, 499.0),
            (14_042, 600.0, 13_442.0),
        ] {
            let found = Binomial::new(n, a, b);
            let expected = Reference::new(a / (a + b), n).unwrap();
            let all = found.sums[found.sums.len() - 1];
            for (place, sum) in found.sums.iter().enumerate() {
                let k = found.first + place as u64;
                assert!((sum / all - expected.cdf(k)).abs() < 1e-9, "{n} {k}");
            }
        }
    }

    #[test]
    fn sure_outcomes_are_drawn_surely() {
        let mut draw = Draw::new(0);
        assert_eq!(Binomial::new(0, 1.0, 1.0).draw(&mut draw), 0);
        assert_eq!(Binomial::new(9, 0.0, 1.0).draw(&mut draw), 0);
        assert_eq!(Binomial::new(9, 1.0, 0.0).draw(&mut draw), 9);
    }
}
