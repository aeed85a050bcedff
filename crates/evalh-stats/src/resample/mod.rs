//! The paired bootstrap: a statistic's standard error and intervals by drawing items, or clusters of them, anew.

mod binomial;
mod counts;
mod draw;
mod summary;

use crate::{
    Interval,
    spread::{is_share, spread_mean},
};
use counts::Counts;
use draw::Draw;
use std::collections::BTreeMap;
use summary::{Jackknife, summary};

/// How items are drawn anew (Efron 1979), the same on every machine.
///
/// The generator is `ChaCha8` with the key of `seed`'s eight bytes, lowest first, and zeros, and stream 0. A place among
/// `n` is the upper half of a 32-bit word times `n`, drawn again where that were not uniform (Lemire 2019).
///
/// For lm-eval's own standard error see [`Bootstrap`](crate::Bootstrap).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resampling {
    /// Resamples; with less than two there is no result.
    pub resamples: u32,
    /// The seed.
    pub seed: u64,
}

impl Default for Resampling {
    /// 10,000 resamples of seed 0, which leave about 0.7 % of noise in a standard error.
    fn default() -> Self {
        Resampling {
            resamples: 10_000,
            seed: 0,
        }
    }
}

/// A statistic with its spread over resamples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Resampled {
    /// The statistic of all items as they are.
    pub value: f64,
    /// The sample standard deviation of the resamples.
    pub stderr: f64,
    /// The percentile interval: quantiles of the resamples, between them linear.
    pub percentile: Interval,
    /// The bias-corrected and accelerated interval (Efron 1987), as `scipy.stats.bootstrap(method="BCa")`: the correction
    /// from the share of resamples below the value, equal ones by half, and the acceleration from the jackknife. `None`
    /// where all resamples lie to one side of the value, or where leaving items out changes nothing or leaves the
    /// statistic undefined.
    pub bca: Option<Interval>,
    /// The confidence of both intervals.
    pub confidence: f64,
}

impl Resampling {
    /// Draws `items` anew as wholes, so that what belongs to one item stays paired. `statistic` gets the drawn places in
    /// `0..items`, first all in order, then the resamples, then all but one each for the jackknife.
    ///
    /// Resamples for which the statistic is not defined or not finite are left out. `None` where they are more than
    /// half or less than two are left, where it is not defined for all items, where all resamples give one value (no
    /// spread was seen, which is no certainty), with less than two items, and where `confidence` is not between 0 and 1.
    pub fn items(
        &self,
        items: usize,
        confidence: f64,
        statistic: impl FnMut(&[usize]) -> Option<f64>,
    ) -> Option<Resampled> {
        let groups: Vec<Vec<usize>> = (0..items).map(|item| vec![item]).collect();
        self.groups(&groups, confidence, statistic)
    }

    /// Draws clusters anew, each with all its items; `clusters[i]` names the cluster of item `i`. For the rest as
    /// [`items`](Self::items), the jackknife over clusters. `None` also with less than two clusters.
    ///
    /// A statistic that sums and sizes of the clusters are enough for, such as the mean, is far quicker by `items` over
    /// those.
    pub fn clusters(
        &self,
        clusters: &[usize],
        confidence: f64,
        statistic: impl FnMut(&[usize]) -> Option<f64>,
    ) -> Option<Resampled> {
        let mut members: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (item, &cluster) in clusters.iter().enumerate() {
            members.entry(cluster).or_default().push(item);
        }
        let groups: Vec<Vec<usize>> = members.into_values().collect();
        self.groups(&groups, confidence, statistic)
    }

    /// The mean of one value an item, such as the difference of two variants.
    ///
    /// Where the values are few and different ones fewer (right and wrong answers), how often each is drawn comes from
    /// one binomial draw each in place of one an item: the same distribution from other draws, whatever the items'
    /// order. `None` as for [`items`](Self::items), and where a value is not finite.
    pub fn mean(&self, values: &[f64], confidence: f64) -> Option<Resampled> {
        let (mean, _) = spread_mean(values)?;
        if self.resamples < 2 || !is_share(confidence) {
            return None;
        }
        let mut draw = Draw::new(self.seed);
        let resamples = match Counts::of(values) {
            Some(counts) => counts.means(self.resamples, &mut draw),
            None => draw.means(values, self.resamples)?,
        };
        summary(
            mean.value,
            resamples,
            confidence,
            Jackknife::of_mean(values, mean.value),
        )
    }

    fn groups(
        &self,
        groups: &[Vec<usize>],
        confidence: f64,
        mut statistic: impl FnMut(&[usize]) -> Option<f64>,
    ) -> Option<Resampled> {
        if groups.len() < 2 || !is_share(confidence) {
            return None;
        }
        let mut statistic = |drawn: &[usize]| statistic(drawn).filter(|value| value.is_finite());
        let mut all: Vec<usize> = groups.concat();
        all.sort_unstable();
        let value = statistic(&all)?;

        let count = u32::try_from(groups.len()).ok()?;
        let mut draw = Draw::new(self.seed);
        let mut drawn = Vec::with_capacity(all.len());
        let mut resamples = Vec::with_capacity(self.resamples as usize);
        for _ in 0..self.resamples {
            drawn.clear();
            for _ in 0..count {
                drawn.extend_from_slice(&groups[draw.below(count) as usize]);
            }
            resamples.extend(statistic(&drawn));
        }
        if resamples.len() * 2 < self.resamples as usize {
            return None;
        }

        let left_out: Option<Vec<f64>> = (0..groups.len())
            .map(|left_out| {
                drawn.clear();
                for (place, group) in groups.iter().enumerate() {
                    if place != left_out {
                        drawn.extend_from_slice(group);
                    }
                }
                statistic(&drawn)
            })
            .collect();
        let jackknife = left_out.and_then(|values| Jackknife::of(&values));
        summary(value, resamples, confidence, jackknife)
    }
}
