//! The command line as it is typed. Every flag is defined here once; `settings` resolves what they mean together.

use clap::{Args, Parser, Subcommand, ValueEnum};
use evalh_adapter::{MixPart, parse_mix};
use evalh_artifact::SourceKind;
use evalh_checkpoint::Quantization;
use evalh_model::{DeviceChoice, KernelChoice};
use serde::{Deserialize, Serialize};
use std::{fmt, num::NonZeroUsize, path::PathBuf, str::FromStr};

/// Evaluate base checkpoints and LoRA adapters over the same items, safely and side by side.
#[derive(Debug, Parser)]
#[command(
    name = "evalh",
    version,
    arg_required_else_help = true,
    max_term_width = 100
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Answer, score and time suites with a checkpoint and its adapters
    Run(Box<RunFlags>),
    /// Score completions that were made elsewhere
    Score(ScoreFlags),
    /// Run one Python program in the sandbox, under the limits that scoring uses
    Exec(ExecFlags),
    /// Fetch a model, suite or runtime into the cache
    Pull(PullFlags),
    /// List models, suites or all artifacts
    List(ListFlags),
    /// Make the report of a finished run again
    Report(ReportFlags),
    /// Look at adapters: what they change, how they relate; merge them
    #[command(subcommand)]
    Adapter(AdapterCommand),
    /// Tell what a checkpoint is
    #[command(subcommand)]
    Model(ModelCommand),
    /// Compare a checkpoint with what transformers and PEFT computed for it
    Verify(VerifyFlags),
}

/// How much is said, and in which form.
#[derive(Debug, Clone, Copy, Default, Args)]
#[command(next_help_heading = "Output")]
pub struct OutputFlags {
    /// No progress: results and errors only
    #[arg(long, short)]
    pub quiet: bool,
    /// Results as JSON on standard output; everything else goes to standard error
    #[arg(long)]
    pub json: bool,
}

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

/// `evalh score`.
#[derive(Debug, Args)]
#[command(
    after_help = "Writes FILE.jsonl_results.jsonl: the samples with `result`, `passed` and `outcome`."
)]
pub struct ScoreFlags {
    /// The suite
    #[arg(long, value_name = "SUITE")]
    pub suite: String,
    /// Completions, a line each: `{"task_id": ..., "completion": ...}`
    #[arg(long, value_name = "FILE.jsonl")]
    pub samples: PathBuf,
    /// Problems of your own, in the format of the suite's data
    #[arg(long, value_name = "FILE.jsonl")]
    pub problems: Option<PathBuf>,
    /// Report pass@k for these k, where every problem has as many samples
    #[arg(long, value_name = "K", value_delimiter = ',', default_values_t = [1, 10, 100])]
    pub k: Vec<usize>,
    /// Threads [default: all]
    #[arg(long, value_name = "N")]
    pub threads: Option<NonZeroUsize>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub sandbox: SandboxFlags,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub output: OutputFlags,
}

/// `evalh exec`.
#[derive(Debug, Args)]
#[command(after_help = "Exit codes: 0 the program passed, 1 it did not, 2 it could not be run.")]
pub struct ExecFlags {
    /// The program
    #[arg(value_name = "FILE.py")]
    pub file: PathBuf,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub sandbox: SandboxFlags,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub output: OutputFlags,
}

/// `evalh pull`.
#[derive(Debug, Args)]
pub struct PullFlags {
    /// A name of `evalh list artifacts`
    pub name: String,
    /// A file or folder that holds the artifact, instead of fetching it
    #[arg(long, value_name = "PATH")]
    pub path: Option<PathBuf>,
    /// Only from this kind of source: hub, package, git or python-tool [default: each in turn]
    #[arg(long, value_name = "SOURCE", conflicts_with = "path")]
    pub from: Option<SourceKind>,
    /// Use only what is on this machine
    #[arg(long)]
    pub offline: bool,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub output: OutputFlags,
}

