//! What a training cost and what it came to.

use serde::{Deserialize, Serialize};

/// Time spent. Of a resumed training the sum over its sessions, without the work that a kill undid.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seconds {
    /// Wall time.
    pub wall: f64,
    /// CPU time of all threads.
    pub cpu: f64,
}

/// Training losses, mean nats a loss token of a step.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LossSummary {
    /// Of step 1, before anything was learnt.
    pub first: f64,
    /// Of the last step.
    pub last: f64,
    /// Mean over the last 10 steps, or all where there were fewer.
    pub mean_last_10: f64,
}

impl LossSummary {
    /// The summary of losses in the order of their steps; `None` where there are none.
    pub fn of(losses: &[f64]) -> Option<LossSummary> {
        let tail = &losses[losses.len().saturating_sub(10)..];
        Some(LossSummary {
            first: *losses.first()?,
            last: *losses.last()?,
            mean_last_10: tail.iter().sum::<f64>() / tail.len() as f64,
        })
    }
}

/// Energy spent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "known", deny_unknown_fields)]
pub enum Energy {
    /// A counter or sampled power over real timestamps told.
    Measured {
        /// Joules.
        joules: f64,
        /// What measured: `rapl package-0`, `nvml`.
        source: String,
    },
    /// Nothing could tell.
    Unavailable {
        /// Why.
        reason: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_ten_losses_are_averaged() {
        let losses: Vec<f64> = (1..=12).map(f64::from).collect();
        let summary = LossSummary::of(&losses).unwrap();
        assert_eq!((summary.first, summary.last), (1.0, 12.0));
        assert!((summary.mean_last_10 - 7.5).abs() < 1e-12);
        let short = LossSummary::of(&losses[..2]).unwrap();
        assert!((short.mean_last_10 - 1.5).abs() < 1e-12);
        assert_eq!(LossSummary::of(&[]), None);
    }
}
