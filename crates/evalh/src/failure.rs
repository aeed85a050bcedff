//! Errors as a user reads them, and what the process exits with.

use evalh_record::RecordError;
use std::{error::Error, fmt};

/// The result of a command.
pub type Outcome<T> = Result<T, Failure>;

/// What the process exits with; part of the interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// All is well.
    Done,
    /// What was examined did not pass.
    NotPassed,
    /// Bad usage or input.
    Bad,
    /// A gate could not be decided.
    Inconclusive,
    /// The run is incomplete and can be resumed.
    Incomplete,
}

impl Exit {
    /// The process's exit code.
    pub fn code(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::NotPassed => 1,
            Exit::Bad => 2,
            Exit::Inconclusive => 3,
            Exit::Incomplete => 4,
        }
    }
}

/// An error for the user: what failed, why, and what to do.
#[derive(Debug)]
pub struct Failure {
    /// Reads after "failed to".
    what: String,
    /// Why, the outermost reason first.
    causes: Vec<String>,
    help: Option<String>,
    exit: Exit,
}

impl Failure {
    /// Something that failed for no deeper reason; `what` reads after "failed to".
    pub fn new(what: impl Into<String>) -> Failure {
        Failure {
            what: what.into(),
            causes: Vec::new(),
            help: None,
            exit: Exit::Bad,
        }
    }

    /// A library's error, whose message reads after "failed to" itself.
    pub fn of(error: &(dyn Error + 'static)) -> Failure {
        let mut failure = Failure::new(error.to_string());
        failure.push_chain(error.source());
        failure
    }

    /// Adds a reason and the reasons behind it.
    pub fn because(mut self, error: &(dyn Error + 'static)) -> Failure {
        self.push_chain(Some(error));
        self
    }

    /// Adds a reason in words.
    pub fn cause(mut self, cause: impl Into<String>) -> Failure {
        self.causes.push(cause.into());
        self
    }

    /// Adds the remedy.
    pub fn help(mut self, help: impl Into<String>) -> Failure {
        self.help = Some(help.into());
        self
    }

    /// What is computed is kept, and the run can be resumed.
    pub fn incomplete(mut self) -> Failure {
        self.exit = Exit::Incomplete;
        self
    }

    /// What the process exits with.
    pub fn exit(&self) -> Exit {
        self.exit
    }

    /// What failed and why, for the message of another failure.
    pub fn into_message(self) -> String {
        std::iter::once(self.what)
            .chain(self.causes)
            .collect::<Vec<_>>()
            .join(": ")
    }

    fn push_chain(&mut self, mut error: Option<&(dyn Error + 'static)>) {
        while let Some(cause) = error {
            let text = cause.to_string();
            // Many libraries repeat the reason in their own message.
            let said = self.causes.last().unwrap_or(&self.what);
            if !said.contains(&text) {
                self.causes.push(text);
            }
            error = cause.source();
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "failed to {}", self.what)?;
        for cause in &self.causes {
            write!(f, "\n  cause: {cause}")?;
        }
        if let Some(help) = &self.help {
            write!(f, "\nhelp: {help}")?;
        }
        Ok(())
    }
}

/// Turns a library's error into a [`Failure`].
pub trait OrFail<T> {
    /// The error's message reads after "failed to" itself.
    fn or_fail(self) -> Outcome<T>;
    /// `what` failed because of the error.
    fn or_fail_to(self, what: impl FnOnce() -> String) -> Outcome<T>;
}

impl<T, E: Error + 'static> OrFail<T> for Result<T, E> {
    fn or_fail(self) -> Outcome<T> {
        self.map_err(|error| Failure::of(&error))
    }

    fn or_fail_to(self, what: impl FnOnce() -> String) -> Outcome<T> {
        self.map_err(|error| Failure::new(what()).because(&error))
    }
}

/// Turns an error of the record into a [`Failure`] with its remedy.
pub fn of_record(what: &str, error: &RecordError) -> Failure {
    Failure::new(what).because(error).help(error.help())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;

    #[derive(Debug, thiserror::Error)]
    #[error("load it: {0}")]
    struct Repeats(#[source] io::Error);

    #[test]
    fn a_failure_reads_as_sentences_and_repeats_nothing() {
        let error = Repeats(io::Error::other("it is cold"));
        assert_eq!(
            Failure::of(&error).to_string(),
            "failed to load it: it is cold"
        );
        let failure = Failure::new("start")
            .because(&error)
            .cause("it is late")
            .help("wait");
        assert_eq!(
            failure.to_string(),
            "failed to start\n  cause: load it: it is cold\n  cause: it is late\nhelp: wait"
        );
        assert_eq!(failure.exit(), Exit::Bad);
        assert_eq!(failure.incomplete().exit(), Exit::Incomplete);
    }
}