/// `evalh list`.
#[derive(Debug, Args)]
pub struct ListFlags {
    /// What to list
    pub what: Listing,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

/// `evalh report`.
#[derive(Debug, Args)]
pub struct ReportFlags {
    /// The run folder
    #[arg(value_name = "DIR")]
    pub dir: PathBuf,
    /// Results as JSON on standard output
    #[arg(long)]
    pub json: bool,
}

/// `evalh adapter`.
#[derive(Debug, Subcommand)]
pub enum AdapterCommand {
    /// Layers and modules it adapts, ranks, parameters, norms, effective ranks
    Inspect(AdapterInspectFlags),
    /// Overlap of two adapters' subspaces, cosine of their updates, intruder dimensions
    Compare(AdapterCompareFlags),
    /// Write a model with an adapter merged into it as a plain checkpoint
    Merge(AdapterMergeFlags),
}

/// `evalh adapter inspect`.
#[derive(Debug, Args)]
pub struct AdapterInspectFlags {
    /// A PEFT LoRA folder
    #[arg(value_name = "PATH")]
    pub path: PathBuf,
    /// The model it belongs to, for norms relative to the weights and the share of all parameters
    #[arg(long, value_name = "NAME|PATH")]
    pub model: Option<String>,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

/// `evalh adapter compare`.
#[derive(Debug, Args)]
pub struct AdapterCompareFlags {
    /// A PEFT LoRA folder
    #[arg(value_name = "A")]
    pub first: PathBuf,
    /// Another one for the same model
    #[arg(value_name = "B")]
    pub second: PathBuf,
    /// The model they belong to, for intruder dimensions (decomposes every adapted weight)
    #[arg(long, value_name = "NAME|PATH")]
    pub model: Option<String>,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

/// `evalh adapter merge`.
#[derive(Debug, Args)]
pub struct AdapterMergeFlags {
    /// The model: a Hugging Face folder
    #[arg(long, value_name = "PATH")]
    pub model: String,
    /// A PEFT LoRA folder, or a weighted sum of several
    #[arg(long, value_name = "PATH|PATH:W+PATH:W")]
    pub adapter: String,
    /// The folder to make
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

/// `evalh model`.
#[derive(Debug, Subcommand)]
pub enum ModelCommand {
    /// Family, sizes, memory, tokenizer, chat template and what adapters can attach to
    Inspect(ModelInspectFlags),
}

/// `evalh model inspect`.
#[derive(Debug, Args)]
pub struct ModelInspectFlags {
    /// A name (see `evalh list models`), a Hugging Face folder or a GGUF file
    #[arg(value_name = "NAME|PATH")]
    pub model: String,
    /// Read every weight, and exit with 1 where one is NaN or infinite
    #[arg(long)]
    pub check: bool,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

/// `evalh verify`.
#[derive(Debug, Args)]
#[command(
    after_help = "DIR holds reference.safetensors, as tools/write_reference.py writes it, and the checkpoint with its \
                        adapters.\n\nExit codes: 0 all within the tolerance, 1 not, 2 bad usage or input."
)]
pub struct VerifyFlags {
    /// Folders with a reference
    #[arg(value_name = "DIR", required = true)]
    pub dirs: Vec<PathBuf>,
    /// The checkpoint, where it is not in DIR: a Hugging Face folder or a GGUF file
    #[arg(long, value_name = "PATH")]
    pub model: Option<PathBuf>,
    /// The largest absolute difference that passes
    #[arg(long, value_name = "X", default_value_t = 1e-4)]
    pub tolerance: f32,
    /// Device: cpu, wgpu[:N] or cuda[:N]
    #[arg(long, value_name = "DEVICE", default_value_t = DeviceChoice::Cpu)]
    pub device: DeviceChoice,
    /// Kernels: auto takes the fastest for the device
    #[arg(long, default_value_t = Kernel::Auto)]
    pub kernel: Kernel,
    /// Round the weights of linears at load, to compare with the reference of a quantised checkpoint
    #[arg(long, value_name = "TYPE")]
    pub quantize: Option<Quantize>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub output: OutputFlags,
}

/// What `evalh list` lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Listing {
    /// Checkpoints for --model
    Models,
    /// Suites for --suite
    Suites,
    /// Everything that `evalh pull` can fetch
    Artifacts,
}

/// How an item is put to the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// The prompt as it is (lm-eval's humaneval)
    Completion,
    /// A chat request with the answer begun (lm-eval's `humaneval_instruct`)
    Prefill,
    /// A chat request for the complete answer
    Chat,
}

/// How adapters are put on the base.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Apply {
    /// Added to the weights: the base's speed
    Merged,
    /// Beside the weights
    Unmerged,
}

/// What weights are rounded to at load.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Quantize {
    /// 4 bits in blocks of 64 (bitsandbytes' NF4)
    Nf4,
    /// NF4 with 8-bit scales, as QLoRA has it
    Nf4Double,
    /// 4-bit floating point in blocks of 64
    Fp4,
    /// 8 bits with a scale a row (the weights of LLM.int8)
    Int8,
}

impl Quantize {
    /// The checkpoint's name for it.
    pub fn choice(self) -> Quantization {
        match self {
            Quantize::Nf4 => Quantization::Nf4,
            Quantize::Nf4Double => Quantization::Nf4Double,
            Quantize::Fp4 => Quantization::Fp4,
            Quantize::Int8 => Quantization::Int8,
        }
    }
}

/// Which kernels compute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kernel {
    /// The fastest that the device has
    Auto,
    /// Plain burn operations
    Portable,
}

impl Kernel {
    /// The model's name for it.
    pub fn choice(self) -> KernelChoice {
        match self {
            Kernel::Auto => KernelChoice::Auto,
            Kernel::Portable => KernelChoice::Portable,
        }
    }
}

