//! What became of a program.

use crate::Suspicion;
use serde::{Deserialize, Serialize};
use std::{fmt, time::Duration};

/// What became of a program. Serialised with its name in the field `outcome`, so that it can be flattened into a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// The program and its tests ran to their ends.
    Passed,
    /// An assertion failed.
    Failed {
        /// The last line of the assertion's message, often empty.
        message: String,
    },
    /// Another exception was raised.
    Error {
        /// The exception's class, with its module unless that is `builtins`.
        class: String,
        /// The last line of its text.
        message: String,
    },
    /// The fuel, the time to sleep, or the wall clock's backstop was used up.
    TimedOut,
    /// The memory was used up.
    OutOfMemory,
    /// The program ended the interpreter (`sys.exit`, `os._exit`): never a pass.
    Exited {
        /// 0 for success; 1 for any other code, which WebAssembly's system interface does not tell apart.
        code: i32,
    },
    /// The interpreter itself broke down.
    Crashed {
        /// How.
        reason: String,
    },
}

impl Outcome {
    /// The stable name, as serialised.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed { .. } => "failed",
            Self::Error { .. } => "error",
            Self::TimedOut => "timed_out",
            Self::OutOfMemory => "out_of_memory",
            Self::Exited { .. } => "exited",
            Self::Crashed { .. } => "crashed",
        }
    }

    /// Whether the program counts as right.
    pub fn is_pass(&self) -> bool {
        *self == Self::Passed
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let with = |f: &mut fmt::Formatter<'_>, head: &str, tail: &str| {
            if tail.is_empty() {
                f.write_str(head)
            } else {
                write!(f, "{head}: {tail}")
            }
        };
        match self {
            Self::Passed => f.write_str("passed"),
            Self::Failed { message } => with(f, "failed", message),
            Self::Error { class, message } => with(f, class, message),
            Self::TimedOut => f.write_str("timed out"),
            Self::OutOfMemory => f.write_str("out of memory"),
            Self::Exited { code } => write!(f, "exited with code {code}"),
            Self::Crashed { reason } => with(f, "crashed", reason),
        }
    }
}

/// Which of the host's calls an outcome comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// The program was loading.
    Program,
    /// The tests were running, or had run.
    Tests,
}

/// The beginning of what a program wrote to a stream.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Captured {
    /// The kept bytes as text, invalid UTF-8 replaced.
    pub text: String,
    /// How many bytes were written in all.
    pub total_bytes: u64,
    /// Whether fewer were kept than written.
    pub truncated: bool,
}

/// All that is known of one program's run.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// What became of it.
    pub outcome: Outcome,
    /// In which stage that was decided.
    pub stage: Stage,
    /// What it wrote to standard output.
    pub stdout: Captured,
    /// What it wrote to standard error, the traceback of an exception included.
    pub stderr: Captured,
    /// Work done, in the unit of [`Limits::fuel`](crate::Limits::fuel). The same in every run on the same runtime,
    /// unless the program looks at a clock or the backstop of the wall clock ended it.
    pub fuel: u64,
    /// Time from start to verdict.
    pub wall: Duration,
    /// Words in the program's text that a person may want to look at before believing a pass.
    pub suspicions: Vec<Suspicion>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_serialised_ones() {
        let all = [
            Outcome::Passed,
            Outcome::Failed {
                message: "m".into(),
            },
            Outcome::Error {
                class: "ValueError".into(),
                message: "m".into(),
            },
            Outcome::TimedOut,
            Outcome::OutOfMemory,
            Outcome::Exited { code: 1 },
            Outcome::Crashed { reason: "r".into() },
        ];
        for outcome in all {
            let json = serde_json::to_value(&outcome).unwrap();
            assert_eq!(json["outcome"], outcome.name());
            assert_eq!(serde_json::from_value::<Outcome>(json).unwrap(), outcome);
        }
    }
}
