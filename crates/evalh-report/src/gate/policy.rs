//! What a gate asks of a run.

use super::Measure;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// What a gate asks of a run: `gate.toml`.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// The file.
    pub path: PathBuf,
    /// What an undecided rule means for the whole.
    pub inconclusive: WhenInconclusive,
    /// What is asked of scores.
    pub rules: Vec<Rule>,
    /// What is asked of speed, memory and lost answers.
    pub limits: Vec<Limit>,
}

/// What undecided rules mean for the whole, where none failed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WhenInconclusive {
    /// The whole is inconclusive.
    #[default]
    Report,
    /// The whole passes.
    Pass,
    /// The whole fails.
    Fail,
}

/// What is asked of a score.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Its line in the file.
    pub line: usize,
    /// Its name, given or made of what it asks.
    pub name: String,
    /// The suite.
    pub suite: String,
    /// A group or task of it; the whole where there is none.
    pub part: Option<String>,
    /// The variants: a name, `*` for all but bases, or a role.
    pub variant: String,
    /// The metric; the headline where there is none.
    pub metric: Option<String>,
    /// What is asked.
    pub check: Check,
    /// The confidence of the verdict.
    pub confidence: f64,
}

/// What is asked of a score.
#[derive(Debug, Clone, PartialEq)]
pub enum Check {
    /// A comparison over the same items.
    Against {
        /// With what.
        reference: Reference,
        /// How much worse is allowed, or how much better is asked, in the metric's unit.
        margin: f64,
        /// How it is decided.
        test: Test,
    },
    /// A bound of the value.
    Bound {
        /// The bound.
        bound: Bound,
        /// Whether the value's interval decides; else the value alone.
        by_interval: bool,
    },
}

/// What a score is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reference {
    /// The base of the same run.
    Base,
    /// A variant of the baseline: the one of this name, or of the same name where there is none.
    Baseline(Option<String>),
}

/// A bound of a value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Bound {
    /// At least so much.
    Min(f64),
    /// At most so much.
    Max(f64),
}

/// How a comparison is decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Test {
    /// Passes where "worse by the margin or more" is rejected.
    NonInferiority,
    /// Passes where "no better than by the margin" is rejected.
    Superiority,
    /// Passes where both "worse by the margin or more" and "better by the margin or more" are rejected.
    Equivalence,
    /// The difference as it was seen decides.
    None,
}

/// What is asked of speed, memory, or lost answers.
#[derive(Debug, Clone, PartialEq)]
pub struct Limit {
    /// Its line in the file.
    pub line: usize,
    /// Its name, where one is given.
    pub name: Option<String>,
    /// The suite; every suite that it applies to where there is none.
    pub suite: Option<String>,
    /// The variants, as in [`Rule::variant`].
    pub variant: String,
    /// What is limited.
    pub measure: Measure,
    /// The least or the most that is allowed.
    pub value: f64,
}
