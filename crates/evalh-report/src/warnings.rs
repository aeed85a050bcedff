//! What a reader must know before believing a score.

use crate::{
    compare::comparisons,
    counts::Finishes,
    number::{counted, percent},
};
use evalh_record::{Outcome, Record};

/// Share of generations that may end at the limit of tokens without a warning.
const LENGTH_LIMITED: f64 = 0.01;

/// Something that a reader must know before believing a score, and what to do about it. Names are as in the record, not escaped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// What was seen.
    pub what: String,
    /// What can be done about it.
    pub remedy: String,
}

/// All warnings about a record.
pub fn warnings(record: &Record) -> Vec<Warning> {
    let mut found = Vec::new();
    let settings = &record.manifest.settings;
    for suite in &settings.suites {
        for variant in &settings.variants {
            let of = || {
                record
                    .samples
                    .iter()
                    .filter(|s| s.suite == suite.name && s.variant == variant.name)
            };
            let ends = Finishes::of(of());
            let share = ends.length as f64 / ends.total().max(1) as f64;
            if share > LENGTH_LIMITED {
                found.push(Warning {
                    what: format!(
                        "{} of {} by {} to {} ({} %) ended at the limit of {} new tokens",
 ends.length, counted(ends.total(), "answer"),
                        variant.name,
                        suite.name,
                        percent(share),
                        suite.max_new_tokens
                    ),
                    remedy: "they may be cut short: raise --max-new-tokens and see whether the score changes".to_owned(),
                });
            }
            let truncated = of().filter(|sample| sample.truncated_tokens > 0).count();
            if truncated > 0 {
                found.push(Warning {
                    what: format!(
                        "{} of {} did not fit {} and lost the beginning",
                        counted(truncated, "prompt"),
                        suite.name,
                        variant.name
                    ),
                    remedy: "lower --max-new-tokens, or use a checkpoint with more positions"
                        .to_owned(),
                });
            }
            let crashed = of()
                .filter(|sample| matches!(sample.outcome, Some(Outcome::Crashed { .. })))
                .count();
            if crashed > 0 {
                found.push(Warning {
                    what: format!(
                        "{} of {} on {} crashed the interpreter",
                        counted(crashed, "program"),
                        variant.name,
                        suite.name
                    ),
                    remedy: "this counts as wrong; look at the outcome in samples.jsonl".to_owned(),
                });
            }
        }
    }
    for comparison in comparisons(record) {
        if comparison.items > 0 && comparison.same_answers == comparison.items {
            found.push(Warning {
                what: format!(
                    "{} answers every item of {} exactly like the base",
                    comparison.variant, comparison.suite
                ),
                remedy: "its adapter may have no effect: check that it was trained, and for this checkpoint".to_owned(),
            });
        }
    }
    found
}
