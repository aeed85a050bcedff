//! The table of the tasks.

use crate::definition::Layout;
use serde::Deserialize;
use std::sync::LazyLock;

/// One task of GLUE.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeadTask {
    /// Its name, the hub's.
    pub name: String,
    /// Rows of its validation set.
    pub rows: usize,
    /// The fields that the encoder reads: one, or two.
    pub texts: Vec<String>,
    /// Its labels in the hub's order; none for a regression.
    pub labels: Vec<String>,
    /// Its metrics, the headline first.
    pub metrics: Vec<HeadMetric>,
    /// Where its rows may be: the first layout whose file is there is taken.
    #[serde(rename = "layout")]
    pub layouts: Vec<Layout>,
}

/// A metric of GLUE.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HeadMetric {
    /// Right labels.
    Acc,
    /// F1 of the second label.
    F1,
    /// Matthews' correlation coefficient.
    Mcc,
    /// Pearson's correlation.
    Pearson,
    /// Spearman's rank correlation.
    Spearman,
}

impl HeadMetric {
    /// Its name in results.
    pub fn name(self) -> &'static str {
        match self {
            HeadMetric::Acc => "acc",
            HeadMetric::F1 => "f1",
            HeadMetric::Mcc => "mcc",
            HeadMetric::Pearson => "pearson",
            HeadMetric::Spearman => "spearman",
        }
    }
}

impl HeadTask {
    /// Whether its answer is a number, not a label.
    pub fn is_regression(&self) -> bool {
        self.labels.is_empty()
    }

    /// Outputs of a head that answers it.
    pub fn outputs(&self) -> usize {
        self.labels.len().max(1)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    #[serde(rename = "task")]
    tasks: Vec<HeadTask>,
}

static TASKS: LazyLock<Vec<HeadTask>> = LazyLock::new(|| {
    match toml::from_str::<Table>(include_str!("tasks.toml")) {
        Ok(table) => table.tasks,
        // the text is a constant of the program, and a test reads it
        Err(error) => unreachable!("{error}"),
    }
});

/// All tasks, in the order of lists.
pub fn tasks() -> &'static [HeadTask] {
    &TASKS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_whole() {
        let rows: usize = tasks().iter().map(|task| task.rows).sum();
        assert_eq!((tasks().len(), rows), (10, 69_711));
        for task in tasks() {
            assert!((1..=2).contains(&task.texts.len()), "{}", task.name);
            assert_eq!(task.layouts.len(), 2, "{}", task.name);
            assert!(!task.metrics.is_empty() && task.labels.len() != 1);
        }
    }
}
