//! What came of a policy.

use super::{Measure, Method, Test, Verdict, WhenInconclusive};
use evalh_record::Part;
use serde::Serialize;

/// The version of the JSON of [`GateReport`].
pub const GATE_SCHEMA: u32 = 1;

/// What came of a policy. It is also the JSON of `evalh gate --json`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GateReport {
    /// The format's version, [`GATE_SCHEMA`].
    pub schema: u32,
    /// What came of all rules together.
    pub verdict: Overall,
    /// The policy's file name.
    pub policy: String,
    /// The run's name.
    pub run: String,
    /// The baseline's name, where rules compare with one.
    pub baseline: Option<String>,
    /// Settings in which the baseline differs from the run; empty unless that was allowed.
    pub forced: Vec<ForcedSetting>,
    /// What undecided rules mean for the whole.
    pub when_inconclusive: WhenInconclusive,
    /// How many passed, failed, are inconclusive.
    pub counts: Counts,
    /// Every rule and limit with every variant it names, in the policy's order.
    pub cases: Vec<Case>,
}

/// What came of all rules together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Overall {
    /// Nothing failed, and nothing that counts is undecided.
    Passed,
    /// A rule or limit failed.
    Failed,
    /// None failed, and one could not be decided.
    Inconclusive,
}

impl Overall {
    /// The exit code of `evalh gate`: 0, 1 or 3.
    pub fn exit_code(self) -> u8 {
        match self {
            Overall::Passed => 0,
            Overall::Failed => 1,
            Overall::Inconclusive => 3,
        }
    }
}

/// A setting in which the baseline differs from the run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ForcedSetting {
    /// The setting.
    pub field: String,
    /// Its value in the baseline.
    pub baseline: String,
    /// Its value in the run.
    pub run: String,
}

/// How many cases came out how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Cases that passed.
    pub passed: usize,
    /// Cases that failed.
    pub failed: usize,
    /// Cases that could not be decided.
    pub inconclusive: usize,
}

/// A rule or limit, judged for one variant.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Case {
    /// The rule's name.
    pub name: String,
    /// Its line in the policy.
    pub line: usize,
    /// The suite, where it is about one.
    pub suite: Option<String>,
    /// The part of the suite: its name and what it is, where it is about a score.
    pub part: Option<(Part, String)>,
    /// The variant, where it is about one.
    pub variant: Option<String>,
    /// What came of it.
    pub verdict: Verdict,
    /// What was asked, in words.
    pub asked: String,
    /// What was found, in words.
    pub found: String,
    /// Items that would decide it, where it is inconclusive and that can be told.
    pub items_needed: Option<u64>,
    /// What a reader should know beside the verdict.
    pub notes: Vec<String>,
    /// The numbers.
    pub figures: Figures,
}

/// The numbers of a case.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Figures {
    /// A score held against another over the same items. Differences are `value - reference`, in the metric's unit.
    Comparison {
        /// The metric.
        metric: String,
        /// Whether a lower value is better.
        lower_is_better: bool,
        /// What it was held against: a variant's name.
        reference: String,
        /// The score.
        value: f64,
        /// The score that it was held against.
        reference_value: f64,
        /// Their difference.
        difference: f64,
        /// Lower one-sided bound of the difference.
        low: Option<f64>,
        /// Upper one-sided bound of the difference.
        high: Option<f64>,
        /// How the bounds were computed.
        method: Method,
        /// Items that both answered.
        items: usize,
        /// Items on which the variant is better, where the metric has a score an item.
        gained: Option<usize>,
        /// Items on which it is worse.
        lost: Option<usize>,
        /// The margin.
        margin: f64,
        /// The test.
        test: Test,
        /// Its p-value, where it has one.
        p: Option<f64>,
        /// The confidence of each bound.
        confidence: f64,
    },
    /// A score held against a number.
    Bound {
        /// The metric.
        metric: String,
        /// The score.
        value: f64,
        /// Lower one-sided bound.
        low: Option<f64>,
        /// Upper one-sided bound.
        high: Option<f64>,
        /// How the bounds were computed.
        method: Method,
        /// Items.
        items: usize,
        /// The least that is allowed.
        min: Option<f64>,
        /// The most that is allowed.
        max: Option<f64>,
        /// The confidence of each bound.
        confidence: f64,
    },
    /// A measure held against its limit.
    Limit {
        /// The measure.
        measure: Measure,
        /// Its value.
        value: f64,
        /// The limit.
        limit: f64,
        /// For a share what was counted, and of how many.
        counted: Option<(usize, usize)>,
    },
}
