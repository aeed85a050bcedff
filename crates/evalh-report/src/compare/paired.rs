//! The difference of two variants over the items that both answered.

use super::{
    Against, Analysis, Contrast, Finding, Range, Test,
    answers::{Items, item_score, same_answers},
    measure::Measure,
    single::{is_right_or_wrong, resampled, resampling},
};
use evalh_stats::{
    items_needed, mcnemar_exact, minimum_detectable_effect, normal_two_sided, t_test,
    tango_interval,
};
use std::collections::BTreeMap;

/// What is set against what, over the same items in the same order.
pub(super) struct Pair<'p, 'r> {
    /// Places of the two variants, and what the second is to the first.
    pub variant: usize,
    pub other: usize,
    pub against: Against,
    /// The recorded values.
    pub values: (f64, f64),
    /// Their answers to the items that both answered.
    pub items: (&'p Items<'r>, &'p Items<'r>),
    /// The metric over these items, where it can be computed anew.
    pub measures: Option<(&'p Measure, &'p Measure)>,
    /// Whether lower values are better.
    pub lower_is_better: bool,
    /// Whether the recorded values are over other items than these, so that their difference is not the paired one.
    pub is_subset: bool,
}

/// Fewer tasks than this say little about others of their kind.
const FEWEST_CLUSTERS: usize = 5;

/// Computes the contrast; p-values are corrected, and the finding made, once all of a family are known.
pub(super) fn contrast(pair: &Pair<'_, '_>, analysis: Analysis) -> Contrast {
    let (ours, theirs) = pair.items;
    let alike = ours.values().zip(theirs.values());
    let same = alike.filter(|(a, b)| same_answers(a, b)).count();
    let mut found = Contrast {
        variant: pair.variant,
        other: pair.other,
        against: pair.against,
        value: pair.values.0 - pair.values.1,
        stderr: None,
        interval: None,
        clustered: None,
        p: None,
        p_holm: None,
        test: None,
        items: ours.len(),
        won: 0,
        lost: 0,
        same_answers: same,
        detectable: None,
        items_needed: None,
        finding: Finding::Inconclusive,
    };
    // What items are won by, unless the metric has scores of its own, is their headline score: right or wrong, or a
    // text's loss.
    let scores = |items: &Items<'_>| items.values().map(|of| item_score(of)).collect();
    let (our_scores, their_scores): (Vec<f64>, Vec<f64>) = (scores(ours), scores(theirs));
    let by_score = differences(&our_scores, &their_scores);
    flips(&mut found, &by_score, pair.lower_is_better);
    let Some((our, their)) = pair.measures.filter(|_| !ours.is_empty()) else {
        return found;
    };
    if pair.is_subset
        && let (Some(our), Some(their)) = (our.whole(), their.whole())
    {
        found.value = our - their;
    }
    match (our.per_item(), their.per_item()) {
        (Some(our_values), Some(their_values)) => {
            let values = (our_values, their_values);
            of_means(
                &mut found,
                values,
                our.scale(),
                pair.lower_is_better,
                analysis,
            );
        }
        _ => of_others(&mut found, (our, their), analysis),
    }
    found.clustered = clustered(pair, (our, their), analysis);
    let spread = spread(&found, our);
    let alpha = 1.0 - analysis.confidence;
    let scale = our.scale();
    found.detectable = spread
        .and_then(|sd| minimum_detectable_effect(sd, found.items, alpha, analysis.power))
        .map(|effect| effect * scale);
    found.items_needed = spread
        .filter(|_| found.value != 0.0)
        .and_then(|sd| items_needed(sd, (found.value / scale).abs(), alpha, analysis.power));
    found
}

/// The standard deviation of items' differences. Of right and wrong answers that hardly differ it is estimated with one
/// more difference than was seen: none seen does not mean that there are none.
fn spread(found: &Contrast, measure: &Measure) -> Option<f64> {
    let n = found.items as f64;
    if found.test == Some(Test::Mcnemar) {
        let rate = ((found.won + found.lost + 1) as f64 / (n + 1.0)).min(1.0);
        let mean = found.value / measure.scale();
        return Some((rate - mean * mean).max(0.0).sqrt());
    }
    let stderr = found.stderr? / measure.scale();
    (stderr > 0.0).then(|| stderr * n.sqrt())
}

