//! The parts of a suite that are scored apart: its whole, its groups, its tasks.

use evalh_record::{Part, ResultRow, Sample, SuiteSettings};

/// Whether a sample counts for the part of this name.
pub(crate) fn counts_for(suite: &SuiteSettings, part: Part, name: &str, sample: &Sample) -> bool {
    sample.suite == suite.name
        && match part {
            Part::Whole => true,
            Part::Task => sample.task == name,
            Part::Group => suite
                .tasks
                .iter()
                .any(|task| task.group.as_deref() == Some(name) && task.name == sample.task),
        }
}

/// Every part that has scores, in the order of the rows.
pub(crate) fn parts<'r>(
    rows: impl IntoIterator<Item = &'r ResultRow>,
    suite: &SuiteSettings,
) -> Vec<(Part, &'r str)> {
    let mut found = Vec::new();
    for row in rows.into_iter().filter(|row| row.suite == suite.name) {
        let part = (row.part, row.task.as_str());
        if !found.contains(&part) {
            found.push(part);
        }
    }
    found
}

/// Whether the part is one of so many that it is only shown in detail: a task of a suite that has groups.
pub(crate) fn is_detail(suite: &SuiteSettings, part: Part) -> bool {
    part == Part::Task && suite.tasks.iter().any(|task| task.group.is_some())
}

/// The part's name before its metric; nothing for a whole.
pub(crate) fn prefix(part: Part, name: &str) -> String {
    match part {
        Part::Whole => String::new(),
        Part::Group | Part::Task => format!("{name} "),
    }
}
