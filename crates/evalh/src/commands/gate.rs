//! `evalh gate`.

use super::baseline::of_baseline;
use crate::{
    failure::{Exit, Failure, OrFail as _, Outcome, of_record},
    flags::GateFlags,
    output::Console,
    reporting::{of_bench, of_comparison, roles},
};
use evalh_record::Record;
use evalh_report::{
    BenchFile,
    baseline::Baseline,
    compare::{self, Run},
    gate::{GateError, Inputs, Overall, Policy, judge, junit, step_summary, terminal},
};
use std::{
    fs::OpenOptions,
    io::Write as _,
    path::{Path, PathBuf},
};

/// The file that a job's summary is appended to, by the name of the variable that GitHub sets.
const STEP_SUMMARY: &str = "GITHUB_STEP_SUMMARY";

/// Judges a finished run by a policy.
///
/// # Errors
/// When a file cannot be read or written, or the policy names what is not there.
pub fn gate(flags: &GateFlags) -> Outcome<Exit> {
    let console = Console::new(flags.output);
    let policy = Policy::read(&flags.policy).map_err(|error| of_gate(&error))?;
    let record = Record::read(&flags.run).map_err(|error| of_record("read the run", &error))?;
    let name = name(&flags.run);
    let baseline = match &flags.baseline {
        Some(path) => {
            let baseline = Baseline::open(path).map_err(|error| of_baseline(&error))?;
            Some((self::name(path), baseline))
        }
        None => None,
    };
    let bench = match &flags.bench {
        Some(path) => Some(BenchFile::read(path).map_err(|error| of_bench(&error))?),
        None => None,
    };
    let run = Run {
        name: &name,
        record: &record,
    };
    let inputs = Inputs {
        run: &name,
        record: &record,
        roles: &compare::roles(run, &roles(&flags.roles)).map_err(|error| of_comparison(&error))?,
        baseline: baseline
            .as_ref()
            .map(|(name, baseline)| (name.as_str(), baseline)),
        bench: bench.as_ref(),
        force: flags.force,
    };
    let report = judge(&policy, &inputs).map_err(|error| of_gate(&error))?;
    console.result(terminal(&report, Console::style()));
    if let Some(path) = &flags.junit {
        std::fs::write(path, junit(&report)).or_fail_to(|| format!("write {}", path.display()))?;
        console.say(format_args!("JUnit: {}", path.display()));
    }
    if let Some(path) = std::env::var_os(STEP_SUMMARY).filter(|path| !path.is_empty()) {
        append(&PathBuf::from(path), &step_summary(&report))?;
    }
    let json =
        serde_json::to_value(&report).or_fail_to(|| "write the verdict as JSON".to_owned())?;
    console.machine(&json);
    Ok(match report.verdict {
        Overall::Passed => Exit::Done,
        Overall::Failed => Exit::NotPassed,
        Overall::Inconclusive => Exit::Inconclusive,
    })
}

fn name(path: &Path) -> String {
    let absolute = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let name = absolute.file_name().unwrap_or(path.as_os_str());
    name.to_string_lossy().into_owned()
}

fn append(path: &Path, text: &str) -> Outcome<()> {
    let what = || format!("append the verdict to {} ({STEP_SUMMARY})", path.display());
    let mut options = OpenOptions::new();
    let file = options.create(true).append(true).open(path);
    let mut file = file.or_fail_to(what)?;
    file.write_all(text.as_bytes()).or_fail_to(what)
}

fn of_gate(error: &GateError) -> Failure {
    Failure::new("judge the run")
        .because(error)
        .help(error.help())
}
