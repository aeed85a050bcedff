//! The order in which jobs run.

use super::{plan::Job, prefix::Prefixes};

/// Places of the jobs in the order in which they run.
///
/// Of one variant: beginning by beginning. Of several: in stretches of the same units, each stretch for one variant after
/// another, or, where the variants of a unit run beside each other (`together`), unit by unit. A stretch is of one
/// beginning, so that no more of these are held than for one variant (or for each variant, beside each other), and of at
/// most `rows` units, so that a variant's answers can be compared with another's soon after.
pub fn order(
    jobs: &[Job<'_>],
    prefixes: &Prefixes<'_>,
    rows: usize,
    together: impl Fn(usize) -> bool,
) -> Vec<usize> {
    let units = jobs.iter().map(|job| job.unit + 1).max().unwrap_or(0);
    // Of each unit its stretch, and which of all units it is.
    let mut found = vec![None; units];
    let (mut stretch, mut length, mut last, mut rank) = (0, 0, None, 0);
    for place in &prefixes.order {
        let unit = jobs[*place].unit;
        if found[unit].is_some() {
            continue;
        }
        let root = prefixes.root(*place);
        if length == rows || root != last {
            stretch += 1;
            length = 0;
        }
        (length, last) = (length + 1, root);
        found[unit] = Some((stretch, rank));
        rank += 1;
    }
    let mut order = prefixes.order.clone();
    // Within a stretch and a variant the order stays.
    order.sort_by_key(|place| {
        let Job { unit, variant, .. } = jobs[*place];
        let (stretch, rank) = found[unit].unwrap_or_default();
        if together(unit) {
            (stretch, 0, rank, variant)
        } else {
            (stretch, 1, variant, 0)
        }
    });
    order
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{prepare::PreparedContext, schedule::plan::Task};

    #[test]
    fn variants_take_turns_by_beginning_and_by_rows() {
        let prompts = [[1, 1, 7], [2, 2, 7], [1, 1, 8], [1, 1, 9], [2, 2, 8]];
        let contexts = prompts.map(|prompt| PreparedContext {
            context: prompt.to_vec(),
            members: vec![(0, vec![1])],
            branches: vec![],
        });
        let mut jobs = Vec::new();
        for (unit, context) in contexts.iter().enumerate() {
            for variant in 0..2 {
                // The second variant has answered the fourth unit already.
                if (variant, unit) != (1, 3) {
                    jobs.push(Job {
                        answer: jobs.len(),
                        variant,
                        unit,
                        cache_tokens: 0,
                        task: Task::Score(context),
                    });
                }
            }
        }
        let run_beside = |rows, together: bool| -> Vec<_> {
            let prefixes = Prefixes::of(&jobs, 2);
            let order = order(&jobs, &prefixes, rows, |_| together);
            let of = |place: usize| (jobs[place].unit, jobs[place].variant);
            order.into_iter().map(of).collect()
        };
        let run = |rows| run_beside(rows, false);
        let first = [(0, 0), (2, 0), (3, 0), (0, 1), (2, 1)];
        let second = [(1, 0), (4, 0), (1, 1), (4, 1)];
        assert_eq!(run(64), [&first[..], &second].concat());
        let first = [(0, 0), (2, 0), (0, 1), (2, 1), (3, 0)];
        assert_eq!(run(2), [&first[..], &second].concat());
        let first = [(0, 0), (0, 1), (2, 0), (2, 1), (3, 0)];
        let second = [(1, 0), (1, 1), (4, 0), (4, 1)];
        assert_eq!(run_beside(64, true), [&first[..], &second].concat());
    }
}
