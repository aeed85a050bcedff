//! Flags of `evalh bench`.

use super::{Kernel, NamedPath, OutputFlags, Precision, Quantize};
use clap::{Args, ValueEnum};
use evalh_model::DeviceChoice;
use std::{fmt, num::NonZeroUsize, path::PathBuf};

/// A part of the measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Part {
    /// Reading a prompt, at several lengths
    Prefill,
    /// Writing a token, at several batch sizes
    Decode,
    /// Whole requests one after the other: time to the first token and to the last
    Requests,
    /// A token with each adapter, merged and unmerged, beside one of the base
    Adapters,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_possible_value()
            .map_or(Ok(()), |value| f.write_str(value.get_name()))
    }
}

/// `evalh bench`.
#[derive(Debug, Args)]
#[command(
    after_help = "Tokens are pseudo-random. Times are medians with 95 % intervals of the median. Measure on an idle \
                  machine: what disturbs is told, with the remedy."
)]
pub struct BenchFlags {
    /// Checkpoint: a name (see `evalh list models`), a Hugging Face folder or a GGUF file [default: smollm2-135m-instruct]
    #[arg(long, value_name = "NAME|PATH")]
    pub model: Option<String>,
    /// A PEFT LoRA folder whose cost is measured, merged and unmerged; repeatable
    #[arg(long, value_name = "NAME=PATH")]
    pub adapter: Vec<NamedPath>,
    /// Round the weights of linears at load, as bitsandbytes does for QLoRA
    #[arg(long, value_name = "TYPE")]
    pub quantize: Option<Quantize>,

    /// Only these parts, separated by commas [default: all, adapters where there are any]
    #[arg(
        long,
        value_name = "PART,...",
        value_delimiter = ',',
        help_heading = "Work"
    )]
    pub only: Vec<Part>,
    /// Prompt lengths, separated by commas [default: 64,512,2048 up to the model's positions]
    #[arg(
        long,
        value_name = "N,...",
        value_delimiter = ',',
        help_heading = "Work"
    )]
    pub prompt_tokens: Vec<NonZeroUsize>,
    /// Sequences that are written at once, separated by commas [default: 1,4,16,64 up to half of the free memory]
    #[arg(
        long,
        value_name = "N,...",
        value_delimiter = ',',
        help_heading = "Work"
    )]
    pub batch: Vec<NonZeroUsize>,
    /// Tokens that a sequence holds before it is written to; also a request's prompt [default: 128]
    #[arg(long, value_name = "N", help_heading = "Work")]
    pub context: Option<NonZeroUsize>,
    /// Tokens that are written to each sequence [default: 32]
    #[arg(long, value_name = "N", help_heading = "Work")]
    pub new_tokens: Option<NonZeroUsize>,
    /// Counted repetitions of prefill and decode [default: 7]
    #[arg(long, value_name = "N", help_heading = "Work")]
    pub repetitions: Option<NonZeroUsize>,
    /// Requests [default: 20]
    #[arg(long, value_name = "N", help_heading = "Work")]
    pub requests: Option<NonZeroUsize>,
    /// Rounds in which base and adapters are compared [default: 15]
    #[arg(long, value_name = "N", help_heading = "Work")]
    pub rounds: Option<NonZeroUsize>,
    /// Seed of the tokens
    #[arg(long, value_name = "N", default_value_t = 0, help_heading = "Work")]
    pub seed: u64,

    /// Device: cpu, wgpu[:N] or cuda[:N]
    #[arg(long, value_name = "DEVICE", default_value_t = DeviceChoice::Cpu, help_heading = "Machine")]
    pub device: DeviceChoice,
    /// Kernels: auto takes the fastest for the device
    #[arg(long, default_value_t = Kernel::Auto, help_heading = "Machine")]
    pub kernel: Kernel,
    /// Arithmetic of products with weights
    #[arg(long, value_name = "TYPE", default_value_t = Precision::Auto, help_heading = "Machine")]
    pub precision: Precision,
    /// Threads [default: all]
    #[arg(long, value_name = "N", help_heading = "Machine")]
    pub threads: Option<NonZeroUsize>,
    /// Use only what is on this machine
    #[arg(long, help_heading = "Machine")]
    pub offline: bool,

    /// Folder to make, with bench.json and bench.md
    #[arg(long, value_name = "DIR", help_heading = "Record")]
    pub out: Option<PathBuf>,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub output: OutputFlags,
}
