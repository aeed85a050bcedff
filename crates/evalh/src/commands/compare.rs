//! `evalh compare`.

use crate::{
    failure::{Exit, Outcome},
    flags::CompareFlags,
    output::Console,
    reporting::{Runs, options, show, write_all},
};

/// Compares the variants of finished runs.
///
/// # Errors
/// When a folder holds no finished run, the runs cannot be compared, or a report cannot be written.
pub fn compare(flags: &CompareFlags) -> Outcome<Exit> {
    let console = Console::new(flags.output);
    let options = options(&flags.how, flags.force)?;
    let runs = Runs::read(&flags.runs)?;
    let texts = !flags.how.without_texts;
    let mut comparison = runs.compare(&options)?;
    if !texts {
        comparison = comparison.without_answers();
    }
    let written = match &flags.out {
        Some(dir) => write_all(dir, &runs, &comparison, texts)?,
        None => Vec::new(),
    };
    show(&console, &runs, &comparison, &written);
    Ok(Exit::Done)
}
