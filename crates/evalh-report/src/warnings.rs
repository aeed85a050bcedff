//! What a reader must know before believing a score.

mod recorded;
mod suite;

use crate::compare::{Comparison, Finding, Run};
use serde::{Deserialize, Serialize};

/// Something that a reader must know before believing a score, and what to do about it. Names are as in the record, not escaped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    /// What was seen.
    pub what: String,
    /// What can be done about it.
    pub remedy: String,
}

/// All warnings about a comparison, at most one of a kind for a suite of a run.
pub(crate) fn warnings(comparison: &Comparison, runs: &[Run<'_>]) -> Vec<Warning> {
    let mut found = Vec::new();
    for run in runs {
        let of_run = recorded::warnings(run.record);
        found.extend(of_run.into_iter().map(|warning| match runs {
            [_] => warning,
            _ => Warning {
                what: format!("{}: {}", run.name, warning.what),
                ..warning
            },
        }));
    }
    for (suite, metric) in comparison.headlines() {
        found.extend(suite::guesses(comparison, suite, metric));
        found.extend(suite::underpowered(suite, metric));
        for contrast in &metric.contrasts {
            if contrast.finding == Finding::Identical {
                let name = |variant: usize| &comparison.variants[variant].name;
                found.push(Warning {
                    what: format!(
                        "{} answers every item of {} exactly like {}",
                        name(contrast.variant),
                        suite.name,
                        name(contrast.other)
                    ),
                    remedy: "its adapter may have no effect, or the checkpoint be the same: check that it was trained, and from this base".to_owned(),
                });
            }
        }
    }
    found
}
