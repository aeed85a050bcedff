//! What became of a program.

use crate::Suspicion;
use evalh_record::Outcome;
use serde::{Deserialize, Serialize};
use std::time::Duration;

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