fn of_means(
    found: &mut Contrast,
    (ours, theirs): (&[f64], &[f64]),
    scale: f64,
    lower_is_better: bool,
    analysis: Analysis,
) {
    let differences = differences(ours, theirs);
    flips(found, &differences, lower_is_better);
    let mean = evalh_stats::mean(&differences);
    found.stderr = mean
        .and_then(|mean| mean.stderr)
        .map(|stderr| stderr * scale);
    let times = |range: Range| Range {
        low: range.low * scale,
        high: range.high * scale,
    };
    if is_right_or_wrong(ours) && is_right_or_wrong(theirs) {
        let gained = differences.iter().filter(|d| **d > 0.0).count() as u64;
        let lost = differences.iter().filter(|d| **d < 0.0).count() as u64;
        let n = differences.len() as u64;
        found.test = Some(Test::Mcnemar);
        found.p = Some(mcnemar_exact(gained, lost));
        let interval = tango_interval(gained, lost, n, analysis.confidence);
        found.interval = interval.map(|range| {
            times(Range {
                low: range.low,
                high: range.high,
            })
        });
    } else {
        let test = t_test(&differences).filter(|test| test.p.is_finite());
        found.test = test.is_some().then_some(Test::StudentT);
        found.p = test.map(|test| test.p);
        let drawn = resampling(analysis).mean(&differences, analysis.confidence);
        found.interval = drawn.as_ref().map(|drawn| times(resampled(drawn)));
    }
}

fn differences(ours: &[f64], theirs: &[f64]) -> Vec<f64> {
    ours.iter().zip(theirs).map(|(a, b)| a - b).collect()
}

/// Counts items won and lost.
fn flips(found: &mut Contrast, differences: &[f64], lower_is_better: bool) {
    let sign = if lower_is_better { -1.0 } else { 1.0 };
    let count = |is_so: &dyn Fn(f64) -> bool| {
        let signed = differences.iter().map(|difference| difference * sign);
        signed.filter(|difference| is_so(*difference)).count()
    };
    found.won = count(&|difference| difference > 0.0);
    found.lost = count(&|difference| difference < 0.0);
}

fn of_others(found: &mut Contrast, (our, their): (&Measure, &Measure), analysis: Analysis) {
    let drawn = resampling(analysis).items(our.items(), analysis.confidence, |drawn| {
        Some(our.value(drawn)? - their.value(drawn)?)
    });
    let Some(drawn) = drawn else {
        return;
    };
    found.stderr = Some(drawn.stderr);
    found.interval = Some(resampled(&drawn));
    if drawn.stderr > 0.0 {
        found.test = Some(Test::Bootstrap);
        found.p = Some(normal_two_sided(found.value / drawn.stderr));
    }
}

/// The interval with whole tasks drawn anew.
fn clustered(
    pair: &Pair<'_, '_>,
    (our, their): (&Measure, &Measure),
    analysis: Analysis,
) -> Option<Range> {
    let mut tasks: BTreeMap<&str, usize> = BTreeMap::new();
    let clusters: Vec<usize> = pair
        .items
        .0
        .values()
        .map(|samples| {
            let task = samples.first().map_or("", |sample| sample.task.as_str());
            let next = tasks.len();
            *tasks.entry(task).or_insert(next)
        })
        .collect();
    if tasks.len() < FEWEST_CLUSTERS || matches!(our, Measure::Average { .. }) {
        return None;
    }
    let resampling = resampling(analysis);
    let drawn = match (our.per_item(), their.per_item()) {
        (Some(ours), Some(theirs)) => {
            // A mean over the items of the drawn tasks needs each task's sum only.
            let mut sums = vec![(0.0, 0.0); tasks.len()];
            for ((cluster, ours), theirs) in clusters.iter().zip(ours).zip(theirs) {
                sums[*cluster].0 += ours - theirs;
                sums[*cluster].1 += 1.0;
            }
            let scale = our.scale();
            resampling.items(sums.len(), analysis.confidence, |drawn| {
                let (sum, count) = drawn.iter().fold((0.0, 0.0), |(sum, count), &task| {
                    (sum + sums[task].0, count + sums[task].1)
                });
                Some(sum / count * scale)
            })
        }
        _ => resampling.clusters(&clusters, analysis.confidence, |drawn| {
            Some(our.value(drawn)? - their.value(drawn)?)
        }),
    };
    drawn.as_ref().map(resampled)
}

/// What follows from a contrast, its p-value corrected where it is of a family.
pub(super) fn finding(contrast: &Contrast, lower_is_better: bool, analysis: Analysis) -> Finding {
    if contrast.items > 0 && contrast.same_answers == contrast.items {
        return Finding::Identical;
    }
    let p = contrast.p_holm.or(contrast.p);
    let Some(p) = p else {
        return Finding::Untested;
    };
    if p >= 1.0 - analysis.confidence || contrast.value == 0.0 {
        return Finding::Inconclusive;
    }
    if (contrast.value > 0.0) == lower_is_better {
        Finding::Worse
    } else {
        Finding::Better
    }
}
