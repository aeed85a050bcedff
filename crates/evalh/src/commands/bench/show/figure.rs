//! Figures as people read them.

use crate::{commands::bench::clock::Spread, output::number};

/// A median with its interval, in seconds.
pub fn spread(of: &Spread) -> String {
    let interval = of.interval.map_or_else(String::new, |(low, high)| {
        format!(" ({} to {})", seconds(low), seconds(high))
    });
    seconds(of.median) + &interval
}

/// A median with its interval, of ratios.
pub fn ratio(of: &Spread) -> String {
    let interval = of.interval.map_or_else(String::new, |(low, high)| {
        format!(" ({low:.3} to {high:.3})")
    });
    format!("{:.3}{interval}", of.median)
}

/// Seconds as people read them.
pub fn seconds(of: f64) -> String {
    if of < 1e-3 {
        format!("{:.1} \u{b5}s", of * 1e6)
    } else if of < 1.0 {
        format!("{:.2} ms", of * 1e3)
    } else {
        format!("{of:.2} s")
    }
}

/// So many a second.
pub fn rate(of: f64) -> String {
    if of < 100.0 {
        format!("{of:.1}")
    } else {
        number::thousands(of.round() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_short() {
        let shown = [1.234_567e-5, 0.012_345, 1.234, 90.0].map(seconds);
        assert_eq!(shown, ["12.3 \u{b5}s", "12.35 ms", "1.23 s", "90.00 s"]);
        assert_eq!([12.34, 1234.5].map(rate), ["12.3", "1,235"]);
        let of = Spread::of(vec![1.0; 6]);
        assert_eq!(ratio(&of), "1.000 (1.000 to 1.000)");
        assert_eq!(spread(&Spread::of(vec![2.0])), "2.00 s");
    }
}
