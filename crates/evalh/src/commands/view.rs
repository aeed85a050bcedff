//! `evalh view`.

use crate::{
    failure::{Exit, OrFail as _, Outcome},
    flags::{OutputFlags, ViewFlags},
    interrupt,
    output::Console,
    reporting::{Runs, options, page},
};
use evalh_report::figures;
use evalh_view::View;

/// Serves the page of finished runs until the user stops it.
///
/// # Errors
/// When a folder holds no finished run, the runs cannot be compared, or the port cannot be had.
pub fn view(flags: &ViewFlags) -> Outcome<Exit> {
    let console = Console::new(OutputFlags::default());
    let options = options(&flags.how, flags.force)?;
    let runs = Runs::read(&flags.runs)?;
    let comparison = runs.compare(&options)?;
    let page = page(
        &runs,
        &comparison,
        &figures(&comparison),
        !flags.how.without_texts,
    )?;
    let view = View::bind(page, flags.port).or_fail()?;
    interrupt::listen_to_stop()?;
    console.result(view.url());
    if !flags.no_open
        && let Err(error) = view.open()
    {
        console.warn(format_args!("{error}: open {} yourself", view.url()));
    }
    console.say("serving until interrupted");
    view.serve_until(interrupt::asked).or_fail()?;
    Ok(Exit::Done)
}