macro_rules! show_as_flag {
    ($($kind:ty),*) => {$(
        impl fmt::Display for $kind {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.to_possible_value().map_or(Ok(()), |value| f.write_str(value.get_name()))
            }
        }
    )*};
}
show_as_flag!(Protocol, Apply, Kernel, Quantize);

/// `NAME=PATH`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedPath {
    /// The name that the variant gets.
    pub name: String,
    /// The folder.
    pub path: PathBuf,
}

impl FromStr for NamedPath {
    type Err = String;

    fn from_str(text: &str) -> Result<NamedPath, String> {
        match text.split_once('=') {
            Some((name, path)) if !name.is_empty() && !path.is_empty() => Ok(NamedPath {
                name: name.to_owned(),
                path: PathBuf::from(path),
            }),
            _ => Err("expected NAME=PATH, such as tuned=adapters/tuned".to_owned()),
        }
    }
}

/// `NAME=PATH`, or `NAME=A:WEIGHT+B:WEIGHT`.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedAdapter {
    /// The name that the variant gets.
    pub name: String,
    /// What it is.
    pub source: AdapterFlag,
}

/// An adapter as it is named on the command line.
#[derive(Debug, Clone, PartialEq)]
pub enum AdapterFlag {
    /// A folder.
    Folder(PathBuf),
    /// Other adapters by name or folder, with weights.
    Mix(Vec<MixPart>),
}

impl FromStr for NamedAdapter {
    type Err = String;

    fn from_str(text: &str) -> Result<NamedAdapter, String> {
        let NamedPath { name, path } = text.parse()?;
        let rest = path.to_string_lossy();
        let mix = parse_mix(&rest).map_err(|error| error.to_string())?;
        let source = match mix {
            Some(mix) => AdapterFlag::Mix(mix.parts),
            None => AdapterFlag::Folder(path),
        };
        Ok(NamedAdapter { name, source })
    }
}

/// A number of bytes: `800MB`, `2GiB`, `1.5g`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size(pub u64);

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Size, String> {
        let wrong = || format!("`{text}` is not a size; write it like 800MB, 2GiB or 1.5g");
        let lower = text.trim().to_ascii_lowercase();
        let digits = lower
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(lower.len());
        let (number, unit) = lower.split_at(digits);
        let number: f64 = number.parse().map_err(|_| wrong())?;
        let factor: f64 = match unit.trim_start() {
            "" | "b" => 1.0,
            "kb" => 1e3,
            "mb" => 1e6,
            "gb" => 1e9,
            "tb" => 1e12,
            "k" | "kib" => 1024.0,
            "m" | "mib" => 1_048_576.0,
            "g" | "gib" => 1_073_741_824.0,
            "t" | "tib" => 1_099_511_627_776.0,
            _ => return Err(wrong()),
        };
        let bytes = number * factor;
        if bytes >= 1.0 && bytes < u64::MAX as f64 {
            Ok(Size(bytes as u64))
        } else {
            Err(wrong())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_definitions_hold_together() {
        Cli::command().debug_assert();
    }

    #[test]
    fn sizes_are_read() {
        let sizes =
            ["1", "800MB", "2GiB", "1.5g", "4 k"].map(|text| text.parse::<Size>().unwrap().0);
        assert_eq!(sizes, [1, 800_000_000, 2 << 30, 3 << 29, 4096]);
        for wrong in [
            "",
            "GiB",
            "-1",
            "0",
            "1e9",
            "2 apples",
            "99999999999999tb",
            "1.2.3",
        ] {
            assert!(wrong.parse::<Size>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_mix_has_a_name_and_weights() {
        let mix = "mix=a:0.7+b/c:-0.3".parse::<NamedAdapter>().unwrap();
        let AdapterFlag::Mix(parts) = mix.source else {
            panic!("no mix")
        };
        let parts: Vec<_> = parts
            .iter()
            .map(|p| (p.adapter.as_str(), p.weight))
            .collect();
        assert_eq!(
            (mix.name.as_str(), parts),
            ("mix", vec![("a", 0.7), ("b/c", -0.3)])
        );
        let single = "x=p/q".parse::<NamedAdapter>().unwrap();
        assert_eq!(single.source, AdapterFlag::Folder("p/q".into()));
        for wrong in ["mix=a:x", "mix=a:1+b", "a:1+b:2", "=a:1"] {
            assert!(wrong.parse::<NamedAdapter>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn adapters_have_a_name_and_a_path() {
        let read = "a=b=c".parse::<NamedPath>().unwrap();
        assert_eq!((read.name.as_str(), read.path.to_str()), ("a", Some("b=c")));
        for wrong in ["a", "=a", "a=", ""] {
            assert!(wrong.parse::<NamedPath>().is_err(), "{wrong}");
        }
    }
}
