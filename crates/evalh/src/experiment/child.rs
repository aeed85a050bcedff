//! A job as a process of this program.

use crate::failure::{Failure, OrFail as _, Outcome};
use std::{
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Command, Stdio},
};

/// Lines of a process that are kept to tell why it failed.
const KEPT: usize = 12;

/// A process that ended.
pub struct Child {
    /// Whether it ended well.
    pub succeeded: bool,
    /// Its last lines, or how it was ended.
    pub said: String,
}

impl Child {
    /// Runs this program with these words; what it says about its progress goes on to standard error.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn run(words: &[String], folder: &Path) -> Outcome<Child> {
        let what = || format!("start `evalh {}`", words.first().map_or("", String::as_str));
        let program = std::env::current_exe().or_fail_to(what)?;
        super::make(folder.parent().unwrap_or(folder))?;
        let mut child = Command::new(program)
            .args(words)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .or_fail_to(what)?;
        let mut kept: Vec<String> = Vec::new();
        let lines = child.stderr.take().ok_or_else(|| Failure::new(what()))?;
        for line in BufReader::new(lines).lines() {
            let Ok(line) = line else { break };
            // Nobody is left to tell when standard error is closed.
            let _ = writeln!(std::io::stderr(), "  {line}");
            if kept.len() == KEPT {
                kept.remove(0);
            }
            kept.push(line);
        }
        let status = child.wait().or_fail_to(what)?;
        let said = match kept.iter().rposition(|line| line.contains("error:")) {
            Some(at) => {
                let said = kept.split_off(at).join("; ");
                said.replacen("error: ", "", 1)
            }
            None => format!("it ended with {status}"),
        };
        Ok(Child {
            succeeded: status.success(),
            said,
        })
    }
}
