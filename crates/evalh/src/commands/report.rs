//! `evalh report`.

use crate::{
    failure::{Exit, Outcome},
    flags::{OutputFlags, ReportFlags},
    output::Console,
    reporting::{Runs, options, show, write_all, write_report},
};
use std::slice::from_ref;

/// Makes the report of a finished run again.
///
/// # Errors
/// When the folder holds no finished run or cannot be written.
pub fn report(flags: &ReportFlags) -> Outcome<Exit> {
    let console = Console::new(OutputFlags {
        quiet: true,
        json: flags.json,
    });
    let options = options(&flags.how, false)?;
    let runs = Runs::read(from_ref(&flags.run))?;
    let texts = !flags.how.without_texts;
    let mut comparison = runs.compare(&options)?;
    if !texts {
        comparison = comparison.without_answers();
    }
    let written = match &flags.out {
        Some(dir) => write_all(dir, &runs, &comparison, texts)?,
        None => write_report(&flags.run, &runs, &comparison, texts)?,
    };
    show(&console, &runs, &comparison, &written);
    Ok(Exit::Done)
}
