//! In what a metric's values are shown.

use crate::{compare::ComparedMetric, number};

/// In what a metric's values are shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unit {
    /// Percent of items; differences in percentage points.
    Share,
    /// The plain values of this metric.
    Plain {
        /// Its name, without the way in which answers were read.
        metric: String,
        /// Whether a lower value is better.
        lower_is_better: bool,
    },
}

impl Unit {
    /// The unit of a metric.
    pub fn of(metric: &ComparedMetric) -> Unit {
        if metric.is_share {
            Unit::Share
        } else {
            Unit::Plain {
                metric: bare(&metric.metric).to_owned(),
                lower_is_better: metric.lower_is_better,
            }
        }
    }

    /// The value as the axis counts it.
    pub fn shown(&self, value: f64) -> f64 {
        match self {
            Unit::Share => value * 100.0,
            Unit::Plain { .. } => value,
        }
    }

    /// What values are in.
    pub fn name(&self) -> &str {
        match self {
            Unit::Share => "percent",
            Unit::Plain { metric, .. } => metric,
        }
    }

    /// What differences are in.
    pub fn of_differences(&self) -> &str {
        match self {
            Unit::Share => "percentage points",
            Unit::Plain { metric, .. } => metric,
        }
    }

    /// Whether a lower value is better.
    pub fn lower_is_better(&self) -> bool {
        matches!(
            self,
            Unit::Plain {
                lower_is_better: true,
                ..
            }
        )
    }
}

/// A metric's name without the way in which answers were read.
pub fn bare(metric: &str) -> &str {
    metric.split(',').next().unwrap_or(metric)
}

/// A difference, `+1.2`, or a dash where it is no number.
pub fn difference(metric: &str, value: f64) -> String {
    match super::scale::drawable(value) {
        Some(value) => number::difference(bare(metric), value),
        None => "\u{2013}".to_owned(),
    }
}

/// A value, `31.2 %`, or a dash where it is no number.
pub fn value(metric: &str, value: f64) -> String {
    match super::scale::drawable(value) {
        Some(value) => number::score(bare(metric), value, None),
        None => "\u{2013}".to_owned(),
    }
}
