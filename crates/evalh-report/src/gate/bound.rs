//! A score held against a number.

use super::{
    Bound, Case, Figures, GateResult, Method, decide,
    evidence::Evidence,
    judge::Judge,
    subject::{Subject, case, is_chance},
    words,
};

impl Judge<'_> {
    /// The case of a rule with a bound.
    pub(super) fn bound(
        &self,
        subject: &Subject<'_>,
        bound: Bound,
        by_interval: bool,
    ) -> GateResult<Case> {
        let (rule, row) = (subject.rule, subject.row);
        let (field, limit) = match bound {
            Bound::Min(min) => ("min", min),
            Bound::Max(max) => ("max", max),
        };
        if words::is_share(&row.metric) && !(0.0..=1.0).contains(&limit) {
            return Err(subject.asker.fault(
                field,
                format!("{limit} is no bound of a share, which lies between 0 and 1"),
                format!("write {} for {limit} %", limit / 100.0),
            ));
        }
        let series = self.scores.row_series(row);
        let evidence = series
            .and_then(|series| Evidence::of_value(&series, rule.confidence))
            .unwrap_or_else(|| Evidence::of_row(row, rule.confidence));
        if by_interval && evidence.method == Method::Normal && evidence.low.is_none() {
            return Err(subject.asker.fault(
                "metric",
                format!(
                    "{} has no standard error, so no interval can decide",
                    row.metric
                ),
                "let the value alone decide with test = \"none\"".to_owned(),
            ));
        }
        let evidence = if by_interval {
            evidence
        } else {
            evidence.alone()
        };
        let decision = decide::of_value(&evidence, bound, by_interval);
        let mut notes = Vec::new();
        if is_chance(row) {
            notes.push("the score is no better than guessing".to_owned());
        }
        let figures = Figures::Bound {
            metric: row.metric.clone(),
            value: row.value,
            low: evidence.low,
            high: evidence.high,
            method: evidence.method,
            items: evidence.items,
            min: (field == "min").then_some(limit),
            max: (field == "max").then_some(limit),
            confidence: rule.confidence,
        };
        Ok(case(subject, decision, notes, figures))
    }
}
