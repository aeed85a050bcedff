//! How findings are worded.

use super::{Claim, Over, Paired};
use crate::{
    compare::Range,
    number::{counted, p_value, percent, seconds},
};

/// What is said where nothing is claimed: `inconclusive`.
pub(super) fn open(claim: Claim) -> &'static str {
    match claim {
        Claim::TooFewSeeds => "too few seeds for a claim",
        Claim::Untested => "not tested",
        Claim::Inconclusive | Claim::Higher | Claim::Lower => "inconclusive",
    }
}

/// How a speed reads: ` trains 1.28 times as fast as standard for as many steps, 21.9 % less time`.
pub(super) fn speed(of: &Paired, reference: &str, end: &str) -> String {
    let saved = 1.0 - 1.0 / of.value;
    let time = if saved >= 0.0 {
        format!("{} % less time", percent(saved))
    } else {
        format!("{} % more time", percent(-saved))
    };
    match of.claim {
        Claim::Higher | Claim::Lower => {
            format!(
                " trains {:.2} times as fast as {reference} {end}, {time}",
                of.value
            )
        }
        claim => format!(
            ": {} in speed against {reference} {end}: {:.2} times as fast, {time}",
            open(claim),
            of.value
        ),
    }
}

/// What a claim rests on: `(95 % interval over 3 seeds 1.22 to 1.35, corrected p = 0.004; over items +1.2 to +3.0)`.
pub(super) fn grounds(
    of: &Paired,
    confidence: f64,
    show: &dyn Fn(Range) -> String,
    more: &str,
) -> String {
    let seeds = counted(of.each.len(), "seed");
    let interval = match of.interval {
        Some(range) => format!(
            "{} % interval over {seeds} {}",
            whole_percent(confidence),
            show(range)
        ),
        None => format!("{seeds}, no interval"),
    };
    let p = of.p_holm.map_or_else(String::new, |p| {
        let shown = p_value(p);
        match shown.strip_prefix("< ") {
            Some(bound) => format!(", corrected p below {bound}"),
            None => format!(", corrected p = {shown}"),
        }
    });
    format!("({interval}{p}{more})")
}

/// An interval of ratios, `1.22 to 1.35`.
pub(super) fn ratios(range: Range) -> String {
    format!("{:.2} to {:.2}", range.low, range.high)
}

/// An interval of losses, `−0.0012 to +0.0345`.
pub(super) fn losses(range: Range) -> String {
    format!("{} to {}", signed(range.low, 4), signed(range.high, 4))
}

/// A number with a sign, a true minus.
pub(super) fn signed(value: f64, decimals: usize) -> String {
    let sign = if value < 0.0 { "\u{2212}" } else { "+" };
    format!("{sign}{:.decimals$}", value.abs())
}

/// `95`, `99.5`.
pub(super) fn whole_percent(share: f64) -> f64 {
    (share * 10_000.0).round() / 100.0
}

/// Mean and standard deviation of seconds.
pub(super) fn seconds_over(of: &Over) -> String {
    let sd = of
        .sd
        .map_or_else(String::new, |sd| format!(" \u{b1} {}", seconds(sd)));
    format!("{}{sd}", seconds(of.mean))
}
