//! Flags of runs.

use super::{
    Apply, Kernel, NamedAdapter, NamedPath, Names, OutputFlags, PerSuite, Precision, Quantize, Size,
};
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
    /// Suites or packs of suites, by name or as a TOML file, separated by commas
    #[arg(
        long,
        value_name = "SUITE|PACK|FILE",
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
    /// How adapters are put on the base [default: unmerged; merged for encoders]
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
        "suite", "model", "adapter", "variant", "quantize", "apply", "protocol", "tasks", "limit", "draw", "draw_seed", "shots",
        "shot_seed", "chat", "system", "shots_as_turns", "samples", "temperature", "top_p", "seed", "max_new_tokens", "window", "stride", "data", "device", "kernel", "precision", "runtime", "out",
    ])]
    pub resume: Option<PathBuf>,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub output: OutputFlags,
}

/// What is asked of the model. All of it can change a score.
///
/// Every value may name the suite that it is for; one that names none is for every suite on which it has an effect.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Question")]
pub struct QuestionFlags {
    /// How items are put, for the suites that have this protocol [default: the suite's, see `evalh list suites`]
    #[arg(long, value_name = "[SUITE=]NAME")]
    pub protocol: Vec<PerSuite<String>>,
    /// Only these tasks or groups of a suite, separated by commas
    #[arg(long, visible_alias = "subjects", value_name = "[SUITE=]TASK,...")]
    pub tasks: Vec<PerSuite<Names>>,
    /// Only the first N items of each task
    #[arg(long, value_name = "[SUITE=]N")]
    pub limit: Vec<PerSuite<NonZeroUsize>>,
    /// Only N items, drawn over all tasks
    #[arg(long, value_name = "[SUITE=]N")]
    pub draw: Vec<PerSuite<NonZeroUsize>>,
    /// Seed of --draw [default: 1234]
    #[arg(long, value_name = "[SUITE=]N", requires = "draw")]
    pub draw_seed: Vec<PerSuite<u64>>,
    /// Solved examples before each item [default: the protocol's]
    #[arg(long, value_name = "[SUITE=]N")]
    pub shots: Vec<PerSuite<usize>>,
    /// Seed with which they are drawn [default: 1234]
    #[arg(long, value_name = "[SUITE=]N")]
    pub shot_seed: Vec<PerSuite<u64>>,
    /// Put items as chats, with the checkpoint's chat template
    #[arg(long)]
    pub chat: bool,
    /// A system prompt; needs --chat
    #[arg(long, value_name = "TEXT", requires = "chat")]
    pub system: Option<String>,
    /// Put solved examples as earlier turns; needs --chat
    #[arg(long, requires = "chat")]
    pub shots_as_turns: bool,
    /// Answers an item, for pass@k; needs --temperature above 0 [default: 1]
    #[arg(long, value_name = "[SUITE=]K")]
    pub samples: Vec<PerSuite<NonZeroUsize>>,
    /// 0 takes the most likely token [default: 0]
    #[arg(long, value_name = "T")]
    pub temperature: Option<f64>,
    /// Draw from the most likely tokens of this total probability [default: 0.95]
    #[arg(long, value_name = "P")]
    pub top_p: Option<f64>,
    /// Seed of the draws of tokens [default: 0]
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Most tokens of an answer [default: the protocol's]
    #[arg(long, value_name = "[SUITE=]N")]
    pub max_new_tokens: Vec<PerSuite<NonZeroUsize>>,
    /// Tokens of a text that are read at once, where its loss is taken [default: the model's positions]
    #[arg(long, value_name = "[SUITE=]N")]
    pub window: Vec<PerSuite<NonZeroUsize>>,
    /// Tokens by which that window moves [default: whole windows]
    #[arg(long, value_name = "[SUITE=]N")]
    pub stride: Vec<PerSuite<NonZeroUsize>>,
    /// A suite's data, in place of what is fetched: a file, a folder in upstream's layout, or a folder of such folders
    #[arg(long, value_name = "[SUITE=]PATH")]
    pub data: Vec<PerSuite<PathBuf>>,
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
    /// Arithmetic of products with weights [default: auto]
    #[arg(long, value_name = "TYPE")]
    pub precision: Option<Precision>,
    /// Threads [default: all]
    #[arg(long, value_name = "N")]
    pub threads: Option<NonZeroUsize>,
    /// Memory for cached keys and values, such as 2GiB [default: half of what is free]
    #[arg(long, value_name = "SIZE")]
    pub memory: Option<Size>,
    /// Most answers in progress at once [default: by memory]
    #[arg(long, value_name = "N")]
    pub batch: Option<NonZeroUsize>,
    /// Answer for one variant after another, so that each has times of its own
    #[arg(long)]
    pub one_by_one: bool,
    /// Let no variant's answer draft for another's
    #[arg(long)]
    pub no_drafts: bool,
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
