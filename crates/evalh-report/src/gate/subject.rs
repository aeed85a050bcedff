//! A variant's score on a part of a suite, and the case that it becomes.

use super::{Case, Figures, Rule, Verdict, decide::Decision, select::Asker, words};
use evalh_record::{Part, ResultRow};
use evalh_stats::normal_quantile;

/// A variant's score on a part of a suite.
pub(super) struct Subject<'j> {
    pub rule: &'j Rule,
    pub asker: Asker<'j>,
    pub part: (Part, String),
    pub place: usize,
    pub row: &'j ResultRow,
}

/// Whether a score is no better than guessing: its lower 95 % bound reaches down to what guessing gives.
pub(super) fn is_chance(row: &ResultRow) -> bool {
    row.chance.is_some_and(|chance| {
        let of_guesses = (chance * (1.0 - chance) / row.n.max(1) as f64)
            .max(0.0)
            .sqrt();
        let spread = row
            .stderr
            .map_or(of_guesses, |stderr| stderr.max(of_guesses));
        row.value - normal_quantile(0.95) * spread <= chance
    })
}

/// The case of a score.
pub(super) fn case(
    subject: &Subject<'_>,
    decision: Decision,
    mut notes: Vec<String>,
    figures: Figures,
) -> Case {
    if decision.verdict == Verdict::Inconclusive {
        notes.insert(0, words::undecided(decision.items_needed));
    }
    Case {
        name: subject.rule.name.clone(),
        line: subject.rule.line,
        suite: Some(subject.rule.suite.clone()),
        part: Some(subject.part.clone()),
        variant: Some(subject.row.variant.clone()),
        verdict: decision.verdict,
        asked: words::asked(&figures),
        found: words::found(&figures),
        items_needed: decision.items_needed,
        notes,
        figures,
    }
}
