//! Differences of metrics that are no means of items' scores (F1, correlations, averages over tasks), by drawing the items
//! anew.

use super::{Inputs, evidence::Evidence};
use crate::compare::{Against, Analysis, Options, Run, compare};
use evalh_record::{Record, ResultRow};

/// What a comparison of the run tells of a row against its base; without bounds where both gave the same answers to all
/// items. `None` where the samples do not hold what the metric needs.
pub(super) fn resampled(
    inputs: &Inputs<'_>,
    row: &ResultRow,
    base: &str,
    confidence: f64,
) -> Option<Evidence> {
    let record = only(inputs.record, row, base);
    let roles = (inputs.record.manifest.settings.variants.iter().enumerate())
        .filter(|(_, variant)| variant.name == row.variant || variant.name == base)
        .map(|(place, variant)| (variant.name.clone(), inputs.role(place)));
    let options = Options {
        analysis: Analysis {
            // each end of the interval is then a one-sided bound of the rule's confidence
            confidence: 2.0 * confidence - 1.0,
            ..Analysis::default()
        },
        roles: roles.collect(),
        ..Options::default()
    };
    let run = Run {
        name: inputs.run,
        record: &record,
    };
    let comparison = compare(&[run], &options).ok()?;
    let parts = comparison.suites.iter().flat_map(|suite| &suite.parts);
    let part = parts
        .into_iter()
        .find(|part| part.part == row.part && part.name == row.task)?;
    let metric = part
        .metrics
        .iter()
        .find(|metric| metric.metric == row.metric)?;
    let contrast = metric.contrasts.iter().find(|contrast| {
        contrast.against == Against::Base
            && comparison.variants[contrast.variant].name_in_run == row.variant
            && comparison.variants[contrast.other].name_in_run == base
    })?;
    let are_same = contrast.items > 0 && contrast.same_answers == contrast.items;
    let interval = contrast
        .interval
        .map(|interval| (interval.low, interval.high));
    (interval.is_some() || are_same).then(|| {
        Evidence::of_interval(
            contrast.value,
            interval,
            contrast.stderr,
            (contrast.items, are_same),
            (metric.lower_is_better, confidence),
        )
    })
}

/// The part of a record that a row and its base rest on, so that nothing else is computed.
fn only(record: &Record, row: &ResultRow, base: &str) -> Record {
    let mut record = Record {
        manifest: record.manifest.clone(),
        samples: (record.samples.iter())
            .filter(|of| of.suite == row.suite && (of.variant == row.variant || of.variant == base))
            .cloned()
            .collect(),
        results: record.results.clone(),
        timings: record.timings.clone(),
    };
    let of_row = |other: &ResultRow| {
        (&other.suite, other.part, &other.task, &other.metric)
            == (&row.suite, row.part, &row.task, &row.metric)
    };
    // An average needs the headlines of its tasks too.
    let headline = row.metric_name() == "average";
    record.results.retain(|other| {
        (other.variant == row.variant || other.variant == base)
            && (of_row(other) || headline && other.suite == row.suite)
    });
    let settings = &mut record.manifest.settings;
    settings.suites.retain(|suite| suite.name == row.suite);
    settings
        .variants
        .retain(|of| of.name == row.variant || of.name == base);
    record
}
