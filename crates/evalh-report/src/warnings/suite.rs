//! What the numbers of a suite do not carry.

use super::Warning;
use crate::{
    compare::{ComparedMetric, ComparedSuite, Comparison, Finding},
    number::percent,
    verdict::power,
};

/// Scores that guessing gives just as well.
pub(super) fn guesses(
    comparison: &Comparison,
    suite: &ComparedSuite,
    metric: &ComparedMetric,
) -> Option<Warning> {
    let chance = metric.chance?;
    let guessed: Vec<String> = metric
        .scores
        .iter()
        .filter(|scored| scored.is_chance)
        .map(|scored| {
            format!(
                "{} {} {} % (chance {} %)",
                comparison.variants[scored.variant].name,
                metric.metric,
                percent(scored.value),
                percent(chance)
            )
        })
        .collect();
    (!guessed.is_empty()).then(|| Warning {
        what: format!(
            "scores of {} are not distinguishable from guessing: {}",
            suite.name,
            guessed.join(", ")
        ),
        remedy: "differences between them say little; ask more items, or choose a suite that the checkpoint can do".to_owned(),
    })
}

/// Differences that are smaller than what the items can show. Of several, the one that would take most items.
pub(super) fn underpowered(suite: &ComparedSuite, metric: &ComparedMetric) -> Option<Warning> {
    let open = metric.contrasts.iter().filter(|contrast| {
        contrast.finding == Finding::Inconclusive
            && contrast
                .detectable
                .is_some_and(|detectable| contrast.value.abs() < detectable)
    });
    let most = open.max_by_key(|contrast| contrast.items_needed)?;
    Some(Warning {
        what: power(suite, metric, most)?,
        remedy: "what is smaller is neither shown nor ruled out: ask more items before saying that there is no difference".to_owned(),
    })
}
