//! What else the machine did while it was measured.

use super::{
    clock::Spread,
    found::{Found, Warning},
};
use crate::{settings::all_threads, usage};
use serde::Serialize;
use std::{fs, time::Instant};

/// The middle half of repetitions within so much of the median is calm.
const CALM: f64 = 0.1;
/// Others may use so much of the processors.
const OTHERS: f64 = 0.05;
/// So much may be taken by other machines of the same host.
const STOLEN: f64 = 0.01;

/// What else the machine did. `None` where it does not tell.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Noise {
    /// The load average over a minute as the measurement began.
    pub load_average: Option<f64>,
    /// The share of the processors' time that other programs used.
    pub used_by_others: Option<f64>,
    /// The share of the processors' time that other machines of the host took.
    pub stolen: Option<f64>,
}

/// Watches the machine over a span.
pub struct Watch {
    began: Instant,
    own: f64,
    load_average: Option<f64>,
    at_first: Option<Ticks>,
}

/// Sums over all processors since the system started (`/proc/stat`), in ticks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Ticks {
    busy: u64,
    stolen: u64,
    all: u64,
}

impl Watch {
    /// Begins a span.
    pub fn begin() -> Watch {
        Watch {
            began: Instant::now(),
            own: usage::cpu_seconds(),
            load_average: read("/proc/loadavg").and_then(|text| first_number(&text)),
            at_first: read("/proc/stat").and_then(|text| ticks(&text)),
        }
    }

    /// What was seen since.
    pub fn end(&self) -> Noise {
        let at_last = read("/proc/stat").and_then(|text| ticks(&text));
        let spent = self.at_first.zip(at_last).map(|(a, b)| Ticks {
            busy: b.busy.saturating_sub(a.busy),
            stolen: b.stolen.saturating_sub(a.stolen),
            all: b.all.saturating_sub(a.all),
        });
        let spent = spent.filter(|spent| spent.all > 0);
        let seconds = self.began.elapsed().as_secs_f64() * all_threads().get() as f64;
        let own = (usage::cpu_seconds() - self.own) / seconds;
        Noise {
            load_average: self.load_average,
            used_by_others: spent
                .map(|spent| (spent.busy as f64 / spent.all as f64 - own).max(0.0)),
            stolen: spent.map(|spent| spent.stolen as f64 / spent.all as f64),
        }
    }
}

/// What makes the figures doubtful.
pub fn warnings(found: &Found) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let mut warn = |what: String, remedy: &str| {
        warnings.push(Warning {
            what,
            remedy: remedy.to_owned(),
        });
    };
    let noise = &found.noise;
    if let Some(share) = noise.used_by_others.filter(|share| *share > OTHERS) {
        warn(
            format!(
                "other programs used {} of the processors meanwhile (load average at the start: {})",
                percent(share),
                noise
                    .load_average
                    .map_or_else(|| "unknown".to_owned(), |load| format!("{load:.2}")),
            ),
            "end them and measure again, or compare CPU seconds",
        );
    }
    if let Some(share) = noise.stolen.filter(|share| *share > STOLEN) {
        warn(
            format!(
                "other machines of the same host took {} of the processors",
                percent(share)
            ),
            "measure again at another time, or on a machine of its own",
        );
    }
    let prefill = found.prefill.iter().map(|figure| {
        let name = format!("prefill of {} tokens", figure.tokens);
        (name, &figure.seconds)
    });
    let decode = found.decode.iter().map(|figure| {
        let name = format!("decode at batch {}", figure.batch);
        (name, &figure.seconds)
    });
    let adapters = found.adapters.iter().map(|figure| {
        let name = format!("{} {}", figure.adapter, figure.how);
        (name, &figure.ratio)
    });
    let unsteady: Vec<String> = prefill
        .chain(decode)
        .chain(adapters)
        .filter(|(_, spread)| is_unsteady(spread))
        .map(|(name, spread)| format!("{name} ({})", percent(spread.relative())))
        .collect();
    if !unsteady.is_empty() {
        warn(
            format!(
                "repetitions differ: the middle half of them spreads over more than {} of the median in {}",
                percent(CALM),
                unsteady.join(", ")
            ),
            "measure on an idle machine, with more --repetitions or --rounds",
        );
    }
    warnings
}

fn is_unsteady(spread: &Spread) -> bool {
    spread.each.len() > 1 && spread.relative() > CALM
}

fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

fn read(path: &str) -> Option<String> {
    fs::read_to_string(path).ok()
}

fn first_number(text: &str) -> Option<f64> {
    text.split_whitespace().next()?.parse().ok()
}

/// The first line of `/proc/stat`: user, nice, system, idle, waiting, two kinds of interrupts, stolen (`man 5 proc`).
fn ticks(stat: &str) -> Option<Ticks> {
    let line = stat.lines().next()?.strip_prefix("cpu ")?;
    let numbers = line.split_whitespace().map(str::parse);
    let numbers = numbers.collect::<Result<Vec<u64>, _>>().ok()?;
    let &[user, nice, system, idle, waiting, hard, soft, stolen, ..] = numbers.as_slice() else {
        return None;
    };
    let busy = user + nice + system + hard + soft;
    Some(Ticks {
        busy,
        stolen,
        all: busy + idle + waiting + stolen,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_systems_counters_are_read() {
        let found = ticks("cpu  10 1 2 100 5 3 4 6 0 0\ncpu0 1 1 1 1\n");
        let expected = Ticks {
            busy: 20,
            stolen: 6,
            all: 131,
        };
        assert_eq!(found, Some(expected));
        assert_eq!(ticks("cpu  1 2 3\n"), None);
        assert_eq!(ticks("intr 1\n"), None);
        assert_eq!(first_number("0.25 0.5 1 1/80 3"), Some(0.25));
    }

    #[test]
    fn repetitions_that_differ_are_unsteady() {
        assert!(!is_unsteady(&Spread::of(vec![1.0, 1.01, 1.02, 5.0, 1.0])));
        assert!(is_unsteady(&Spread::of(vec![1.0, 1.3, 1.6, 1.0, 1.4])));
        assert!(!is_unsteady(&Spread::of(vec![1.0])));
    }
}
