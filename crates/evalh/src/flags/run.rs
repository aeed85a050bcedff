//! Flags of runs.

use super::{Apply, Kernel, NamedAdapter, NamedPath, OutputFlags, Protocol, Quantize, Size};
use clap::Args;
use evalh_model::DeviceChoice;
use std::{num::NonZeroUsize, path::PathBuf};

/// `evalh run`.
#[derive(Debug, Args)]
#[command(
    after_help = "Without --model and --adapter the run compares SmolLM2-135M-Instruct with two small adapters \
                        that are part of evalh.\n\nExit codes: 0 done, 2 bad usage or input, 4 run incomplete (go on \
                        with --resume)."
)]
pub struct RunFlags {
    /// Suites to run, separated by commas
    #[arg(
        long,
        value_name = "SUITE",
        value_delimiter = ',',
        required_unless_present = "resume"
    )]
    pub suite: Vec<String>,
    /// Checkpoint: a name (see `evalh list models`), a Hugging Face folder or a GGUF file
    #[arg(long, value_name = "NAME|PATH")]
    pub model: Option<String>,
    /// A PEFT LoRA folder to compare with the base, or a weighted sum of such; repeatable
    #[arg(long, value_name = "NAME=PATH|NAME=A:0.7+B:0.3")]
    pub adapter: Vec<NamedAdapter>,
    /// A fully fine-tuned checkpoint to compare with the base; repeatable
    #[arg(long, value_name = "NAME=PATH")]
    pub variant: Vec<NamedPath>,
    /// Round the weights of linears at load, as bitsandbytes does for QLoRA
    #[arg(long, value_name = "TYPE")]
    pub quantize: Option<Quantize>,
    /// How adapters are put on the base [default: merged]
    #[arg(long, value_name = "HOW")]
    pub apply: Option<Apply>,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub question: QuestionFlags,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub machine: MachineFlags,

    /// Run folder to make [default: runs/SUITE-N]
    #[arg(long, value_name = "DIR", help_heading = "Record")]
    pub out: Option<PathBuf>,
    /// Go on with an interrupted run, with the settings it was begun with
    #[arg(long, value_name = "DIR", help_heading = "Record", conflicts_with_all = [
        "suite", "model", "adapter", "variant", "quantize", "apply", "protocol", "limit", "samples", "temperature", "top_p", "seed",
        "max_new_tokens", "data", "device", "kernel", "runtime", "out",
    ])]
    pub resume: Option<PathBuf>,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub output: OutputFlags,
}

/// What is asked of the model. All of it can change a score.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Question")]
pub struct QuestionFlags {
    /// How an item is put to the model [default: chat where the checkpoint has a chat template, else completion]
    #[arg(long)]
    pub protocol: Option<Protocol>,
    /// Only the first N items of each suite
    #[arg(long, value_name = "N")]
    pub limit: Option<NonZeroUsize>,
    /// Answers an item, for pass@k; needs --temperature above 0 [default: 1]
    #[arg(long, value_name = "K")]
    pub samples: Option<NonZeroUsize>,
    /// 0 takes the most likely token [default: 0]
    #[arg(long, value_name = "T")]
    pub temperature: Option<f64>,
    /// Draw from the most likely tokens of this total probability [default: 0.95]
    #[arg(long, value_name = "P")]
    pub top_p: Option<f64>,
    /// Seed of the draws [default: 0]
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Most tokens of an answer [default: the protocol's]
    #[arg(long, value_name = "N")]
    pub max_new_tokens: Option<NonZeroUsize>,
    /// The suite's data file, in place of the one that is fetched
    #[arg(long, value_name = "PATH")]
    pub data: Option<PathBuf>,
}

/// What computes.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Machine")]
pub struct MachineFlags {
    /// Device: cpu, wgpu[:N] or cuda[:N] [default: cpu]
    #[arg(long, value_name = "DEVICE")]
    pub device: Option<DeviceChoice>,
    /// Kernels: auto takes the fastest for the device [default: auto]
    #[arg(long)]
    pub kernel: Option<Kernel>,
    /// Threads [default: all]
    #[arg(long, value_name = "N")]
    pub threads: Option<NonZeroUsize>,
    /// Memory for cached keys and values, such as 2GiB [default: half of what is free]
    #[arg(long, value_name = "SIZE")]
    pub memory: Option<Size>,
    /// Most answers in progress at once [default: by memory]
    #[arg(long, value_name = "N")]
    pub batch: Option<NonZeroUsize>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub sandbox: SandboxFlags,
}

/// Where the sandbox's Python comes from.
#[derive(Debug, Clone, Default, Args)]
pub struct SandboxFlags {
    /// Python runtime of the sandbox, in place of the one that is prepared
    #[arg(long, value_name = "FILE.wasm")]
    pub runtime: Option<PathBuf>,
    /// Use only what is on this machine
    #[arg(long)]
    pub offline: bool,
}
