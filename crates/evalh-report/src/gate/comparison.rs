//! A score held against another over the same items.

use super::{
    Case, Figures, GateResult, Reference, Test, decide,
    evidence::Evidence,
    judge::Judge,
    reference::{Other, no_scores_by_item},
    resampled::resampled,
    subject::{Subject, case, is_chance},
    words,
};
use crate::baseline::{is_of_items, moment};

impl Judge<'_> {
    /// The case of a rule that compares.
    pub(super) fn comparison(
        &self,
        subject: &Subject<'_>,
        reference: &Reference,
        margin: f64,
        test: Test,
    ) -> GateResult<Case> {
        let (rule, row) = (subject.rule, subject.row);
        if words::is_share(&row.metric) && margin >= 1.0 {
            return Err(subject.asker.fault(
                "margin",
                format!("{margin} is no margin of a share, which lies between 0 and 1"),
                format!("write {} for {margin} percentage points", margin / 100.0),
            ));
        }
        let other = self.reference(subject, reference)?;
        let evidence = self.evidence(subject, &other)?;
        let evidence = match test {
            Test::None => evidence.alone(),
            _ => evidence,
        };
        let decision = decide::of_difference(&evidence, margin, test);
        let turned = evidence.lower_is_better;
        let (low, high) = match (evidence.low, evidence.high) {
            (low, high) if turned => (high.map(|x| -x), low.map(|x| -x)),
            ends => ends,
        };
        let mut notes = Vec::new();
        if is_chance(other.row) {
            notes.push(format!(
                "{} is no better than guessing here, so there is nothing to lose and a pass says little",
                other.name
            ));
        }
        if evidence.changed == Some((0, 0)) {
            notes.push(format!("every item has the same score as {}", other.name));
        }
        if moment(&self.scores.settings) != moment(&other.scores.settings) {
            notes.push("the chat template was told another date than in the baseline".to_owned());
        }
        let figures = Figures::Comparison {
            metric: row.metric.clone(),
            lower_is_better: turned,
            reference: other.name,
            value: row.value,
            reference_value: other.row.value,
            difference: row.value - other.row.value,
            low,
            high,
            method: evidence.method,
            items: evidence.items,
            gained: evidence.changed.map(|(gained, _)| gained),
            lost: evidence.changed.map(|(_, lost)| lost),
            margin,
            test,
            p: decision.p,
            confidence: rule.confidence,
        };
        Ok(case(subject, decision, notes, figures))
    }

    /// What the items tell: by their scores where the metric has them, else by drawing the items anew.
    fn evidence(&self, subject: &Subject<'_>, other: &Other<'_>) -> GateResult<Evidence> {
        let (confidence, row) = (subject.rule.confidence, subject.row);
        let ours = self.scores.row_series(row);
        let theirs = other.scores.row_series(other.row);
        let found = match (ours, theirs) {
            (Some(ours), Some(theirs)) => Evidence::of_difference(&ours, &theirs, confidence),
            _ if other.is_base && !is_of_items(&row.metric) => {
                let found = resampled(self.inputs, row, &other.row.variant, confidence);
                return found.ok_or_else(|| no_scores_by_item(subject.asker, row, other));
            }
            _ => return Err(no_scores_by_item(subject.asker, row, other)),
        };
        found.ok_or_else(|| {
            subject.asker.fault(
                "suite",
                format!(
                    "`{}` and {} answered no item in common",
                    row.variant, other.name
                ),
                "ask at least one item of both".to_owned(),
            )
        })
    }
}
