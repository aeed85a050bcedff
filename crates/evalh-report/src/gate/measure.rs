//! What a limit can be set on.

use serde::{Deserialize, Serialize};

/// What a limit can be set on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// Prompt tokens read in a second.
    PrefillRate,
    /// Tokens written in a second.
    DecodeRate,
    /// The first over the base's.
    PrefillOfBase,
    /// The second over the base's.
    DecodeOfBase,
    /// Highest resident memory, in MiB.
    PeakMemory,
    /// Median seconds of a request, by `evalh bench`.
    LatencyP50,
    /// 95th percentile of the seconds of a request, by `evalh bench`.
    LatencyP95,
    /// Share of programs that ran into the sandbox's limit of time.
    TimedOut,
    /// Share of programs that took the interpreter down or ran out of memory.
    Crashed,
    /// Share of answers that are missing or empty.
    Unanswered,
    /// Share of generated answers that ended at the limit of tokens.
    TokenLimited,
    /// Share of prompts that lost their beginning.
    TruncatedPrompts,
}

/// What a measure is taken over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    /// A variant's answers to one suite.
    Suite,
    /// A variant's work on all suites.
    Variant,
    /// A measurement of the checkpoint apart from the run.
    Bench,
}

impl Measure {
    /// All, in the order in which they are judged.
    pub const ALL: [Measure; 12] = [
        Measure::PrefillRate,
        Measure::DecodeRate,
        Measure::PrefillOfBase,
        Measure::DecodeOfBase,
        Measure::PeakMemory,
        Measure::LatencyP50,
        Measure::LatencyP95,
        Measure::TimedOut,
        Measure::Crashed,
        Measure::Unanswered,
        Measure::TokenLimited,
        Measure::TruncatedPrompts,
    ];

    /// Its field in a policy.
    pub fn field(self) -> &'static str {
        match self {
            Measure::PrefillRate => "min_prefill_tokens_per_second",
            Measure::DecodeRate => "min_decode_tokens_per_second",
            Measure::PrefillOfBase => "min_prefill_of_base",
            Measure::DecodeOfBase => "min_decode_of_base",
            Measure::PeakMemory => "max_peak_memory_mib",
            Measure::LatencyP50 => "max_latency_p50_seconds",
            Measure::LatencyP95 => "max_latency_p95_seconds",
            Measure::TimedOut => "max_timed_out",
            Measure::Crashed => "max_crashed",
            Measure::Unanswered => "max_unanswered",
            Measure::TokenLimited => "max_token_limited",
            Measure::TruncatedPrompts => "max_truncated_prompts",
        }
    }

    /// What it is called in reports.
    pub fn name(self) -> &'static str {
        match self {
            Measure::PrefillRate => "prefill tokens/s",
            Measure::DecodeRate => "decode tokens/s",
            Measure::PrefillOfBase => "prefill speed of the base's",
            Measure::DecodeOfBase => "decode speed of the base's",
            Measure::PeakMemory => "peak memory",
            Measure::LatencyP50 => "p50 latency",
            Measure::LatencyP95 => "p95 latency",
            Measure::TimedOut => "programs timed out",
            Measure::Crashed => "programs crashed",
            Measure::Unanswered => "answers missing or empty",
            Measure::TokenLimited => "answers cut at the token limit",
            Measure::TruncatedPrompts => "prompts cut",
        }
    }

    /// Whether the limit is the least that is allowed, not the most.
    pub(super) fn is_minimum(self) -> bool {
        matches!(
            self,
            Measure::PrefillRate
                | Measure::DecodeRate
                | Measure::PrefillOfBase
                | Measure::DecodeOfBase
        )
    }

    /// Whether its values lie between 0 and 1.
    pub(super) fn is_share(self) -> bool {
        self.scope() == Scope::Suite
    }

    pub(super) fn scope(self) -> Scope {
        match self {
            Measure::PrefillRate
            | Measure::DecodeRate
            | Measure::PrefillOfBase
            | Measure::DecodeOfBase
            | Measure::PeakMemory => Scope::Variant,
            Measure::LatencyP50 | Measure::LatencyP95 => Scope::Bench,
            Measure::TimedOut
            | Measure::Crashed
            | Measure::Unanswered
            | Measure::TokenLimited
            | Measure::TruncatedPrompts => Scope::Suite,
        }
    }

    /// A value with its unit.
    pub(super) fn show(self, value: f64) -> String {
        match self {
            Measure::PrefillRate | Measure::DecodeRate if value < 100.0 => format!("{value:.1}"),
            Measure::PrefillRate | Measure::DecodeRate => format!("{value:.0}"),
            Measure::PeakMemory => format!("{value:.0} MiB"),
            Measure::LatencyP50 | Measure::LatencyP95 => format!("{value:.3} s"),
            _ => format!("{} %", crate::number::percent(value)),
        }
    }
}
