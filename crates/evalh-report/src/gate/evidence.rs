//! What items tell of a difference or of a value: the value, and a confidence bound on either side.

use crate::baseline::Series;
use evalh_record::ResultRow;
use evalh_stats::{
    Estimate, Interval, equivalence, items_needed, mean, non_inferiority, normal_quantile,
    t_interval, tango_interval, tango_non_inferiority, wilson_interval,
};
use serde::Serialize;

/// The probability with which the items told as needed decide a rule, if the difference stays as seen.
const POWER: f64 = 0.8;

/// How bounds were computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Tango's score interval of two paired rates.
    Tango,
    /// Student's t over the items' differences, or over their scores.
    StudentT,
    /// Wilson's score interval of a rate.
    Wilson,
    /// The paired bootstrap, for metrics that are no means of items' scores.
    Bootstrap,
    /// The normal interval by the record's standard error.
    Normal,
    /// Every item has the same score.
    Identical,
    /// None: the value alone decides.
    None,
}

/// A value with one-sided bounds, each of the rule's confidence.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Evidence {
    /// The value, or the difference, in the metric's unit.
    pub value: f64,
    /// Lower bound; `None` where it cannot be told.
    pub low: Option<f64>,
    /// Upper bound.
    pub high: Option<f64>,
    /// Items.
    pub items: usize,
    /// Items that are better, and worse, than in the reference.
    pub changed: Option<(usize, usize)>,
    /// How the bounds were computed.
    pub method: Method,
    /// Whether a lower value is better; then a difference is turned, so that more is better.
    pub lower_is_better: bool,
    /// Standard deviation of what an item contributes.
    sd: Option<f64>,
    /// Whether what an item contributes is at most 1 in size.
    is_bounded: bool,
    confidence: f64,
}

impl Evidence {
    /// Of a difference `variant - reference` over the same items, turned so that more is better. `None` without items, or
    /// where the two are of different kinds or lengths.
    pub fn of_difference(
        variant: &Series,
        reference: &Series,
        confidence: f64,
    ) -> Option<Evidence> {
        let turned = variant.lower_is_better();
        if variant.len() != reference.len() || turned != reference.lower_is_better() {
            return None;
        }
        let (ours, theirs) = (variant.contributions(), reference.contributions());
        let differences: Vec<f64> = ours
            .iter()
            .zip(&theirs)
            .map(|(a, b)| if turned { b - a } else { a - b })
            .collect();
        let count = |is: fn(&f64) -> bool| differences.iter().filter(|x| is(x)).count();
        let estimate = mean(&differences).filter(|estimate| estimate.value.is_finite())?;
        let mut found = Evidence {
            value: estimate.value,
            low: None,
            high: None,
            items: estimate.n,
            changed: Some((count(|x| *x > 0.0), count(|x| *x < 0.0))),
            method: Method::StudentT,
            lower_is_better: turned,
            sd: sd(estimate),
            is_bounded: !turned && ours.iter().chain(&theirs).all(|x| (0.0..=1.0).contains(x)),
            confidence,
        };
        if let (Series::Right(_), Series::Right(_)) = (variant, reference) {
            found.method = Method::Tango;
            let (gained, lost, n) = found.counts()?;
            found.bounds(tango_interval(gained, lost, n, two_sided(confidence)));
        } else if differences.iter().all(|x| *x == 0.0) && differences.len() > 1 && turned {
            found.method = Method::Identical;
            (found.low, found.high) = (Some(0.0), Some(0.0));
        } else {
            found.bounds(t_interval(estimate, two_sided(confidence)));
            found.widen();
        }
        Some(found)
    }

    /// Of a difference whose interval is known, where it has one, and whose ends are one-sided bounds of the confidence.
    pub fn of_interval(
        value: f64,
        interval: Option<(f64, f64)>,
        stderr: Option<f64>,
        (items, are_same): (usize, bool),
        (lower_is_better, confidence): (bool, f64),
    ) -> Evidence {
        let turn = |value: f64| if lower_is_better { -value } else { value };
        let ends = interval.map(|(a, b)| (turn(a).min(turn(b)), turn(a).max(turn(b))));
        Evidence {
            value: turn(value),
            low: ends.map(|(low, _)| low),
            high: ends.map(|(_, high)| high),
            items,
            changed: are_same.then_some((0, 0)),
            method: Method::Bootstrap,
            lower_is_better,
            sd: stderr.map(|stderr| stderr * (items as f64).sqrt()),
            is_bounded: false,
            confidence,
        }
    }

    /// Of a metric's value. `None` without items.
    pub fn of_value(series: &Series, confidence: f64) -> Option<Evidence> {
        let values = series.contributions();
        let estimate = mean(&values).filter(|estimate| estimate.value.is_finite())?;
        let mut found = Evidence {
            value: series.value()?,
            low: None,
            high: None,
            items: estimate.n,
            changed: None,
            method: Method::StudentT,
            lower_is_better: series.lower_is_better(),
            sd: sd(estimate),
            is_bounded: false,
            confidence,
        };
        if let Series::Right(right) = series {
            let count = right.iter().filter(|right| **right).count() as u64;
            found.method = Method::Wilson;
            found.bounds(wilson_interval(
                count,
                right.len() as u64,
                normal_quantile(confidence),
            ));
        } else {
            found.bounds(t_interval(estimate, two_sided(confidence)));
        }
        Some(found)
    }

