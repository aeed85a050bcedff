//! A comparison as tables.

use super::cell::{Cell, table};
use crate::{
    Comparison,
    compare::{Against, ComparedMetric, ComparedPart, ComparedSuite, Finding, Ratio, Test},
};
use evalh_record::Part;

/// A metric with the part and the suite that it is of.
type Place<'c> = (&'c ComparedSuite, &'c ComparedPart, &'c ComparedMetric);

/// Every score: a row for each variant, metric, part and suite. Shares are fractions of one.
pub fn scores_csv(comparison: &Comparison) -> String {
    let header = [
        "suite",
        "protocol",
        "part",
        "name",
        "metric",
        "is_share",
        "lower_is_better",
        "chance",
        "variant",
        "model",
        "role",
        "value",
        "stderr",
        "interval_low",
        "interval_high",
        "n",
        "is_chance",
    ];
    let rows = metrics(comparison).flat_map(|(suite, part, metric)| {
        metric.scores.iter().map(move |score| {
            let [name, model, role] = variant(comparison, score.variant);
            [
                suite.name.as_str().into(),
                suite.protocol.as_str().into(),
                part_name(part.part).into(),
                part.name.as_str().into(),
                metric.metric.as_str().into(),
                metric.is_share.into(),
                metric.lower_is_better.into(),
                metric.chance.into(),
                name,
                model,
                role,
                score.value.into(),
                score.stderr.into(),
                score.interval.map(|range| range.low).into(),
                score.interval.map(|range| range.high).into(),
                score.n.into(),
                score.is_chance.into(),
            ]
        })
    });
    table(header, rows)
}

/// Every difference of two variants, of every metric.
pub fn contrasts_csv(comparison: &Comparison) -> String {
    let header = [
        "suite",
        "protocol",
        "part",
        "name",
        "metric",
        "is_share",
        "lower_is_better",
        "variant",
        "model",
        "role",
        "against",
        "other",
        "value",
        "stderr",
        "interval_low",
        "interval_high",
        "clustered_low",
        "clustered_high",
        "test",
        "p",
        "p_holm",
        "items",
        "won",
        "lost",
        "same_answers",
        "detectable",
        "items_needed",
        "finding",
    ];
    let rows = metrics(comparison).flat_map(|(suite, part, metric)| {
        metric.contrasts.iter().map(move |contrast| {
            let [name, model, role] = variant(comparison, contrast.variant);
            let [other, ..] = variant(comparison, contrast.other);
            [
                suite.name.as_str().into(),
                suite.protocol.as_str().into(),
                part_name(part.part).into(),
                part.name.as_str().into(),
                metric.metric.as_str().into(),
                metric.is_share.into(),
                metric.lower_is_better.into(),
                name,
                model,
                role,
                against(contrast.against).into(),
                other,
                contrast.value.into(),
                contrast.stderr.into(),
                contrast.interval.map(|range| range.low).into(),
                contrast.interval.map(|range| range.high).into(),
                contrast.clustered.map(|range| range.low).into(),
                contrast.clustered.map(|range| range.high).into(),
                contrast.test.map(test).into(),
                contrast.p.into(),
                contrast.p_holm.into(),
                contrast.items.into(),
                contrast.won.into(),
                contrast.lost.into(),
                contrast.same_answers.into(),
                contrast.detectable.into(),
                contrast.items_needed.into(),
                finding(contrast.finding).into(),
            ]
        })
    });
    table(header, rows)
}

/// Every item on which a variant scores otherwise than its base.
pub fn flips_csv(comparison: &Comparison) -> String {
    let header = [
        "suite",
        "protocol",
        "variant",
        "model",
        "role",
        "task",
        "item",
        "flip",
        "base_answer",
        "answer",
    ];
    let rows = comparison.suites.iter().flat_map(|suite| {
        suite.flips.iter().map(move |flip| {
            let [name, model, role] = variant(comparison, flip.variant);
            [
                suite.name.as_str().into(),
                suite.protocol.as_str().into(),
                name,
                model,
                role,
                flip.task.as_str().into(),
                flip.item.as_str().into(),
                if flip.won { "won" } else { "lost" }.into(),
                flip.base.as_str().into(),
                flip.here.as_str().into(),
            ]
        })
    });
    table(header, rows)
}

