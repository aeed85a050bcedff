//! `evalh baseline`.

use crate::{
    failure::{Exit, Failure, OrFail as _, Outcome, of_record},
    flags::{BaselineCommand, BaselineSaveFlags, BaselineShowFlags},
    output::Console,
};
use evalh_record::Record;
use evalh_report::baseline::{Baseline, BaselineError, show};

/// Saves or shows a baseline.
///
/// # Errors
/// When the run or the file cannot be read, or the file cannot be written.
pub fn baseline(command: &BaselineCommand) -> Outcome<Exit> {
    match command {
        BaselineCommand::Save(flags) => save(flags),
        BaselineCommand::Show(flags) => tell(flags),
    }
}

fn save(flags: &BaselineSaveFlags) -> Outcome<Exit> {
    let console = Console::new(flags.output);
    let record = Record::read(&flags.run).map_err(|error| of_record("read the run", &error))?;
    let baseline = Baseline::of(&record);
    baseline
        .write(&flags.out)
        .map_err(|error| of_baseline(&error))?;
    console.result(show(&baseline, Console::style()));
    console.result(format_args!("baseline: {}", flags.out.display()));
    console.machine(&serde_json::json!({ "baseline": flags.out }));
    Ok(Exit::Done)
}

fn tell(flags: &BaselineShowFlags) -> Outcome<Exit> {
    let console = Console::new(flags.output);
    let baseline = Baseline::open(&flags.file).map_err(|error| of_baseline(&error))?;
    console.result(show(&baseline, Console::style()));
    let json =
        serde_json::to_value(&baseline).or_fail_to(|| "write the baseline as JSON".to_owned())?;
    console.machine(&json);
    Ok(Exit::Done)
}

/// An error of a baseline with its remedy.
pub fn of_baseline(error: &BaselineError) -> Failure {
    Failure::new("use the baseline")
        .because(error)
        .help(error.help())
}
