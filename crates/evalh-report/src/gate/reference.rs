//! What a score is compared with.

use super::{
    GateResult, Reference, judge::Judge, place::among, select, select::Asker, subject::Subject,
};
use crate::baseline::{Baseline, Series};
use evalh_record::ResultRow;

impl Judge<'_> {
    /// What a score is compared with: its name in reports, its items' scores, its row.
    pub(super) fn reference<'s>(
        &'s self,
        subject: &Subject<'_>,
        reference: &Reference,
    ) -> GateResult<(String, Series, &'s ResultRow)> {
        let (asker, row) = (subject.asker, subject.row);
        let at = (row.suite.as_str(), row.part, row.task.as_str());
        match reference {
            Reference::Base => {
                let base = select::base_of(self.inputs, asker, "against", subject.place)?;
                let other = select::row(self.inputs, asker, at, &base.name, Some(&row.metric))?;
                let series = series(&self.scores, subject, other)?;
                Ok((format!("base {}", base.name), series, other))
            }
            Reference::Baseline(variant) => {
                let Some((name, baseline)) = self.inputs.baseline else {
                    return Err(asker.fault(
                        "against",
                        "compares with a baseline, and none is given".to_owned(),
                        "give one with --baseline: a file of `evalh baseline save`, or a run folder".to_owned(),
                    ));
                };
                let field = if variant.is_some() {
                    "baseline_variant"
                } else {
                    "variant"
                };
                let variant = variant.as_deref().unwrap_or(&row.variant);
                let other = baseline_row(asker, (name, baseline), row, (field, variant))?;
                if baseline.asked(at.0, at.1, at.2) != self.scores.asked(at.0, at.1, at.2) {
                    return Err(asker.fault(
                        "against",
                        format!("the baseline {name} asked other items of `{}`", row.task),
                        "run the same items, or save a new baseline: the two cannot be compared item by item".to_owned(),
                    ));
                }
                let series = series(baseline, subject, other)?;
                Ok((format!("baseline {variant}"), series, other))
            }
        }
    }
}

/// A row's items' scores.
pub(super) fn series(of: &Baseline, subject: &Subject<'_>, row: &ResultRow) -> GateResult<Series> {
    of.series(&row.suite, row.part, &row.task, &row.variant, &row.metric)
        .filter(|series| series.is_value(row))
        .ok_or_else(|| {
            let (metric, variant) = (&row.metric, &row.variant);
            subject.asker.fault(
                "metric",
                format!("{metric} of `{variant}` is no mean of scores that each item has, so it cannot be compared item by item"),
                "compare a metric that is one (acc, exact_match, pass@1, a loss), or bound this one with `min` or `max`".to_owned(),
            )
        })
}

/// The baseline's row that a row is held against.
fn baseline_row<'b>(
    asker: Asker<'_>,
    (name, baseline): (&str, &'b Baseline),
    row: &ResultRow,
    (field, variant): (&str, &str),
) -> GateResult<&'b ResultRow> {
    let of_part: Vec<&ResultRow> = (baseline.results.iter())
        .filter(|other| {
            (&other.suite, other.part, &other.task) == (&row.suite, row.part, &row.task)
        })
        .collect();
    let missing = |field: &str, what: String, there: &[&str], wanted: &str| {
        let mut known: Vec<&str> = Vec::new();
        for name in there {
            if !known.contains(name) {
                known.push(name);
            }
        }
        Err(asker.fault(
            field,
            format!("the baseline {name} has no {what}"),
            among(wanted, &known),
        ))
    };
    if of_part.is_empty() {
        let suites: Vec<&str> = baseline
            .results
            .iter()
            .map(|row| row.suite.as_str())
            .collect();
        if !suites.contains(&row.suite.as_str()) {
            return missing(
                "suite",
                format!("suite `{}`", row.suite),
                &suites,
                &row.suite,
            );
        }
        let parts: Vec<&str> = (baseline.results.iter())
            .filter(|other| other.suite == row.suite)
            .map(|other| other.task.as_str())
            .collect();
        return missing("part", format!("part `{}`", row.task), &parts, &row.task);
    }
    let of_variant: Vec<&&ResultRow> = of_part
        .iter()
        .filter(|other| other.variant == variant)
        .collect();
    if of_variant.is_empty() {
        let there: Vec<&str> = of_part.iter().map(|row| row.variant.as_str()).collect();
        return missing(field, format!("variant `{variant}`"), &there, variant);
    }
    if let Some(found) = of_variant.iter().find(|other| other.metric == row.metric) {
        return Ok(found);
    }
    let there: Vec<&str> = of_variant.iter().map(|row| row.metric.as_str()).collect();
    missing(
        "metric",
        format!("metric `{}`", row.metric),
        &there,
        &row.metric,
    )
}
