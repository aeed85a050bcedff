//! Which tasks are asked, and which of their rows.

use crate::{TaskError, TaskOptions};
use evalh_stats::random::draw_stratified;

/// A task's name and its group.
type Named<'t> = (&'t str, Option<&'t str>);

/// For each task whether it is asked.
///
/// # Errors
/// When a name is neither a task's nor a group's; the message holds the nearest and all.
pub fn asked(suite: &str, tasks: &[Named<'_>], names: &[String]) -> Result<Vec<bool>, TaskError> {
    let is = |&(task, group): &Named<'_>, name: &str| task == name || group == Some(name);
    for name in names {
        if !tasks.iter().any(|task| is(task, name)) {
            return Err(unknown(suite, tasks, name));
        }
    }
    let is_asked = |task| names.is_empty() || names.iter().any(|name| is(task, name));
    Ok(tasks.iter().map(is_asked).collect())
}

fn unknown(suite: &str, tasks: &[Named<'_>], name: &str) -> TaskError {
    let mut known: Vec<&str> = Vec::new();
    let groups = tasks.iter().filter_map(|(_, group)| *group);
    for candidate in groups.chain(tasks.iter().map(|(task, _)| *task)) {
        if !known.contains(&candidate) {
            known.push(candidate);
        }
    }
    let wanted = name.to_lowercase();
    let distance = |known: &&&str| strsim::damerau_levenshtein(&wanted, &known.to_lowercase());
    let nearest = known
        .iter()
        .min_by_key(distance)
        .copied()
        .unwrap_or_default();
    TaskError::Setting {
        suite: suite.to_owned(),
        setting: "tasks",
        problem: format!(
            "names `{name}`, which is no task and no group; the nearest is `{nearest}`"
        ),
        remedy: format!("choose among: {}", known.join(", ")),
    }
}

/// The rows that are asked of tasks of so many rows, ascending.
///
/// # Errors
/// When both a limit and a draw are asked for.
pub fn rows(
    suite: &str,
    sizes: &[usize],
    options: &TaskOptions,
) -> Result<Vec<Vec<usize>>, TaskError> {
    let Some(draw) = options.draw else {
        let most = options.limit.unwrap_or(usize::MAX);
        return Ok(sizes
            .iter()
            .map(|&size| (0..size.min(most)).collect())
            .collect());
    };
    let refuse = |setting, problem: &str, remedy: &str| {
        Err(TaskError::Setting {
            suite: suite.to_owned(),
            setting,
            problem: problem.to_owned(),
            remedy: remedy.to_owned(),
        })
    };
    if options.limit.is_some() {
        return refuse(
            "limit",
            "is given with a draw, and each says how many items",
            "give one of the two",
        );
    }
    if draw.items == 0 {
        return refuse("draw", "is of 0 items", "draw at least 1");
    }
    Ok(draw_stratified(sizes, draw.items, draw.seed))
}
