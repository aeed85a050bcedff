//! Scores and their differences.

use serde::Serialize;

/// A variant's value of a metric.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Scored {
    /// The place of the variant in [`Comparison::variants`](super::Comparison::variants).
    pub variant: usize,
    /// The value.
    pub value: f64,
    /// Its standard error, where it can be told.
    pub stderr: Option<f64>,
    /// An interval of the analysis's confidence: Wilson's for a rate of right answers, else the bootstrap's (`BCa`).
    pub interval: Option<Range>,
    /// Items that it rests on.
    pub n: usize,
    /// Whether it is no better than guessing: the interval reaches down to what guessing gives.
    pub is_chance: bool,
}

/// An interval of values.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Range {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// What a contrast sets against what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Against {
    /// A variant minus its base.
    Base,
    /// The selective adapter minus the standard one of the same model: in forgetting, the *extra*.
    Standard,
}

/// The difference of two variants on the same items, `variant - other`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Contrast {
    /// The variant.
    pub variant: usize,
    /// What it is set against.
    pub other: usize,
    /// What that is.
    pub against: Against,
    /// The difference of the metric's values, `variant - other`.
    pub value: f64,
    /// Its standard error over paired items, where it can be told.
    pub stderr: Option<f64>,
    /// Its interval: Tango's score interval where every item is right or wrong, else by the paired bootstrap, bias-corrected
    /// and accelerated (percentile where that is not defined).
    pub interval: Option<Range>,
    /// The same with whole tasks drawn anew, where the suite has five tasks or more: items of one subject are not independent.
    pub clustered: Option<Range>,
    /// P-value of the test named by `test`.
    pub p: Option<f64>,
    /// The p-value corrected (Holm) for all contrasts of headline metrics of the comparison; `None` for other metrics.
    pub p_holm: Option<f64>,
    /// The test.
    pub test: Option<Test>,
    /// Items that both answered.
    pub items: usize,
    /// Items on which the variant is better.
    pub won: usize,
    /// Items on which it is worse.
    pub lost: usize,
    /// Items that both answered alike, word for word.
    pub same_answers: usize,
    /// The smallest difference that this many items show with the analysis's power, given how much items differ here.
    pub detectable: Option<f64>,
    /// Items that would show the difference seen with the analysis's power; `None` where it is zero or cannot be told.
    pub items_needed: Option<u64>,
    /// What follows.
    pub finding: Finding,
}

/// A test of a paired difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Test {
    /// Exact `McNemar` test of right and wrong answers.
    Mcnemar,
    /// Student's t of the paired differences of items' scores that are more than right or wrong.
    StudentT,
    /// The difference over its standard error by the bootstrap, as a normal variable: for metrics that are no means over
    /// items.
    Bootstrap,
}

/// What follows from a contrast.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Finding {
    /// Better, beyond chance after correction.
    Better,
    /// Worse, beyond chance after correction.
    Worse,
    /// The difference may be chance, and one as small as the one seen could not have been shown: no evidence either way.
    Inconclusive,
    /// No item was answered otherwise.
    Identical,
    /// There is no test of it: the metric cannot be computed over drawn items, or all items differ by the same.
    Untested,
}
