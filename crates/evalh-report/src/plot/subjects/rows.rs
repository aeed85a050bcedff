//! What is drawn: rows of tasks, and the variants that share a mark.

use super::Subjects;
use crate::{
    compare::{ComparedMetric, Role, Variant},
    plot::{scale::drawable, unit::Unit},
};

/// Variants that share a mark.
pub struct Series<'c> {
    /// Whose mark it is.
    pub role: Role,
    /// The variants, with their places in the comparison.
    pub members: Vec<(usize, &'c Variant)>,
}

/// A task.
pub struct Row<'c> {
    /// Its name.
    pub name: &'c str,
    /// Its headline metric.
    pub metric: &'c ComparedMetric,
    /// In the axis's unit, by series; none where none of its variants has a score here.
    pub values: Vec<Option<f64>>,
    /// What guessing gives, in the axis's unit.
    pub chance: Option<f64>,
}

impl Series<'_> {
    /// The mean of its variants' scores, in the axis's unit.
    fn value(&self, metric: &ComparedMetric, unit: &Unit) -> Option<f64> {
        let is_member = |variant: usize| self.members.iter().any(|&(place, _)| place == variant);
        let values: Vec<f64> = metric
            .scores
            .iter()
            .filter(|score| is_member(score.variant))
            .filter_map(|score| drawable(unit.shown(score.value)))
            .collect();
        (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
    }

    /// What the legend calls them.
    pub fn name(&self) -> String {
        match self.members.as_slice() {
            [(_, one)] => one.name.clone(),
            many => format!("{} (mean of {})", self.role, many.len()),
        }
    }
}

impl<'c> Subjects<'c> {
    /// The base, then its variants by role. Variants of no role of their own are not averaged: each has its own marks.
    pub(super) fn series(&self) -> Vec<Series<'c>> {
        let mut found: Vec<Series<'c>> = Vec::new();
        let variants = self.comparison.variants.iter().enumerate();
        let own = variants
            .filter(|(place, variant)| *place == self.base || variant.base == Some(self.base));
        for (place, variant) in own {
            let role = if place == self.base {
                Role::Base
            } else {
                variant.role
            };
            let same = found
                .iter_mut()
                .find(|series| series.role == role && role != Role::Other);
            match same {
                Some(series) => series.members.push((place, variant)),
                None => found.push(Series {
                    role,
                    members: vec![(place, variant)],
                }),
            }
        }
        found.sort_by_key(|series| series.role);
        found
    }

    /// The best of the base first; names decide between equal ones.
    pub(super) fn rows(
        &self,
        series: &[Series<'_>],
        tasks: &[(&'c str, &'c ComparedMetric)],
    ) -> Vec<Row<'c>> {
        let row = |&(name, metric): &(&'c str, &'c ComparedMetric)| Row {
            name,
            metric,
            values: series
                .iter()
                .map(|series| series.value(metric, self.unit))
                .collect(),
            chance: metric
                .chance
                .and_then(|chance| drawable(self.unit.shown(chance))),
        };
        let mut rows: Vec<Row<'c>> = tasks.iter().map(row).collect();
        rows.retain(|row| row.values.iter().any(Option::is_some));
        let key = |row: &Row<'_>| {
            row.values
                .iter()
                .flatten()
                .next()
                .copied()
                .unwrap_or(f64::NEG_INFINITY)
        };
        let sign = if self.unit.lower_is_better() {
            -1.0
        } else {
            1.0
        };
        rows.sort_by(|a, b| {
            (sign * key(b))
                .total_cmp(&(sign * key(a)))
                .then_with(|| a.name.cmp(b.name))
        });
        rows
    }
}
