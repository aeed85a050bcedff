//! Flags of what looks at models and adapters.

use super::{Kernel, OutputFlags, Precision, Quantize};
use clap::{Args, Subcommand};
use evalh_model::DeviceChoice;
use std::path::PathBuf;

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
    /// Arithmetic of products with weights
    #[arg(long, value_name = "TYPE", default_value_t = Precision::Auto)]
    pub precision: Precision,
    /// Round the weights of linears at load, to compare with the reference of a quantised checkpoint
    #[arg(long, value_name = "TYPE")]
    pub quantize: Option<Quantize>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub output: OutputFlags,
}
