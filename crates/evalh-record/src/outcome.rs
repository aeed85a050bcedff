//! How a program ended.

use serde::{Deserialize, Serialize};
use std::fmt;

/// How one candidate program ended in the sandbox. It depends on the program and the limits, never on the clock of
/// the machine.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The program loaded and every test held.
    Passed,
    /// An assertion of the tests did not hold.
    Failed {
        /// What the assertion said, empty where it said nothing.
        message: String,
    },
    /// An exception other than a failed assertion.
    Error {
        /// The exception's class, `NameError`.
        class: String,
        /// The last line of its message.
        message: String,
    },
    /// The limit of time or of executed instructions was reached.
    TimedOut,
    /// The limit of memory was reached.
    OutOfMemory,
    /// The program ended itself before the tests had run.
    Exited {
        /// The code it asked for.
        code: i32,
    },
    /// The interpreter itself went down.
    Crashed {
        /// What the host saw.
        reason: String,
    },
}

impl Outcome {
    /// The names of all kinds, in the order in which reports list them.
    pub const KINDS: [&'static str; 7] = [
        "passed",
        "failed",
        "error",
        "timed out",
        "out of memory",
        "exited",
        "crashed",
    ];

    /// The kind's name, one of [`Outcome::KINDS`].
    pub fn kind(&self) -> &'static str {
        match self {
            Outcome::Passed => "passed",
            Outcome::Failed { .. } => "failed",
            Outcome::Error { .. } => "error",
            Outcome::TimedOut => "timed out",
            Outcome::OutOfMemory => "out of memory",
            Outcome::Exited { .. } => "exited",
            Outcome::Crashed { .. } => "crashed",
        }
    }

    /// Whether this is [`Outcome::Passed`].
    pub fn is_passed(&self) -> bool {
        matches!(self, Outcome::Passed)
    }
}

/// The reference harness's words: `passed`, `failed: ...`, `timed out`.
impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::Failed { message } if !message.is_empty() => write!(f, "failed: {message}"),
            Outcome::Error { class, message } if message.is_empty() => write!(f, "error: {class}"),
            Outcome::Error { class, message } => write!(f, "error: {class}: {message}"),
            Outcome::Exited { code } => write!(f, "exited: {code}"),
            Outcome::Crashed { reason } => write!(f, "crashed: {reason}"),
            other => f.write_str(other.kind()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_listed_and_shown() {
        let all = [
            (Outcome::Passed, "passed", "\"passed\""),
            (
                Outcome::Failed {
                    message: "a".into(),
                },
                "failed: a",
                r#"{"failed":{"message":"a"}}"#,
            ),
            (
                Outcome::Error {
                    class: "NameError".into(),
                    message: "x".into(),
                },
                "error: NameError: x",
                r#"{"error":{"class":"NameError","message":"x"}}"#,
            ),
            (Outcome::TimedOut, "timed out", "\"timed_out\""),
            (Outcome::OutOfMemory, "out of memory", "\"out_of_memory\""),
            (
                Outcome::Exited { code: 3 },
                "exited: 3",
                r#"{"exited":{"code":3}}"#,
            ),
            (
                Outcome::Crashed {
                    reason: "trap".into(),
                },
                "crashed: trap",
                r#"{"crashed":{"reason":"trap"}}"#,
            ),
        ];
        for ((outcome, shown, json), kind) in all.iter().zip(Outcome::KINDS) {
            assert_eq!(outcome.kind(), kind);
            assert_eq!(outcome.to_string(), *shown);
            assert_eq!(serde_json::to_string(outcome).unwrap(), *json);
            assert_eq!(serde_json::from_str::<Outcome>(json).unwrap(), *outcome);
        }
    }
}
