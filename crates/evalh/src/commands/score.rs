//! `evalh score`.

use crate::{
    artifacts::Artifacts,
    failure::{Exit, Failure, OrFail as _, Outcome},
    flags::ScoreFlags,
    interrupt,
    output::{Console, Task as Progress},
    run::suites::SuiteData,
    sandbox::PythonSandbox,
    settings::all_threads,
};
use evalh_record::Outcome as ProgramOutcome;
use evalh_task::{
    DataFiles, Program,
    human_eval::{ExternalSamples, PassAtK, Problems, pass_at_k_estimates},
};
use serde_json::json;
use std::{
    collections::BTreeMap,
    path::Path,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

/// Scores completions that were made elsewhere.
///
/// # Errors
/// When the samples or problems are corrupt, the sandbox cannot be prepared, or the results cannot be written.
pub fn score(flags: &ScoreFlags) -> Outcome<Exit> {
    let console = Console::new(flags.output);
    let suite = evalh_task::find_suite(&flags.suite).or_fail()?;
    if !suite.has_problems() {
        // It says so itself; nothing need be fetched for that.
        suite.problems(&DataFiles::default()).or_fail()?;
    }
    let artifacts = Artifacts::new(&console, flags.sandbox.offline)?;
    let problems = match &flags.problems {
        Some(path) => Problems::open(path).or_fail()?,
        None => SuiteData::of(suite, None, &artifacts, "--problems")?.problems()?,
    };
    let samples = ExternalSamples::open(&flags.samples, &problems).or_fail()?;
    samples.check_all_attempted(&problems).or_fail()?;
    let sandbox = PythonSandbox::prepare(&artifacts, flags.sandbox.runtime.as_deref(), &console)?;
    interrupt::listen_to_stop()?;
    let programs: Vec<_> = samples.programs(&problems).collect();
    let threads = flags.threads.unwrap_or_else(all_threads).get();
    let outcomes = run_all(&programs, &sandbox, threads, &console, &flags.suite)?;
    let results = samples.save_results(&outcomes).or_fail()?;
    let ks: Vec<u64> = flags.k.iter().map(|&k| k as u64).collect();
    let estimates = pass_at_k_estimates(&samples.tallies(&problems, &outcomes), &ks);
    say(&console, &estimates, &outcomes, &results);
    Ok(Exit::Done)
}

/// The outcomes of programs, in their order.
fn run_all(
    programs: &[Program],
    sandbox: &PythonSandbox,
    threads: usize,
    console: &Console,
    suite: &str,
) -> Outcome<Vec<ProgramOutcome>> {
    let progress = Progress::items(console, &format!("running {suite}"), programs.len() as u64);
    let next = AtomicUsize::new(0);
    let outcomes: Mutex<Vec<Option<ProgramOutcome>>> = Mutex::new(vec![None; programs.len()]);
    let failure: Mutex<Option<Failure>> = Mutex::new(None);
    let work = || {
        while !interrupt::asked() && lock(&failure).is_none() {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(program) = programs.get(at) else {
                break;
            };
            match sandbox.run(program) {
                Ok(verdict) => lock(&outcomes)[at] = Some(verdict.outcome),
                Err(error) => *lock(&failure) = Some(error),
            }
            progress.advance(1);
        }
    };
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(work);
        }
    });
    progress.finish();
    if let Some(failure) = failure.into_inner().unwrap_or_else(PoisonError::into_inner) {
        return Err(failure);
    }
    let outcomes = outcomes
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    outcomes
        .into_iter()
        .collect::<Option<Vec<_>>>()
        .ok_or_else(|| {
            Failure::new("score the samples")
                .cause("interrupted; no results were written")
                .help("run the same command again")
                .incomplete()
        })
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn say(console: &Console, estimates: &[PassAtK], outcomes: &[ProgramOutcome], results: &Path) {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for outcome in outcomes {
        *counts.entry(outcome.kind()).or_default() += 1;
    }
    for pass in estimates {
        let stderr = pass
            .estimate
            .stderr
            .map_or_else(String::new, |stderr| format!(" ± {stderr:.4}"));
        console.result(format_args!(
            "{}: {:.4}{stderr}  ({} problems)",
            pass.metric(),
            pass.estimate.value,
            pass.estimate.n
        ));
    }
    let kinds: Vec<_> = ProgramOutcome::KINDS
        .iter()
        .filter_map(|kind| counts.get(kind).map(|count| format!("{kind} {count}")))
        .collect();
    console.result(format_args!("outcomes: {}", kinds.join(", ")));
    console.result(format_args!("results: {}", results.display()));
    let metrics: serde_json::Map<_, _> = estimates
        .iter()
        .map(|pass| {
            let estimate = pass.estimate;
            (
                pass.metric(),
                json!({ "value": estimate.value, "stderr": estimate.stderr, "n": estimate.n }),
            )
        })
        .collect();
    console.machine(&json!({
        "metrics": metrics,
        "samples": outcomes.len(),
        "outcomes": counts,
        "results": results,
    }));
}
