//! `HumanEval` as the measure: every canonical solution passes, every stub fails.

mod support;

use std::sync::atomic::{AtomicUsize, Ordering};
use support::Problem;

/// Runs every problem with a completion on two threads, and gives verdicts in the problems' order.
fn run_all(
    sandbox: &evalh_sandbox::Sandbox,
    problems: &[Problem],
    completion: fn(&Problem) -> &str,
) -> Vec<evalh_sandbox::Verdict> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(problem) = problems.get(index) else {
                return done;
            };
            done.push((index, problem.run(sandbox, completion(problem))));
        }
    };
    let mut done = std::thread::scope(|scope| {
        let threads = [scope.spawn(work), scope.spawn(work)];
        threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap())
            .collect::<Vec<_>>()
    });
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, verdict)| verdict).collect()
}

#[test]
fn every_canonical_solution_passes_with_the_same_fuel_each_time() {
    let name = "every_canonical_solution_passes_with_the_same_fuel_each_time";
    let (Some(problems), Some(sandbox)) = (support::humaneval(name), support::sandbox(name)) else {
        return;
    };
    assert_eq!(problems.len(), 164);
    let first = run_all(sandbox, &problems, |problem| &problem.canonical_solution);
    let second = run_all(sandbox, &problems, |problem| &problem.canonical_solution);
    for ((problem, first), second) in problems.iter().zip(&first).zip(&second) {
        assert!(
            first.outcome.is_passed(),
            "{}: {}\n{}",
            problem.task_id,
            first.outcome,
            first.stderr.text
        );
        assert_eq!(first.fuel, second.fuel, "{}", problem.task_id);
        assert!(
            first.suspicions.is_empty(),
            "{}: {:?}",
            problem.task_id,
            first.suspicions
        );
    }
    let most = first.iter().map(|verdict| verdict.fuel).max().unwrap();
    assert!(
        most < evalh_sandbox::HUMANEVAL_MAX_FUEL + evalh_sandbox::HUMANEVAL_MAX_FUEL / 10,
        "the slowest canonical solution took {most} fuel: measure HUMANEVAL_MAX_FUEL again"
    );
}

#[test]
fn every_stub_fails() {
    let name = "every_stub_fails";
    let (Some(problems), Some(sandbox)) = (support::humaneval(name), support::sandbox(name)) else {
        return;
    };
    for (problem, verdict) in problems
        .iter()
        .zip(run_all(sandbox, &problems, |_| "    pass\n"))
    {
        assert!(
            matches!(verdict.outcome.kind(), "failed" | "error"),
            "{}: {}",
            problem.task_id,
            verdict.outcome
        );
    }
}
