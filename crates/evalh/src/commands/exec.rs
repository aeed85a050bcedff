//! `evalh exec`.

use crate::{
    artifacts::Artifacts,
    failure::{Exit, OrFail as _, Outcome},
    flags::ExecFlags,
    output::Console,
    sandbox::PythonSandbox,
};
use serde_json::json;
use std::io::Write as _;

/// Runs one Python program in the sandbox.
///
/// # Errors
/// When the program cannot be read or the sandbox cannot be prepared.
pub fn exec(flags: &ExecFlags) -> Outcome<Exit> {
    let console = Console::new(flags.output);
    let code = std::fs::read_to_string(&flags.file)
        .or_fail_to(|| format!("read {}", flags.file.display()))?;
    let artifacts = Artifacts::new(&console, flags.sandbox.offline)?;
    let sandbox = PythonSandbox::prepare(&artifacts, flags.sandbox.runtime.as_deref(), &console)?;
    let verdict = sandbox.script(&code)?;
    let outcome = verdict.outcome;
    if !console.json() {
        // A reader that has seen enough is no error.
        let _ = std::io::stdout().write_all(verdict.stdout.text.as_bytes());
        let _ = std::io::stderr().write_all(verdict.stderr.text.as_bytes());
        for (stream, name) in [
            (&verdict.stdout, "standard output"),
            (&verdict.stderr, "standard error"),
        ] {
            if stream.truncated {
                console.warn(format_args!(
                    "{name} was {} bytes, of which the first are shown",
                    stream.total_bytes
                ));
            }
        }
    }
    console.say(format_args!(
        "{outcome} after {:.3} s",
        verdict.wall.as_secs_f64()
    ));
    console.machine(&json!({
        "outcome": outcome,
        "stdout": verdict.stdout,
        "stderr": verdict.stderr,
        "fuel": verdict.fuel,
        "seconds": verdict.wall.as_secs_f64(),
        "suspicions": verdict.suspicions,
    }));
    Ok(if outcome.is_passed() {
        Exit::Done
    } else {
        Exit::NotPassed
    })
}
