//! Times of repetitions.

use crate::{failure::Outcome, usage};
use evalh_stats::{median, median_interval_95, percentile};
use serde::Serialize;
use std::time::Instant;

/// What a piece of work took.
#[derive(Debug, Clone, Copy)]
pub struct Lap {
    /// Seconds on the wall.
    pub wall: f64,
    /// Seconds of processors, all threads.
    pub cpu: f64,
}

/// Does something and tells what it took.
///
/// # Errors
/// Those of the work.
pub fn timed<T>(work: impl FnOnce() -> Outcome<T>) -> Outcome<(Lap, T)> {
    let (began, cpu) = (Instant::now(), usage::cpu_seconds());
    let done = work()?;
    let lap = Lap {
        wall: began.elapsed().as_secs_f64(),
        cpu: usage::cpu_seconds() - cpu,
    };
    Ok((lap, done))
}

/// Values of repetitions.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Spread {
    /// Their median.
    pub median: f64,
    /// The 95 % interval of the median; `None` with less than six repetitions.
    pub interval: Option<(f64, f64)>,
    /// Each value, in the order of the repetitions.
    pub each: Vec<f64>,
}

impl Spread {
    /// Of at least one repetition; of none, everything is 0.
    pub fn of(each: Vec<f64>) -> Spread {
        Spread {
            median: median(&each).unwrap_or_default(),
            interval: median_interval_95(&each),
            each,
        }
    }

    /// How far the middle half of the values lies apart, relative to the median.
    pub fn relative(&self) -> f64 {
        let at = |percent| percentile(&self.each, percent).unwrap_or_default();
        (at(75.0) - at(25.0)) / self.median
    }
}

/// Wall and CPU seconds of repetitions, each divided by the same number of parts.
pub fn spreads(laps: &[Lap], parts: usize) -> (Spread, Spread) {
    let of = |take: fn(&Lap) -> f64| {
        Spread::of(laps.iter().map(|lap| take(lap) / parts as f64).collect())
    };
    (of(|lap| lap.wall), of(|lap| lap.cpu))
}

/// Percentiles of latencies.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Latency {
    /// Half of the requests took at most so many seconds.
    pub p50: f64,
    /// 95 of 100 took at most so many.
    pub p95: f64,
    /// Each, in order.
    pub each: Vec<f64>,
}

impl Latency {
    /// Of at least one request; of none, everything is 0.
    pub fn of(each: Vec<f64>) -> Latency {
        Latency {
            p50: percentile(&each, 50.0).unwrap_or_default(),
            p95: percentile(&each, 95.0).unwrap_or_default(),
            each,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repetitions_have_a_median_an_interval_and_a_spread() {
        let lap = |wall| Lap {
            wall,
            cpu: wall * 2.0,
        };
        let laps: Vec<Lap> = [5.0, 1.0, 4.0, 2.0, 3.0, 6.0].map(lap).into();
        let (wall, cpu) = spreads(&laps, 2);
        assert_eq!((wall.median, wall.interval), (1.75, Some((0.5, 3.0))));
        assert_eq!(wall.each, [2.5, 0.5, 2.0, 1.0, 1.5, 3.0]);
        assert!((cpu.median - 3.5).abs() < 1e-12);
        assert!((wall.relative() - (2.5 - 1.0) / 1.75).abs() < 1e-12);
        assert_eq!(Spread::of(vec![1.0; 5]).interval, None);
    }

    #[test]
    fn latencies_have_percentiles() {
        let latency = Latency::of((1..=100).rev().map(f64::from).collect());
        assert_eq!((latency.p50, latency.p95), (50.0, 95.0));
    }
}
