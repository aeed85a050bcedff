//! Metrics that are means over items.

use crate::compare::answers::Items;
use evalh_record::Sample;
use evalh_stats::pass_at_k;

/// Each item's value of a metric; `None` where a sample does not have it.
pub(super) fn means(items: &Items<'_>, metric: &str) -> Option<Vec<f64>> {
    let k = metric.strip_prefix("pass@");
    let values = items.values().map(|samples| match k {
        Some("any") => Some(f64::from(u8::from(passed(samples) > 0))),
        Some(k) => pass_at_k(samples.len() as u64, passed(samples), k.parse().ok()?),
        None => mean(samples, metric),
    });
    values.collect()
}

fn passed(samples: &[&Sample]) -> u64 {
    samples.iter().filter(|sample| sample.score >= 1.0).count() as u64
}

/// The mean over an item's samples of the named score, or of the headline's where samples do not name it.
fn mean(samples: &[&Sample], metric: &str) -> Option<f64> {
    let scores = samples
        .iter()
        .map(|sample| sample.scores.get(metric).copied().unwrap_or(sample.score));
    (!samples.is_empty()).then(|| scores.sum::<f64>() / samples.len() as f64)
}
