//! One variant's score with its interval.

use super::{Analysis, Range, Scored, measure::Measure};
use evalh_record::ResultRow;
use evalh_stats::{Resampled, Resampling, normal_quantile, wilson_interval};

/// A row with its interval: Wilson's where each item is right or wrong, else the bootstrap's.
pub(super) fn scored(
    variant: usize,
    row: &ResultRow,
    measure: Option<&Measure>,
    analysis: Analysis,
) -> Scored {
    let interval = measure.and_then(|measure| interval(measure, analysis));
    let is_chance = row.chance.is_some_and(|chance| match interval {
        Some(range) => range.low <= chance && chance <= range.high,
        None => false,
    });
    Scored {
        variant,
        value: row.value,
        stderr: row.stderr,
        interval,
        n: row.n,
        is_chance,
    }
}

fn interval(measure: &Measure, analysis: Analysis) -> Option<Range> {
    if let Some(values) = measure.per_item() {
        let scale = measure.scale();
        let range = if is_right_or_wrong(values) {
            let right = values.iter().filter(|value| **value >= 1.0).count() as u64;
            let z = normal_quantile(f64::midpoint(1.0, analysis.confidence));
            let wilson = wilson_interval(right, values.len() as u64, z)?;
            Range {
                low: wilson.low,
                high: wilson.high,
            }
        } else {
            resampled(&resampling(analysis).mean(values, analysis.confidence)?)
        };
        return Some(Range {
            low: range.low * scale,
            high: range.high * scale,
        });
    }
    let drawn = resampling(analysis).items(measure.items(), analysis.confidence, |drawn| {
        measure.value(drawn)
    });
    drawn.as_ref().map(resampled)
}

/// Whether a score can only be 0 or 1.
pub(super) fn is_right_or_wrong(values: &[f64]) -> bool {
    values.iter().all(|value| [0.0, 1.0].contains(value))
}

/// The bootstrap of an analysis.
pub(super) fn resampling(analysis: Analysis) -> Resampling {
    Resampling {
        resamples: analysis.resamples,
        seed: analysis.seed,
    }
}

/// The interval to be shown: bias-corrected and accelerated where that is defined.
pub(super) fn resampled(found: &Resampled) -> Range {
    let interval = found.bca.unwrap_or(found.percentile);
    Range {
        low: interval.low,
        high: interval.high,
    }
}
