//! From the end of a call to an outcome.

use crate::{
    Outcome,
    state::{Report, State},
    wasi::Exit,
};
use wasmtime::Trap;

/// Characters kept of a message or a class.
const MESSAGE_CHARS: usize = 500;

/// The outcome of a call that did not return.
pub(crate) fn outcome_of(error: &wasmtime::Error, state: &State) -> Outcome {
    if let Some(Exit(code)) = error.downcast_ref() {
        return Outcome::Exited { code: *code };
    }
    match error.downcast_ref::<Trap>() {
        Some(Trap::OutOfFuel | Trap::Interrupt) => Outcome::TimedOut,
        Some(Trap::UnreachableCodeReached) => raised(state.report.as_ref(), state.memory.denied),
        Some(Trap::StackOverflow) => Outcome::Crashed {
            reason: "call stack exhausted".to_owned(),
        },
        _ => Outcome::Crashed {
            reason: last_line(&error.root_cause().to_string()),
        },
    }
}

/// The runtime traps on an exception, after the guest has reported it.
fn raised(report: Option<&Report>, memory_denied: bool) -> Outcome {
    match report {
        Some(report) => match report.class.as_str() {
            "AssertionError" => Outcome::Failed {
                message: last_line(&report.message),
            },
            // The parser raises the same, with a text, for a program that is nested too deep.
            "MemoryError" if memory_denied || report.message.is_empty() => Outcome::OutOfMemory,
            class => Outcome::Error {
                class: last_line(class),
                message: last_line(&report.message),
            },
        },
        // Too little memory was left to report the exception, or native code gave up.
        None if memory_denied => Outcome::OutOfMemory,
        None => Outcome::Crashed {
            reason: "the interpreter aborted".to_owned(),
        },
    }
}

/// The last line that has something in it, cut to a length fit for a table.
fn last_line(text: &str) -> String {
    let line = text
        .lines()
        .map(str::trim)
        .rfind(|line| !line.is_empty())
        .unwrap_or_default();
    line.chars().take(MESSAGE_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Limits;

    fn judged(
        error: impl Into<wasmtime::Error>,
        report: Option<(&str, &str)>,
        denied: bool,
    ) -> Outcome {
        let mut state = State::new(&Limits::default(), 0);
        state.report = report.map(|(class, message)| Report {
            class: class.into(),
            message: message.into(),
        });
        state.memory.denied = denied;
        outcome_of(&error.into(), &state)
    }

    #[test]
    fn traps_become_outcomes() {
        assert_eq!(judged(Trap::OutOfFuel, None, false), Outcome::TimedOut);
        assert_eq!(
            judged(Trap::Interrupt, Some(("ValueError", "early")), true),
            Outcome::TimedOut
        );
        assert_eq!(
            judged(wasmtime::Error::new(Exit(0)), None, false),
            Outcome::Exited { code: 0 }
        );
        assert_eq!(judged(Trap::StackOverflow, None, false).kind(), "crashed");
        assert_eq!(
            judged(Trap::MemoryOutOfBounds, Some(("AssertionError", "")), false).kind(),
            "crashed"
        );
        assert_eq!(
            judged(wasmtime::Error::msg("refused"), None, false),
            Outcome::Crashed {
                reason: "refused".into()
            }
        );
    }

    #[test]
    fn reported_exceptions_become_outcomes() {
        let trap = Trap::UnreachableCodeReached;
        assert_eq!(
            judged(trap, Some(("AssertionError", "a\nb \n\n")), false),
            Outcome::Failed {
                message: "b".into()
            }
        );
        assert_eq!(
            judged(trap, Some(("json.decoder.JSONDecodeError", "bad")), false),
            Outcome::Error {
                class: "json.decoder.JSONDecodeError".into(),
                message: "bad".into()
            }
        );
        assert_eq!(
            judged(trap, Some(("MemoryError", "")), true),
            Outcome::OutOfMemory
        );
        assert_eq!(
            judged(trap, Some(("MemoryError", "")), false),
            Outcome::OutOfMemory
        );
        assert_eq!(
            judged(
                trap,
                Some(("MemoryError", "Parser stack overflowed")),
                false
            )
            .kind(),
            "error"
        );
        assert_eq!(judged(trap, None, true), Outcome::OutOfMemory);
        assert_eq!(judged(trap, None, false).kind(), "crashed");
        let Outcome::Failed { message } =
            judged(trap, Some(("AssertionError", &"é".repeat(9999))), false)
        else {
            panic!()
        };
        assert_eq!(message.chars().count(), MESSAGE_CHARS);
    }
}
