//! What a score is compared with.

use super::{
    GateError, GateResult, Reference, judge::Judge, place::among, select, select::Asker,
    subject::Subject,
};
use crate::baseline::{Baseline, is_of_items};
use evalh_record::ResultRow;

/// What a score is compared with.
pub(super) struct Other<'j> {
    /// Its name in reports.
    pub name: String,
    /// Its row.
    pub row: &'j ResultRow,
    /// Its scores by item.
    pub scores: &'j Baseline,
    /// Whether it is of the same run.
    pub is_base: bool,
}

/// The base in reports: `the base`, and its name where that says more.
fn named_base(name: &str) -> String {
    match name {
        "base" => "the base".to_owned(),
        name => format!("the base {name}"),
    }
}

impl Judge<'_> {
    /// What a score is compared with.
    pub(super) fn reference(
        &self,
        subject: &Subject<'_>,
        reference: &Reference,
    ) -> GateResult<Other<'_>> {
        let (asker, row) = (subject.asker, subject.row);
        let at = (row.suite.as_str(), row.part, row.task.as_str());
        match reference {
            Reference::Base => {
                let base = select::base_of(self.inputs, asker, "against", subject.place)?;
                let other = select::row(self.inputs, asker, at, &base.name, Some(&row.metric))?;
                Ok(Other {
                    name: named_base(&base.name),
                    row: other,
                    scores: &self.scores,
                    is_base: true,
                })
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
                Ok(Other {
                    name: format!("baseline {variant}"),
                    row: other,
                    scores: baseline,
                    is_base: false,
                })
            }
        }
    }
}

/// The fault of a metric whose items cannot be compared.
pub(super) fn no_scores_by_item(asker: Asker<'_>, row: &ResultRow, other: &Other<'_>) -> GateError {
    let metric = &row.metric;
    let problem = if other.is_base || is_of_items(metric) {
        format!(
            "{metric} of `{}` and {} cannot be computed from the same items: answers are missing, or do not hold what it needs",
            row.variant, other.name
        )
    } else {
        format!("{metric} is no mean of items' scores, and a baseline keeps only those")
    };
    asker.fault(
        "metric",
        problem,
        "compare a mean of items' scores (acc, exact_match, pass@1) or a loss, or bound this metric with `min` or `max`"
            .to_owned(),
    )
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
