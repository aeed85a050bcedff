//! A score held against another over the same items.

use super::{
    Case, Figures, GateResult, Reference, Test, decide,
    evidence::Evidence,
    judge::Judge,
    reference::series,
    subject::{Subject, case, is_chance},
    words,
};

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
        let (name, theirs, other) = self.reference(subject, reference)?;
        let ours = series(&self.scores, subject, row)?;
        let evidence =
            Evidence::of_difference(&ours, &theirs, rule.confidence).ok_or_else(|| {
                subject.asker.fault(
                    "suite",
                    format!("`{}` and {name} answered no item in common", row.variant),
                    "ask at least one item of both".to_owned(),
                )
            })?;
        let evidence = match test {
            Test::None => evidence.alone(),
            _ => evidence,
        };
        let decision = decide::of_difference(&evidence, margin, test);
        let turned = ours.lower_is_better();
        let (low, high) = match (evidence.low, evidence.high) {
            (low, high) if turned => (high.map(|x| -x), low.map(|x| -x)),
            ends => ends,
        };
        let (gained, lost) = evidence.changed.unwrap_or_default();
        let metric = row.metric.clone();
        let shown = (row.value, other.value);
        let asked =
            words::asked_of_difference(&metric, &name, (margin, test), turned, rule.confidence);
        let counts = (gained, lost, evidence.items);
        let found = words::found_of_difference(&metric, shown, (low, high), counts, decision.p);
        let mut notes = Vec::new();
        if is_chance(other) {
            notes.push(format!(
                "{name} is no better than guessing here, so there is nothing to lose and a pass says little"
            ));
        }
        if gained + lost == 0 {
            notes.push(format!("every item has the same score as {name}"));
        }
        let figures = Figures::Comparison {
            lower_is_better: turned,
            reference: name,
            value: shown.0,
            reference_value: shown.1,
            difference: shown.0 - shown.1,
            low,
            high,
            method: evidence.method,
            items: evidence.items,
            gained,
            lost,
            margin,
            test,
            p: decision.p,
            confidence: rule.confidence,
            metric,
        };
        Ok(case(
            subject,
            decision,
            asked,
            (found, evidence.method),
            notes,
            figures,
        ))
    }
}
