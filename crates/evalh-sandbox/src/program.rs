//! A program, its tests, and what follows from their text.

use crate::{Limits, Outcome, Stage};
use evalh_record::sha256_bytes;

/// A Python program to run, perhaps with tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Program<'a> {
    pub(crate) code: &'a str,
    pub(crate) tests: Option<&'a str>,
    pub(crate) script: bool,
    pub(crate) effort: u32,
}

impl<'a> Program<'a> {
    /// A program, and tests that run after it in its namespace and judge it. The namespace is empty at first, as in the
    /// reference harness of `HumanEval`, so `__name__` is `"builtins"`.
    pub fn tested(code: &'a str, tests: &'a str) -> Self {
        Self {
            tests: Some(tests),
            ..Self::untested(code)
        }
    }

    /// A program in the same namespace that passes by running to its end.
    pub fn untested(code: &'a str) -> Self {
        Self {
            code,
            tests: None,
            script: false,
            effort: 1,
        }
    }

    /// A script, with `__name__ == "__main__"`, that passes by running to its end.
    pub fn script(code: &'a str) -> Self {
        Self {
            script: true,
            ..Self::untested(code)
        }
    }

    /// The same, but it may take so many times the work of [`Limits::fuel`], and of the time behind it. For programs
    /// whose correct versions are known to need more than the limit leaves room for.
    #[must_use]
    pub fn with_effort(self, effort: u32) -> Self {
        Self { effort, ..self }
    }

    /// What this program may use.
    pub(crate) fn limits(&self, limits: &Limits) -> Limits {
        let effort = u64::from(self.effort);
        Limits {
            fuel: limits.fuel.saturating_mul(effort),
            wall_ms: limits.wall_ms.saturating_mul(effort),
            ..*limits
        }
    }

    /// The outcome of a text that is never handed to Python.
    pub(crate) fn refused(&self, limits: &Limits) -> Option<(Outcome, Stage)> {
        let texts = [
            (Some(self.code), Stage::Program),
            (self.tests, Stage::Tests),
        ];
        texts
            .into_iter()
            .find_map(|(text, stage)| Some((refusal(text?, limits)?, stage)))
    }

    /// The number that the last line of the tests reports. It cannot be random, or the same run would not take the
    /// same fuel twice; a program that could compute it would have to know its own tests to the letter.
    pub(crate) fn evidence(&self) -> u64 {
        // The highest bits are set so that the number has the same length in every program.
        self.digest("evidence") | 0xf000_0000_0000_0000
    }

    /// Seed of the random numbers that the program gets from the system.
    pub(crate) fn seed(&self) -> u64 {
        self.digest("random numbers")
    }

    /// The tests with the line that reports their end, or a last line only.
    pub(crate) fn tests_with_evidence(&self, tests: &str) -> String {
        format!("{tests}\n__evalh_finished__([{:#x}])\n", self.evidence())
    }

    fn digest(&self, purpose: &str) -> u64 {
        let tests = self.tests.unwrap_or_default();
        let text = format!("{purpose}\0{}\0{}\0{tests}", self.code.len(), self.code);
        let digest = sha256_bytes(text.as_bytes());
        digest.as_str()[..16]
            .bytes()
            .filter_map(|digit| char::from(digit).to_digit(16))
            .fold(0, |number, digit| (number << 4) | u64::from(digit))
    }
}

fn refusal(text: &str, limits: &Limits) -> Option<Outcome> {
    let (class, message) = if text.len() > limits.source_bytes {
        (
            "SourceTooLong",
            format!(
                "{} bytes, at most {} are run",
                text.len(),
                limits.source_bytes
            ),
        )
    } else if text.contains('\0') {
        (
            "SyntaxError",
            "source code string cannot contain null bytes".to_owned(),
        )
    } else {
        return None;
    };
    Some(Outcome::Error {
        class: class.to_owned(),
        message,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_follow_from_the_texts() {
        let a = Program::tested("x = 1", "assert x");
        assert_eq!(a.evidence(), a.evidence());
        assert_ne!(
            a.evidence(),
            Program::tested("x = 1", "assert x ").evidence()
        );
        assert_ne!(a.seed(), Program::tested("x = 2", "assert x").seed());
        assert_ne!(a.seed(), a.evidence());
        assert_eq!(format!("{:#x}", a.evidence()).len(), 18);
    }

    #[test]
    fn effort_multiplies_work_and_time() {
        let limits = Limits::default();
        assert_eq!(Program::script("x").limits(&limits), limits);
        let more = Program::script("x").with_effort(3).limits(&limits);
        assert_eq!(
            (more.fuel, more.wall_ms),
            (3 * limits.fuel, 3 * limits.wall_ms)
        );
        assert_eq!(
            Limits {
                fuel: limits.fuel,
                wall_ms: limits.wall_ms,
                ..more
            },
            limits
        );
    }

    #[test]
    fn texts_that_python_never_sees() {
        let limits = Limits {
            source_bytes: 4,
            ..Limits::default()
        };
        assert_eq!(Program::script("pass").refused(&limits), None);
        let (outcome, stage) = Program::tested("pass", "pass ").refused(&limits).unwrap();
        assert_eq!((outcome.kind(), stage), ("error", Stage::Tests));
        let (outcome, stage) = Program::script("\0").refused(&limits).unwrap();
        assert_eq!(
            (outcome.to_string().as_str(), stage),
            (
                "error: SyntaxError: source code string cannot contain null bytes",
                Stage::Program
            )
        );
    }
}
