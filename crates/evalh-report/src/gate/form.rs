//! A policy as it is written.

use super::{Measure, Test, WhenInconclusive};
use serde::Deserialize;
use toml::Spanned;

/// A policy file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PolicyForm {
    pub schema: Option<u32>,
    pub confidence: Option<f64>,
    pub inconclusive: Option<WhenInconclusive>,
    #[serde(default, rename = "rule")]
    pub rules: Vec<Spanned<RuleForm>>,
    #[serde(default, rename = "limit")]
    pub limits: Vec<Spanned<LimitForm>>,
}

/// `[[rule]]`: a score and what it is held against.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RuleForm {
    pub name: Option<String>,
    pub suite: String,
    pub part: Option<String>,
    pub variant: Option<String>,
    pub metric: Option<String>,
    pub against: Option<AgainstForm>,
    pub baseline_variant: Option<String>,
    pub margin: Option<f64>,
    pub min: Option<f64>,
    pub max: Option<f64>,
    pub test: Option<Test>,
    pub confidence: Option<f64>,
}

/// What a score is compared with, item by item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum AgainstForm {
    Base,
    Baseline,
}

/// `[[limit]]`: what a run may cost, and how many answers it may lose.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LimitForm {
    pub name: Option<String>,
    pub suite: Option<String>,
    pub variant: Option<String>,
    pub min_prefill_tokens_per_second: Option<f64>,
    pub min_decode_tokens_per_second: Option<f64>,
    pub min_prefill_of_base: Option<f64>,
    pub min_decode_of_base: Option<f64>,
    pub max_peak_memory_mib: Option<f64>,
    pub max_latency_p50_seconds: Option<f64>,
    pub max_latency_p95_seconds: Option<f64>,
    pub max_timed_out: Option<f64>,
    pub max_crashed: Option<f64>,
    pub max_unanswered: Option<f64>,
    pub max_token_limited: Option<f64>,
    pub max_truncated_prompts: Option<f64>,
}

impl LimitForm {
    /// The limits that are set.
    pub(super) fn set(&self) -> Vec<(Measure, f64)> {
        let value = |measure: Measure| match measure {
            Measure::PrefillRate => self.min_prefill_tokens_per_second,
            Measure::DecodeRate => self.min_decode_tokens_per_second,
            Measure::PrefillOfBase => self.min_prefill_of_base,
            Measure::DecodeOfBase => self.min_decode_of_base,
            Measure::PeakMemory => self.max_peak_memory_mib,
            Measure::LatencyP50 => self.max_latency_p50_seconds,
            Measure::LatencyP95 => self.max_latency_p95_seconds,
            Measure::TimedOut => self.max_timed_out,
            Measure::Crashed => self.max_crashed,
            Measure::Unanswered => self.max_unanswered,
            Measure::TokenLimited => self.max_token_limited,
            Measure::TruncatedPrompts => self.max_truncated_prompts,
        };
        (Measure::ALL.into_iter())
            .filter_map(|measure| Some((measure, value(measure)?)))
            .collect()
    }
}
