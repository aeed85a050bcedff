//! `evalh experiment`.

use crate::{
    experiment::{Settings, experiment as run},
    failure::{Exit, Failure, OrFail as _, Outcome},
    flags::ExperimentFlags,
    interrupt,
    output::Console,
};
use evalh_train::plan::Plan;

/// Runs what a plan describes, and reports.
///
/// # Errors
/// When the plan cannot be used, a file cannot be read or written, or the user interrupts.
pub fn experiment(flags: &ExperimentFlags) -> Outcome<Exit> {
    let console = Console::new(flags.output);
    let plan = Plan::read(&flags.plan).map_err(|error| {
        Failure::new("read the plan")
            .because(&error)
            .help(error.help())
    })?;
    interrupt::listen_to_resume("the same command")?;
    let ended = run(&Settings {
        plan: &plan,
        offline: flags.offline,
        console: &console,
    })?;
    let json = serde_json::from_str(&ended.json)
        .or_fail_to(|| "write the experiment as JSON".to_owned())?;
    console.machine(&json);
    console.result(&ended.shown);
    for file in &ended.written {
        console.result(format_args!("report: {}", file.display()));
    }
    if ended.failed > 0 {
        console.warn(format_args!(
            "{} jobs failed; the report has a row for each",
            ended.failed
        ));
        return Ok(Exit::NotPassed);
    }
    Ok(Exit::Done)
}