/// What each variant costs, and what was trained for it.
pub fn costs_csv(comparison: &Comparison) -> String {
    let header = [
        "variant",
        "model",
        "role",
        "trained_parameters",
        "base_parameters",
        "changed_layers",
        "layers",
        "prefill_tokens_per_second",
        "decode_tokens_per_second",
        "cpu_seconds",
        "kept_tokens_per_cpu_second",
        "peak_memory_bytes",
        "answered_beside",
        "weight_bytes",
        "latency_p50_seconds",
        "latency_p95_seconds",
        "merged_ratio",
        "merged_ratio_low",
        "merged_ratio_high",
        "unmerged_ratio",
        "unmerged_ratio_low",
        "unmerged_ratio_high",
        "joules_per_request",
    ];
    let rows = comparison.costs.iter().map(|costs| {
        let [name, model, role] = variant(comparison, costs.variant);
        let facts = comparison.variants.get(costs.variant);
        let adapter = facts.and_then(|facts| facts.adapter.as_ref());
        let bench = costs.bench.as_ref();
        let [merged, merged_low, merged_high] = ratio(bench.and_then(|bench| bench.merged_ratio));
        let [unmerged, unmerged_low, unmerged_high] =
            ratio(bench.and_then(|bench| bench.unmerged_ratio));
        [
            name,
            model,
            role,
            adapter.map(|adapter| adapter.parameters).into(),
            adapter.map(|adapter| adapter.base_parameters).into(),
            adapter.map(|adapter| adapter.layers.len()).into(),
            adapter.map(|adapter| adapter.of_layers).into(),
            costs.prefill_tokens_per_second.into(),
            costs.decode_tokens_per_second.into(),
            costs.cpu_seconds.into(),
            costs.kept_tokens_per_cpu_second.into(),
            costs.peak_memory_bytes.into(),
            costs.beside.into(),
            costs.weight_bytes.into(),
            bench.and_then(|bench| bench.latency_p50_seconds).into(),
            bench.and_then(|bench| bench.latency_p95_seconds).into(),
            merged,
            merged_low,
            merged_high,
            unmerged,
            unmerged_low,
            unmerged_high,
            bench.and_then(|bench| bench.joules_per_request).into(),
        ]
    });
    table(header, rows)
}

fn metrics(comparison: &Comparison) -> impl Iterator<Item = Place<'_>> {
    comparison.suites.iter().flat_map(|suite| {
        let parts = suite.parts.iter();
        parts.flat_map(move |part| part.metrics.iter().map(move |metric| (suite, part, metric)))
    })
}

/// Name, model and role.
fn variant(comparison: &Comparison, place: usize) -> [Cell; 3] {
    comparison
        .variants
        .get(place)
        .map_or([Cell::Empty, Cell::Empty, Cell::Empty], |variant| {
            [
                variant.name.as_str().into(),
                variant.model.as_str().into(),
                variant.role.name().into(),
            ]
        })
}

fn ratio(ratio: Option<Ratio>) -> [Cell; 3] {
    [
        ratio.map(|ratio| ratio.value).into(),
        ratio.and_then(|ratio| ratio.low).into(),
        ratio.and_then(|ratio| ratio.high).into(),
    ]
}

fn part_name(part: Part) -> &'static str {
    match part {
        Part::Whole => "whole",
        Part::Group => "group",
        Part::Task => "task",
    }
}

fn against(against: Against) -> &'static str {
    match against {
        Against::Base => "base",
        Against::Standard => "standard",
    }
}

fn test(test: Test) -> &'static str {
    match test {
        Test::Mcnemar => "mcnemar",
        Test::StudentT => "student_t",
        Test::Bootstrap => "bootstrap",
    }
}

fn finding(finding: Finding) -> &'static str {
    match finding {
        Finding::Better => "better",
        Finding::Worse => "worse",
        Finding::Inconclusive => "inconclusive",
        Finding::Identical => "identical",
        Finding::Untested => "untested",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::example;

    #[test]
    fn tables_of_three_variants() {
        let comparison = example::three();
        let first = |csv: String| csv.lines().take(4).collect::<Vec<_>>().join("\n");
        insta::assert_snapshot!(
            [
                first(scores_csv(&comparison)),
                first(contrasts_csv(&comparison)),
                first(flips_csv(&comparison)),
                first(costs_csv(&comparison)),
            ]
            .join("\n\n")
        );
        assert_eq!(scores_csv(&comparison).lines().count(), 1 + 3 * (4 + 4));
        assert_eq!(contrasts_csv(&comparison).lines().count(), 1 + 3 * 4);
    }

    #[test]
    fn nothing_is_a_header() {
        let empty = example::empty();
        for csv in [
            scores_csv(&empty),
            contrasts_csv(&empty),
            flips_csv(&empty),
            costs_csv(&empty),
        ] {
            assert_eq!(csv.lines().count(), 1);
        }
    }
}
