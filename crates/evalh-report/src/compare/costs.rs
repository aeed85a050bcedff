//! What variants cost.

use serde::Serialize;

/// What one variant costs. `None` where it was not measured.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Costs {
    /// The variant.
    pub variant: usize,
    /// Prompt tokens read in a second of forward passes.
    pub prefill_tokens_per_second: Option<f64>,
    /// Generated tokens in a second of forward passes.
    pub decode_tokens_per_second: Option<f64>,
    /// CPU seconds that answering took, this variant's part.
    pub cpu_seconds: Option<f64>,
    /// Tokens of recorded answers in a CPU second.
    pub kept_tokens_per_cpu_second: Option<f64>,
    /// Highest resident memory, in bytes, of all variants that were answered beside it.
    pub peak_memory_bytes: Option<u64>,
    /// How many variants were answered beside it, itself counted: those share time and memory.
    pub beside: usize,
    /// Bytes of the base's weights in memory.
    pub weight_bytes: Option<u64>,
    /// Measured apart by `evalh bench`, where its file was given.
    pub bench: Option<BenchCosts>,
}

/// What `evalh bench` measured of a variant.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct BenchCosts {
    /// Median seconds of a request.
    pub latency_p50_seconds: Option<f64>,
    /// 95th percentile.
    pub latency_p95_seconds: Option<f64>,
    /// Time of a decode step with the adapter merged, over the base's.
    pub merged_ratio: Option<Ratio>,
    /// With the adapter unmerged, over the base's.
    pub unmerged_ratio: Option<Ratio>,
    /// Energy of a request, in joules.
    pub joules_per_request: Option<f64>,
}

/// A ratio with its interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Ratio {
    /// The median.
    pub value: f64,
    /// Lower end of its 95 % interval, where there were repetitions enough.
    pub low: Option<f64>,
    /// Upper end.
    pub high: Option<f64>,
}
