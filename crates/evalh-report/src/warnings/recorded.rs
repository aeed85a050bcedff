//! What the answers of a run themselves tell.

use super::Warning;
use crate::{counts::Finishes, number::percent};
use evalh_record::{Outcome, Record, Sample};

/// Share of generations that may end at the limit of tokens, of programs at the limit of work, and of prompts that may
/// lose their beginning, without a warning.
const TOLERATED: f64 = 0.01;

/// All warnings about a record, at most one of a kind for a suite.
pub(super) fn warnings(record: &Record) -> Vec<Warning> {
    let mut found = Vec::new();
    for suite in &record.manifest.settings.suites {
        let by_variant = |count: &dyn Fn(&[&Sample]) -> Option<String>| -> Option<String> {
            let parts: Vec<_> = record
                .manifest
                .settings
                .variants
                .iter()
                .filter_map(|variant| {
                    let of = |s: &&Sample| s.suite == suite.name && s.variant == variant.name;
                    let samples: Vec<_> = record.samples.iter().filter(of).collect();
                    Some(format!("{} {}", variant.name, count(&samples)?))
                })
                .collect();
            (!parts.is_empty()).then(|| parts.join(", "))
        };
        if let Some(which) = by_variant(&length_limited) {
            found.push(Warning {
                what: format!(
                    "answers to {} ended at the limit of {} new tokens: {which}",
                    suite.name,
                    suite.max_new_tokens.unwrap_or_default()
                ),
                remedy: "they may be cut short: raise --max-new-tokens and see whether the score changes".to_owned(),
            });
        }
        let truncated = |sample: &&&Sample| sample.truncated_tokens > 0;
        let too_many = |samples: &[&Sample]| {
            let count = samples.iter().filter(truncated).count();
            let too_many = count as f64 / samples.len().max(1) as f64 > TOLERATED;
            too_many.then(|| of(count, samples.len()))
        };
        if let Some(which) = by_variant(&too_many) {
            found.push(Warning {
                what: format!(
                    "prompts of {} did not fit and were cut: {which}",
                    suite.name
                ),
                remedy: match suite.max_new_tokens {
                    Some(_) => "lower --max-new-tokens, or use a checkpoint with more positions",
                    None => "use a checkpoint with more positions",
                }
                .to_owned(),
            });
        }
        let suspicious = |sample: &Sample| !sample.suspicions.is_empty();
        if let Some(which) = by_variant(&|samples| share(samples, suspicious)) {
            found.push(Warning {
                what: format!(
                    "programs for {} passed and hold words that can fool tests: {which}",
                    suite.name
                ),
                remedy:
                    "read them before believing the score: their suspicions are in samples.jsonl"
                        .to_owned(),
            });
        }
        let timed_out = |sample: &&&Sample| matches!(sample.outcome, Some(Outcome::TimedOut));
        let too_slow = |samples: &[&Sample]| {
            let count = samples.iter().filter(timed_out).count();
            let too_many = count as f64 / samples.len().max(1) as f64 > TOLERATED;
            too_many.then(|| of(count, samples.len()))
        };
        if let Some(which) = by_variant(&too_slow) {
            found.push(Warning {
                what: format!("programs for {} ran into the limit of work: {which}", suite.name),
                remedy: "they count as wrong, as in the reference; the limit lets every canonical solution pass, so look at one of them before blaming it".to_owned(),
            });
        }
        let crashed = |sample: &Sample| matches!(sample.outcome, Some(Outcome::Crashed { .. }));
        if let Some(which) = by_variant(&|samples| share(samples, crashed)) {
            found.push(Warning {
                what: format!(
                    "programs for {} crashed the interpreter: {which}",
                    suite.name
                ),
                remedy: "they count as wrong; look at their outcome in samples.jsonl".to_owned(),
            });
        }
    }
    found
}

/// How many generations ended at the limit of tokens, where they are too many.
fn length_limited(samples: &[&Sample]) -> Option<String> {
    let ends = Finishes::of(samples.iter().copied());
    let too_many = ends.length as f64 / ends.total().max(1) as f64 > TOLERATED;
    too_many.then(|| of(ends.length, ends.total()))
}

/// How many samples are so, where any are.
fn share(samples: &[&Sample], is_so: impl Fn(&Sample) -> bool) -> Option<String> {
    let count = samples.iter().filter(|sample| is_so(sample)).count();
    (count > 0).then(|| of(count, samples.len()))
}

fn of(count: usize, total: usize) -> String {
    format!(
        "{count} of {total} ({} %)",
        percent(count as f64 / total as f64)
    )
}
