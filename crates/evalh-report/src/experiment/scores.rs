//! What the trained variants answered, suite by suite and arm by arm.

use super::{ArmResult, Claim, ExperimentInput, Over, Paired, over::judge};
use crate::{
    compare::{Against, ComparedMetric, Comparison, Contrast, Range},
    verdict::against_base,
};
use evalh_stats::normal_quantile;
use serde::Serialize;

/// One suite's headline metric.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SuiteScores {
    /// The suite.
    pub suite: String,
    /// Its headline metric.
    pub metric: String,
    /// Whether a lower value is better.
    pub lower_is_better: bool,
    /// Whether it is a share of items.
    pub is_share: bool,
    /// What it is asked for.
    pub purpose: Purpose,
    /// Items.
    pub items: usize,
    /// The base's value.
    pub base: Option<f64>,
    /// The smallest difference of one adapter from the base that this many items show, at the comparison's power.
    pub detectable: Option<f64>,
    /// Each arm that answered it.
    pub arms: Vec<ArmScore>,
}

/// What a suite is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// What was trained for.
    Target,
    /// Whether abilities were lost.
    Guard,
    /// Neither was said.
    Other,
}

/// An arm's value of one suite, over its seeds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ArmScore {
    /// The arm's place.
    pub arm: usize,
    /// Its values.
    pub score: Over,
    /// Its values minus the base's. Over seeds, on these items.
    pub delta: Paired,
    /// An interval of the mean of that over items like these, as wide as that of one seed: seeds share their items.
    pub delta_items: Option<Range>,
    /// Its values minus those of the arm that it is held against.
    pub extra: Option<Paired>,
    /// An interval of the mean of that over items like these.
    pub extra_items: Option<Range>,
    /// The difference from the base for a million trained parameters, positive where it is better.
    pub gain_per_million: Option<f64>,
    /// The difference from the base for a minute of training, positive where it is better.
    pub gain_per_minute: Option<Over>,
}

/// Every suite of the comparison, those of what was trained for first.
pub(super) fn scores(input: &ExperimentInput<'_>, arms: &[ArmResult]) -> Vec<SuiteScores> {
    let Some(comparison) = input.comparison else {
        return Vec::new();
    };
    let purpose = |suite: &String| match suite {
        suite if input.target.contains(suite) => Purpose::Target,
        suite if input.guard.contains(suite) => Purpose::Guard,
        _ => Purpose::Other,
    };
    let mut found: Vec<SuiteScores> = comparison
        .headlines()
        .map(|(suite, metric)| {
            let reader = Reader {
                comparison,
                metric,
                arms,
                confidence: input.confidence,
            };
            let base = arms
                .iter()
                .flat_map(|arm| &arm.runs)
                .find_map(|run| reader.contrast(&run.variant));
            SuiteScores {
                suite: suite.name.clone(),
                metric: metric.metric.clone(),
                lower_is_better: metric.lower_is_better,
                is_share: metric.is_share,
                purpose: purpose(&suite.name),
                items: suite.items,
                base: base.and_then(|contrast| reader.value(contrast.other)),
                detectable: base.and_then(|contrast| contrast.detectable),
                arms: (0..arms.len()).filter_map(|arm| reader.arm(arm)).collect(),
            }
        })
        .collect();
    found.sort_by_key(|suite| match suite.purpose {
        Purpose::Target => 0,
        Purpose::Guard => 1,
        Purpose::Other => 2,
    });
    let each = found.iter_mut().flat_map(|suite| &mut suite.arms);
    let each = each.flat_map(|of| {
        [Some(&mut of.delta), of.extra.as_mut()]
            .into_iter()
            .flatten()
    });
    judge(each, input.confidence);
    for of in found.iter_mut().flat_map(|suite| &mut suite.arms) {
        hold_to_items(&mut of.delta, of.delta_items);
        if let Some(extra) = &mut of.extra {
            hold_to_items(extra, of.extra_items);
        }
    }
    found
}

/// A claim over seeds holds only where other items would show it too.
fn hold_to_items(of: &mut Paired, items: Option<Range>) {
    if !matches!(of.claim, Claim::Higher | Claim::Lower) {
        return;
    }
    match items {
        Some(range) if range.low > 0.0 || range.high < 0.0 => {}
        Some(_) => of.claim = Claim::Inconclusive,
        None => of.claim = Claim::Untested,
    }
}

struct Reader<'e> {
    comparison: &'e Comparison,
    metric: &'e ComparedMetric,
    arms: &'e [ArmResult],
    confidence: f64,
}

