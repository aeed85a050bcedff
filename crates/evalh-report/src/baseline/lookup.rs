//! The items' scores of a part of a suite.

use super::{Baseline, values::Series};
use evalh_record::{Part, ResultRow, Sha256};

/// Which items a part holds: of each of its tasks the count and the hash of the ids.
pub(crate) type Asked<'b> = Vec<(usize, &'b Sha256)>;

/// Relative difference below which a value computed from items is the one of the record.
const SAME: f64 = 1e-9;

impl Baseline {
    /// The items of a part, in the order in which [`Baseline::row_series`] holds their scores.
    pub(crate) fn asked(&self, suite: &str, part: Part, name: &str) -> Asked<'_> {
        self.tasks(suite, part, name)
            .map(|task| (task.items, &task.items_sha256))
            .collect()
    }

    /// A variant's scores on the items of a part, task by task. `None` where a task of the part has none by this metric.
    fn series(
        &self,
        suite: &str,
        part: Part,
        name: &str,
        variant: &str,
        metric: &str,
    ) -> Option<Series> {
        let of_task = |task: &super::TaskItems| {
            let scores = (task.scores.iter())
                .find(|scores| scores.variant == variant && scores.metric == metric)?;
            scores.values.series(task.items)
        };
        let mut tasks = self.tasks(suite, part, name);
        let first = of_task(tasks.next()?)?;
        tasks.try_fold(first, |all, task| all.joined(of_task(task)?))
    }

    /// The scores of a row's items. `None` where there are none, or they are not what the row's value is the mean of.
    pub(crate) fn row_series(&self, row: &ResultRow) -> Option<Series> {
        self.series(&row.suite, row.part, &row.task, &row.variant, &row.metric)
            .filter(|series| series.is_value(row))
    }

    fn tasks(
        &self,
        suite: &str,
        part: Part,
        name: &str,
    ) -> impl Iterator<Item = &super::TaskItems> {
        let settings = self.settings.suites.iter().find(move |s| s.name == suite);
        let counts = move |task: &str| {
            let group = settings
                .and_then(|settings| settings.tasks.iter().find(|t| t.name == task))
                .and_then(|task| task.group.as_deref());
            match part {
                Part::Whole => true,
                Part::Task => task == name,
                Part::Group => group == Some(name),
            }
        };
        (self.suites.iter())
            .filter(move |items| items.suite == suite)
            .flat_map(|items| &items.tasks)
            .filter(move |task| counts(&task.task))
    }
}

impl Series {
    /// Whether the items' scores give the value of a row: a metric that is no mean of them has another.
    pub(crate) fn is_value(&self, row: &ResultRow) -> bool {
        self.value()
            .is_some_and(|value| (row.value - value).abs() <= SAME * row.value.abs().max(1.0))
    }
}