    /// Of a recorded value by its standard error, where the record has one.
    pub fn of_row(row: &ResultRow, confidence: f64) -> Evidence {
        let reach = row
            .stderr
            .map(|stderr| normal_quantile(confidence) * stderr);
        Evidence {
            value: row.value,
            low: reach.map(|reach| row.value - reach),
            high: reach.map(|reach| row.value + reach),
            items: row.n,
            changed: None,
            method: Method::Normal,
            lower_is_better: false,
            sd: row.stderr.map(|stderr| stderr * (row.n as f64).sqrt()),
            is_bounded: false,
            confidence,
        }
    }

    /// The value alone.
    pub fn alone(self) -> Evidence {
        Evidence {
            low: None,
            high: None,
            method: Method::None,
            ..self
        }
    }

    /// P-value of the non-inferiority test.
    pub fn p_of_non_inferiority(&self, margin: f64) -> Option<f64> {
        match self.method {
            Method::Tango => {
                let (gained, lost, n) = self.counts()?;
                tango_non_inferiority(gained, lost, n, margin)
            }
            Method::StudentT => Some(non_inferiority(self.estimate()?, margin, self.confidence)?.p),
            _ => None,
        }
    }

    /// The larger p-value of the two tests of equivalence.
    pub fn p_of_equivalence(&self, margin: f64) -> Option<f64> {
        match self.method {
            Method::Tango => {
                let (gained, lost, n) = self.counts()?;
                let worse = tango_non_inferiority(gained, lost, n, margin)?;
                let better = tango_non_inferiority(lost, gained, n, margin)?;
                Some(worse.max(better))
            }
            Method::StudentT => Some(equivalence(self.estimate()?, margin, self.confidence)?.p),
            _ => None,
        }
    }

    /// Items that decide with a power of 80 % whether the value lies above or below a threshold, if it stays as seen; more
    /// than there are. `None` where it lies on the threshold, or where the items' spread is not known.
    pub fn items_needed(&self, threshold: f64) -> Option<u64> {
        let distance = (self.value - threshold).abs();
        if distance <= f64::EPSILON {
            return None;
        }
        let z = normal_quantile(self.confidence);
        let alpha = 2.0 * (1.0 - self.confidence);
        let needed = if self.method == Method::Wilson {
            // The score test takes its spread at the threshold, the truth has it where the value lies.
            let spread = |rate: f64| (rate * (1.0 - rate)).max(0.0).sqrt();
            let reach = z * spread(threshold) + normal_quantile(POWER) * spread(self.value);
            Some((reach / distance).powi(2).ceil() as u64)
        } else {
            let by_spread = self
                .sd
                .filter(|sd| *sd > 0.0)
                .and_then(|sd| items_needed(sd, distance, alpha, POWER));
            let by_width = self
                .is_bounded
                .then(|| (z * z * (1.0 - distance).max(0.0) / distance).ceil() as u64);
            by_spread.max(by_width)
        };
        needed.map(|needed| needed.max(self.items as u64 + 1))
    }

    fn bounds(&mut self, interval: Option<Interval>) {
        self.low = interval.map(|interval| interval.low);
        self.high = interval.map(|interval| interval.high);
    }

    /// Scores within 0 and 1 whose differences hardly spread may still hide rare large ones: no bound is nearer to the
    /// value than it would be if as many right and wrong answers had not differed at all.
    fn widen(&mut self) {
        if !self.is_bounded || self.items < 2 {
            return;
        }
        let Some(none_differs) =
            tango_interval(0, 0, self.items as u64, two_sided(self.confidence))
        else {
            return;
        };
        let (low, high) = (
            self.value + none_differs.low,
            self.value + none_differs.high,
        );
        self.low = Some(self.low.map_or(low, |known| known.min(low)).max(-1.0));
        self.high = Some(self.high.map_or(high, |known| known.max(high)).min(1.0));
    }

    fn counts(&self) -> Option<(u64, u64, u64)> {
        let (gained, lost) = self.changed?;
        Some((gained as u64, lost as u64, self.items as u64))
    }

    fn estimate(&self) -> Option<Estimate> {
        Some(Estimate {
            value: self.value,
            stderr: Some(self.sd? / (self.items as f64).sqrt()),
            n: self.items,
        })
    }
}

/// The confidence of an interval of which each end is a one-sided bound of the given confidence.
fn two_sided(confidence: f64) -> f64 {
    2.0 * confidence - 1.0
}

fn sd(estimate: Estimate) -> Option<f64> {
    estimate
        .stderr
        .map(|stderr| stderr * (estimate.n as f64).sqrt())
}