impl<'e> Reader<'e> {
    fn place(&self, variant: &str) -> Option<usize> {
        let mut variants = self.comparison.variants.iter();
        variants.position(|of| of.name_in_run == variant)
    }

    fn value(&self, variant: usize) -> Option<f64> {
        let mut scores = self.metric.scores.iter();
        scores.find(|of| of.variant == variant).map(|of| of.value)
    }

    fn contrast(&self, variant: &str) -> Option<&'e Contrast> {
        against_base(self.metric, self.place(variant)?)
    }

    /// The arm's seeds whose training ended as planned and that answered the suite, each with its contrast to the base.
    fn contrasts(&self, arm: usize) -> Vec<(u64, &'e Contrast)> {
        let runs = self.arms[arm].runs.iter().filter(|run| run.is_whole());
        runs.filter_map(|run| Some((run.seed, self.contrast(&run.variant)?)))
            .collect()
    }

    fn arm(&self, arm: usize) -> Option<ArmScore> {
        let contrasts = self.contrasts(arm);
        let facts = &self.arms[arm];
        let values: Vec<f64> = contrasts
            .iter()
            .filter_map(|(_, of)| self.value(of.variant))
            .collect();
        let deltas = contrasts
            .iter()
            .map(|(seed, of)| (*seed, of.value))
            .collect();
        let delta = Paired::differences(deltas, self.confidence)?;
        let stderrs: Option<Vec<f64>> = contrasts.iter().map(|(_, of)| of.stderr).collect();
        let sign = if self.metric.lower_is_better {
            -1.0
        } else {
            1.0
        };
        let per_minute = contrasts.iter().filter_map(|(seed, of)| {
            let seconds = facts.run(*seed)?.seconds?.wall;
            (seconds > 0.0).then(|| sign * of.value / (seconds / 60.0))
        });
        let (extra, extra_items) = self.extra(arm, &contrasts);
        Some(ArmScore {
            arm,
            score: Over::of(&values, self.confidence)?,
            delta_items: stderrs.and_then(|stderrs| self.over_items(delta.value, &stderrs)),
            gain_per_million: facts
                .trainable_parameters
                .filter(|count| *count > 0)
                .map(|count| sign * delta.value / (count as f64 / 1e6)),
            gain_per_minute: Over::of(&per_minute.collect::<Vec<_>>(), self.confidence),
            delta,
            extra,
            extra_items,
        })
    }

    /// The difference from the arm's reference, seed by seed.
    fn extra(&self, arm: usize, ours: &[(u64, &Contrast)]) -> (Option<Paired>, Option<Range>) {
        let Some(reference) = self.arms[arm].reference else {
            return (None, None);
        };
        let theirs = self.contrasts(reference);
        let pairs: Vec<_> = ours
            .iter()
            .filter_map(|(seed, of)| {
                let (_, other) = theirs.iter().find(|(other, _)| other == seed)?;
                Some((*seed, *of, *other))
            })
            .collect();
        let each = pairs
            .iter()
            .map(|(seed, of, other)| (*seed, of.value - other.value));
        let Some(extra) = Paired::differences(each.collect(), self.confidence) else {
            return (None, None);
        };
        let stderrs: Option<Vec<f64>> = pairs
            .iter()
            .map(|(_, of, other)| self.stderr_of_pair(of, other))
            .collect();
        let items = stderrs.and_then(|stderrs| self.over_items(extra.value, &stderrs));
        (Some(extra), items)
    }

    /// The standard error of two variants' difference: the paired one where the comparison has it, else that of two that
    /// share nothing, which is larger.
    fn stderr_of_pair(&self, ours: &Contrast, theirs: &Contrast) -> Option<f64> {
        let mut contrasts = self.metric.contrasts.iter();
        let paired = contrasts.find(|of| {
            of.against == Against::Standard
                && of.variant == ours.variant
                && of.other == theirs.variant
        });
        match paired.and_then(|of| of.stderr) {
            Some(stderr) => Some(stderr),
            None => Some(ours.stderr?.hypot(theirs.stderr?)),
        }
    }

    /// The interval of a mean over seeds that all answered the same items: their errors may be one and the same, so
    /// averaging is not taken to lessen them.
    fn over_items(&self, value: f64, stderrs: &[f64]) -> Option<Range> {
        let mean = evalh_stats::mean(stderrs)?.value;
        let half = normal_quantile(f64::midpoint(1.0, self.confidence)) * mean;
        half.is_finite().then_some(Range {
            low: value - half,
            high: value + half,
        })
    }
}
