//! Ctrl-C: the run ends in good order, the second time at once.

use crate::failure::{Exit, OrFail as _, Outcome};
use std::{
    io::Write as _,
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
};

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// From here on Ctrl-C (and the signals that end a process politely) only ask: see [`asked`]. The second one ends the
/// process at once, which costs only the answers in progress.
///
/// # Errors
/// When the system does not take the handler.
pub fn listen(run: &Path) -> Outcome<()> {
    set_handler(format!("stopped; go on with `{}`", resume_line(run)))
}

/// As [`listen`], for work that is resumed by `how`.
///
/// # Errors
/// When the system does not take the handler.
pub fn listen_to_resume(how: &str) -> Outcome<()> {
    set_handler(format!("stopped; go on with {how}"))
}

/// As [`listen`], for work that is not resumed.
///
/// # Errors
/// When the system does not take the handler.
pub fn listen_to_stop() -> Outcome<()> {
    set_handler("stopped".to_owned())
}

fn set_handler(farewell: String) -> Outcome<()> {
    ctrlc::set_handler(move || {
        // Standard error may be closed; the process ends all the same.
        if INTERRUPTED.swap(true, Ordering::SeqCst) {
            let _ = writeln!(std::io::stderr(), "{farewell}");
            std::process::exit(Exit::Incomplete.code().into());
        }
        let _ = writeln!(
            std::io::stderr(),
            "interrupted: ending with the next answer (again to stop at once)"
        );
    })
    .or_fail_to(|| "listen for Ctrl-C".to_owned())
}

/// Whether the user wants the run to end.
pub fn asked() -> bool {
    INTERRUPTED.load(Ordering::SeqCst)
}

/// How to go on with a run.
pub fn resume_line(run: &Path) -> String {
    format!("evalh run --resume {}", run.display())
}
