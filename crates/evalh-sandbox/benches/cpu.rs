//! CPU time of the sandbox: an empty program, and `HumanEval`'s canonical solutions with their tests.
//!
//! `cargo bench -p evalh-sandbox` prints the figures; they are CPU time of the whole process, so they hardly depend on
//! what else the machine does.

#[path = "../tests/support/mod.rs"]
mod support;

use evalh_sandbox::{Program, Sandbox};
use rustix::time::{ClockId, clock_gettime};
use std::time::{Duration, Instant};

const BATCHES: usize = 15;
const BATCH_RUNS: u32 = 40;
const ROUNDS: usize = 3;

fn main() {
    let Some(sandbox) = support::sandbox("cpu") else {
        return;
    };
    empty(sandbox, "with tests", &Program::tested("pass", "pass"));
    empty(sandbox, "without", &Program::untested("pass"));
    for round in 1..=ROUNDS {
        canonical(sandbox, round);
    }
}

/// Batches, so that the best and the middle one tell the program's cost from the machine's noise.
fn empty(sandbox: &Sandbox, name: &str, program: &Program<'_>) {
    let mut batches = (0..BATCHES)
        .map(|_| {
            timed(|| {
                for _ in 0..BATCH_RUNS {
                    assert!(sandbox.run(program).unwrap().outcome.is_passed());
                }
            })
        })
        .map(|(cpu, wall)| {
            (
                ms(cpu) / f64::from(BATCH_RUNS),
                ms(wall) / f64::from(BATCH_RUNS),
            )
        })
        .collect::<Vec<_>>();
    batches.sort_by(|a, b| a.0.total_cmp(&b.0));
    let middle = batches[batches.len() / 2];
    println!(
        "empty program {name}: {:.3} ms CPU in the middle batch of {BATCHES}, {:.3} ms in the best; {:.3} ms wall",
        middle.0, batches[0].0, middle.1
    );
}

fn canonical(sandbox: &Sandbox, round: usize) {
    let Some(problems) = support::humaneval("cpu") else {
        return;
    };
    let mut runs = Vec::new();
    for problem in &problems {
        let (cpu, _) = timed(|| {
            let verdict = problem.run(sandbox, &problem.canonical_solution);
            assert!(
                verdict.outcome.is_passed(),
                "{}: {:?}",
                problem.task_id,
                verdict.outcome
            );
            runs.push((Duration::ZERO, verdict.fuel, problem.task_id.as_str()));
        });
        runs.last_mut().unwrap().0 = cpu;
    }
    runs.sort_unstable();
    let (slowest, rest) = runs.split_last().unwrap();
    let sum = rest.iter().map(|run| run.0).sum::<Duration>();
    println!(
        "canonical solutions, round {round}: {:.0} programs a CPU second without the slowest ({} of {:.2} s in all); \
         slowest {} {:.2} s; median {:.2} ms and {} fuel; fuel a CPU second of the slowest {:.2e}",
        rest.len() as f64 / sum.as_secs_f64(),
        rest.len(),
        sum.as_secs_f64(),
        slowest.2,
        slowest.0.as_secs_f64(),
        ms(runs[runs.len() / 2].0),
        runs[runs.len() / 2].1,
        slowest.1 as f64 / slowest.0.as_secs_f64(),
    );
    let mut by_fuel = runs.iter().map(|run| (run.1, run.2)).collect::<Vec<_>>();
    by_fuel.sort_unstable();
    println!("  most fuel: {:?}", &by_fuel[by_fuel.len() - 4..]);
}

fn timed(work: impl FnOnce()) -> (Duration, Duration) {
    let (cpu, wall) = (cpu_time(), Instant::now());
    work();
    (cpu_time().saturating_sub(cpu), wall.elapsed())
}

fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
