//! What a measurement found.

use super::{
    clock::{Latency, Spread},
    noise::Noise,
    plan::Plan,
};
use crate::energy::EnergySource;
use serde::Serialize;

/// Everything that a measurement found; `bench.json`.
#[derive(Debug, Serialize)]
pub struct Found {
    /// What was measured, and where.
    pub subject: Subject,
    /// How much of it.
    pub plan: Plan,
    /// Loading.
    pub load: Load,
    /// Reading prompts.
    pub prefill: Vec<Prefill>,
    /// Writing tokens.
    pub decode: Vec<Decode>,
    /// Whole requests.
    pub requests: Option<Requests>,
    /// Adapters beside the base.
    pub adapters: Vec<AdapterCost>,
    /// The highest resident memory while measuring, in bytes. `None` where the system cannot tell.
    pub peak_memory_bytes: Option<u64>,
    /// Where joules come from, or why there are none.
    pub energy: EnergySource,
    /// What else the machine did.
    pub noise: Noise,
    /// What makes figures doubtful, and the remedies.
    pub warnings: Vec<Warning>,
}

/// What was measured, and where.
#[derive(Debug, Serialize)]
pub struct Subject {
    /// The version of evalh.
    pub evalh: String,
    /// The checkpoint's name.
    pub model: String,
    /// The processor and its threads.
    pub machine: String,
    /// Threads that computed.
    pub threads: usize,
    /// The device.
    pub device: String,
    /// The primitives at work.
    pub kernel: String,
    /// The arithmetic asked for.
    pub precision: String,
    /// What the weights were rounded to.
    pub quantize: Option<String>,
}

/// Loading.
#[derive(Debug, Serialize)]
pub struct Load {
    /// Seconds from opening the files to a model ready to run.
    pub seconds: f64,
    /// CPU seconds of it.
    pub cpu_seconds: f64,
    /// Parameters of the base.
    pub parameters: usize,
    /// Bytes of its weights as they are held.
    pub bytes: usize,
    /// The number types in which they are held.
    pub dtype: String,
    /// The highest resident memory while loading, in bytes.
    pub peak_memory_bytes: Option<u64>,
}

/// Reading a prompt.
#[derive(Debug, Serialize)]
pub struct Prefill {
    /// Its tokens.
    pub tokens: usize,
    /// Seconds until the logits behind its last token are there.
    pub seconds: Spread,
    /// CPU seconds.
    pub cpu_seconds: Spread,
    /// Tokens read a second, at the median.
    pub tokens_per_second: f64,
    /// Joules a token, where the machine tells.
    pub joules_per_token: Option<f64>,
}

/// Writing tokens to several sequences at once.
#[derive(Debug, Serialize)]
pub struct Decode {
    /// Sequences.
    pub batch: usize,
    /// Tokens that each holds before.
    pub context: usize,
    /// Tokens that are written to each in a repetition.
    pub new_tokens: usize,
    /// Seconds a step, which writes a token to each sequence.
    pub seconds: Spread,
    /// CPU seconds a step.
    pub cpu_seconds: Spread,
    /// Tokens written a second, of all sequences, at the median.
    pub tokens_per_second: f64,
    /// Joules a token, where the machine tells.
    pub joules_per_token: Option<f64>,
}

/// Requests one after the other.
#[derive(Debug, Serialize)]
pub struct Requests {
    /// How many.
    pub count: usize,
    /// Tokens of a prompt.
    pub prompt_tokens: usize,
    /// Tokens of an answer.
    pub new_tokens: usize,
    /// Seconds to the first token.
    pub first_token: Latency,
    /// Seconds to the last token.
    pub whole: Latency,
    /// CPU seconds to the last token.
    pub cpu_seconds: Latency,
    /// Joules a request, where the machine tells.
    pub joules_per_request: Option<f64>,
}

/// A token with an adapter.
#[derive(Debug, Serialize)]
pub struct AdapterCost {
    /// The adapter.
    pub adapter: String,
    /// Merged or unmerged.
    pub how: String,
    /// Seconds a token with it.
    pub seconds: Spread,
    /// CPU seconds a token with it.
    pub cpu_seconds: Spread,
    /// Seconds a token of the base, in the same rounds.
    pub base_seconds: Spread,
    /// The ratio of the two, round by round.
    pub ratio: Spread,
    /// The same of CPU seconds, for machines that are not idle.
    pub cpu_ratio: Spread,
}

/// What makes figures doubtful.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Warning {
    /// What is the matter.
    pub what: String,
    /// What to do.
    pub remedy: String,
}
