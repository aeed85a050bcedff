//! Flags of `evalh probe` and `evalh train`.

use super::{OutputFlags, Precision, Quantize, Size};
use clap::{Args, ValueEnum};
use evalh_model::DeviceChoice;
use evalh_record::training::{LossOn, Method, ProbeMethod, Schedule};
use evalh_train::optimizer::WarmUp;
use evalh_train::select::{Amount, Layers};
use std::{num::NonZeroUsize, path::PathBuf, str::FromStr};

/// `--loss`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LossFlag {
    /// Those of responses
    Response,
    /// All but the first
    All,
}

impl LossFlag {
    /// The record's name for it.
    pub fn choice(self) -> LossOn {
        match self {
            Self::Response => LossOn::Response,
            Self::All => LossOn::All,
        }
    }
}

/// `--method` of `evalh train`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum MethodFlag {
    /// Low-rank updates of some linears
    Lora,
    /// Every weight
    Full,
}

impl MethodFlag {
    /// The record's name for it.
    pub fn choice(self) -> Method {
        match self {
            Self::Lora => Method::Lora,
            Self::Full => Method::Full,
        }
    }
}

/// `--schedule`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ScheduleFlag {
    /// Falls along half a cosine to 0
    Cosine,
    /// Falls in a line to 0
    Linear,
    /// Stays
    Constant,
}

impl ScheduleFlag {
    /// The record's name for it.
    pub fn choice(self) -> Schedule {
        match self {
            Self::Cosine => Schedule::Cosine,
            Self::Linear => Schedule::Linear,
            Self::Constant => Schedule::Constant,
        }
    }
}

/// `NAME=VALUE`.
#[derive(Debug, Clone, PartialEq)]
pub struct Named<T> {
    /// The name.
    pub name: String,
    /// The value.
    pub value: T,
}

impl<T: FromStr> FromStr for Named<T> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, value) = text
            .split_once('=')
            .filter(|(name, _)| !name.is_empty())
            .ok_or("write NAME=VALUE, such as q_proj=8")?;
        let value = value
            .parse()
            .map_err(|_| format!("`{value}` is no number for {name}"))?;
        Ok(Self {
            name: name.to_owned(),
            value,
        })
    }
}

/// How long the warm-up is, as a user says it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WarmUpFlag(pub WarmUp);

impl FromStr for WarmUpFlag {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong =
            || format!("`{text}` is no warm-up; write a number of steps, or a share such as 3%");
        if let Some(percent) = text.strip_suffix('%') {
            let share: f64 = percent.trim().parse().map_err(|_| wrong())?;
            return Ok(Self(WarmUp::Ratio(share / 100.0)));
        }
        text.parse()
            .map(WarmUp::Steps)
            .map(Self)
            .map_err(|_| wrong())
    }
}

/// How steps are taken.
#[derive(Debug, Args)]
#[command(next_help_heading = "Steps")]
pub struct LearnFlags {
    /// Steps to take [default: one epoch]
    #[arg(long, value_name = "N", conflicts_with = "epochs")]
    pub steps: Option<u64>,
    /// Times that the data is gone through
    #[arg(long, value_name = "X")]
    pub epochs: Option<f64>,
    /// Samples of a micro-batch
    #[arg(long, value_name = "N", default_value = "4")]
    pub batch_size: NonZeroUsize,
    /// Fill micro-batches with whole samples up to --batch-size times --max-tokens tokens; no sample sees another
    #[arg(long)]
    pub packing: bool,
    /// Micro-batches of a step
    #[arg(long, value_name = "N", default_value = "1")]
    pub accumulation: NonZeroUsize,
    /// The highest learning rate
    #[arg(long, value_name = "X", default_value_t = 2e-4)]
    pub learning_rate: f64,
    /// How the rate goes on after the warm-up
    #[arg(long, value_enum, default_value = "cosine")]
    pub schedule: ScheduleFlag,
    /// Steps in which the rate rises, or their share of all
    #[arg(long, value_name = "N|X%", default_value = "3%")]
    pub warmup: WarmUpFlag,
    /// Decay rate of the mean of gradients
    #[arg(long, value_name = "X", default_value_t = 0.9)]
    pub beta1: f64,
    /// Decay rate of the mean of squared gradients
    #[arg(long, value_name = "X", default_value_t = 0.95)]
    pub beta2: f64,
    /// Added to the root of that mean
    #[arg(long, value_name = "X", default_value_t = 1e-7)]
    pub epsilon: f64,
    /// Decoupled weight decay
    #[arg(long, value_name = "X", default_value_t = 0.01)]
    pub weight_decay: f64,
    /// Largest norm of all gradients together; 0 for any
    #[arg(long, value_name = "X", default_value_t = 1.0)]
    pub clip: f64,
    /// Seed of initial factors, order and dropout
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
}

/// `evalh train`.
#[derive(Debug, Args)]
#[command(
    after_help = "Writes an adapter that PEFT loads (or a checkpoint, with --method full), training.json and steps.jsonl. \
                  Of an encoder, the classification head is trained whole and saved with the adapter. A killed training goes on with --resume and ends with the same weights, bit for bit."
)]
pub struct TrainFlags {
    /// Checkpoint: a name (see `evalh list models`), a Hugging Face folder or a GGUF file
    #[arg(
        long,
        value_name = "NAME|PATH",
        required_unless_present = "from_scratch"
    )]
    pub model: Option<String>,
    /// Write a checkpoint of random weights for the config.json in this folder, and train nothing
    #[arg(long, value_name = "DIR", conflicts_with_all = ["model", "data", "loss", "max_tokens", "chat_template", "method", "quantize", "rank", "alpha", "rslora", "dropout", "targets", "rank_pattern", "alpha_pattern", "layers", "initial", "steps", "epochs", "batch_size", "packing", "accumulation", "learning_rate", "schedule", "warmup", "beta1", "beta2", "epsilon", "weight_decay", "clip", "budget", "budget_of", "until_loss", "held_out", "until_every", "device", "kernel", "precision", "threads", "memory", "offline", "resume", "write_batches", "checkpoint_every"])]
    pub from_scratch: Option<PathBuf>,
    /// What is trained
    #[arg(long, value_enum, default_value = "lora")]
    pub method: MethodFlag,
    /// Round the frozen weights of linears, as bitsandbytes does for QLoRA
    #[arg(long, value_name = "TYPE")]
    pub quantize: Option<Quantize>,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub data: DataFlags,

    /// Rank of the updates [default: 16]
    #[arg(long, value_name = "R", help_heading = "Adapter")]
    pub rank: Option<NonZeroUsize>,
    /// Alpha: updates are scaled by alpha / rank [default: twice the rank]
    #[arg(long, value_name = "X", help_heading = "Adapter")]
    pub alpha: Option<f64>,
    /// Scale by alpha / sqrt(rank)
    #[arg(long, help_heading = "Adapter")]
    pub rslora: bool,
    /// Share of an update's inputs that are dropped
    #[arg(
        long,
        value_name = "X",
        default_value_t = 0.0,
        help_heading = "Adapter"
    )]
    pub dropout: f64,
    /// Modules to adapt, by the ends of their names, separated by commas [default: all-linear]
    #[arg(
        long,
        value_name = "NAME,...",
        value_delimiter = ',',
        help_heading = "Adapter"
    )]
    pub targets: Vec<String>,
    /// Another rank for some modules, as PEFT's `rank_pattern`; repeatable
    #[arg(long, value_name = "NAME=R", help_heading = "Adapter")]
    pub rank_pattern: Vec<Named<usize>>,
    /// Another alpha for some modules, as PEFT's `alpha_pattern`; repeatable
    #[arg(long, value_name = "NAME=X", help_heading = "Adapter")]
    pub alpha_pattern: Vec<Named<f64>>,
    /// Layers to adapt: all, numbers and ranges (0-15,20), or a layers.json of `evalh probe`
    #[arg(
        long,
        value_name = "all|FILE|RANGES",
        default_value = "all",
        help_heading = "Adapter"
    )]
    pub layers: Layers,
    /// Begin with the factors of this adapter instead of random ones
    #[arg(long, value_name = "DIR", help_heading = "Adapter")]
    pub initial: Option<PathBuf>,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub learn: LearnFlags,

    /// End after so many seconds of training
    #[arg(long, value_name = "SECONDS", help_heading = "End")]
    pub budget: Option<f64>,
    /// The training whose time --budget is, for the record
    #[arg(long, value_name = "NAME", requires = "budget", help_heading = "End")]
    pub budget_of: Option<String>,
    /// End when the loss is at or below this: the mean of the last ten steps, or of --held-out
    #[arg(long, value_name = "NATS", help_heading = "End")]
    pub until_loss: Option<f64>,
    /// Data whose loss is measured for --until-loss
    #[arg(
        long,
        value_name = "FILE",
        requires = "until_loss",
        help_heading = "End"
    )]
    pub held_out: Option<PathBuf>,
    /// Steps between two measurements
    #[arg(
        long,
        value_name = "N",
        default_value_t = 10,
        requires = "until_loss",
        help_heading = "End"
    )]
    pub until_every: u64,

    /// Device: cpu, wgpu[:N] or cuda[:N]
    #[arg(long, value_name = "DEVICE", default_value_t = DeviceChoice::Cpu, help_heading = "Machine")]
    pub device: DeviceChoice,
    /// Kernels: auto takes the fastest for the device
    #[arg(long, default_value_t = super::Kernel::Auto, help_heading = "Machine")]
    pub kernel: super::Kernel,
    /// Arithmetic of products with frozen weights
    #[arg(long, value_name = "TYPE", default_value_t = Precision::Auto, help_heading = "Machine")]
    pub precision: Precision,
    /// Threads [default: all]
    #[arg(long, value_name = "N", help_heading = "Machine")]
    pub threads: Option<NonZeroUsize>,
    /// Memory to keep what lies below the trained layers, such as 2GB [default: a quarter of what is free]
    #[arg(long, value_name = "SIZE", help_heading = "Machine")]
    pub memory: Option<Size>,
    /// Use only what is on this machine
    #[arg(long, help_heading = "Machine")]
    pub offline: bool,

    /// Folder to make
    #[arg(long, value_name = "DIR", help_heading = "Record")]
    pub out: PathBuf,
    /// Go on with the training in --out
    #[arg(long, help_heading = "Record")]
    pub resume: bool,
    /// Write every batch as token ids to this file first, for a peer to train on the same (benches/training)
    #[arg(long, value_name = "FILE", help_heading = "Record")]
    pub write_batches: Option<PathBuf>,
    /// Steps between two checkpoints; 0 for none
    #[arg(long, value_name = "N", default_value_t = 100, help_heading = "Record")]
    pub checkpoint_every: u64,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub output: OutputFlags,
}

/// The data and how its samples become tokens.
#[derive(Debug, Args)]
#[command(next_help_heading = "Data")]
pub struct DataFlags {
    /// JSON Lines (or a JSON list) of prompt/response, question/answer, Alpaca, chat messages or text; for an encoder of text
    /// (or sentence1 and sentence2) and label: 1 is a class, 1.0 a number
    #[arg(long, value_name = "FILE")]
    pub data: Option<PathBuf>,
    /// Which tokens count: those of responses, or all
    #[arg(long, value_name = "TOKENS", value_enum, default_value = "response")]
    pub loss: LossFlag,
    /// Samples are cut at so many tokens [default: 512, or the model's positions where there are fewer]
    #[arg(long, value_name = "N")]
    pub max_tokens: Option<NonZeroUsize>,
    /// Write samples as conversations in the checkpoint's chat template
    #[arg(long)]
    pub chat_template: bool,
}

/// `--method` of `evalh probe`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ProbeFlag {
    /// Norm of the loss's gradient (Aletheia)
    Gradient,
    /// How much a layer changes what it reads: 1 - linear CKA
    Cka,
    /// Diagonal of the Fisher information
    Fisher,
    /// Drawn by the seed
    Random,
    /// The lowest
    First,
    /// The highest
    Last,
}

impl ProbeFlag {
    /// The record's name for it.
    pub fn choice(self) -> ProbeMethod {
        match self {
            Self::Gradient => ProbeMethod::Gradient,
            Self::Cka => ProbeMethod::Cka,
            Self::Fisher => ProbeMethod::Fisher,
            Self::Random => ProbeMethod::Random,
            Self::First => ProbeMethod::First,
            Self::Last => ProbeMethod::Last,
        }
    }
}

/// `evalh experiment`.
#[derive(Debug, Args)]
#[command(
    after_help = "Jobs that are done are not done again: after an interruption give the same command. See docs/training.md."
)]
pub struct ExperimentFlags {
    /// The plan
    #[arg(value_name = "PLAN.toml")]
    pub plan: PathBuf,
    /// Use only what is on this machine
    #[arg(long)]
    pub offline: bool,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub output: OutputFlags,
}

/// `evalh probe`.
#[derive(Debug, Args)]
#[command(
    after_help = "The file holds scores, ranks and the selection; `layers_to_transform` is PEFT's name for it. \
                  `evalh train --layers FILE` takes it as it is."
)]
pub struct ProbeFlags {
    /// Checkpoint: a name (see `evalh list models`), a Hugging Face folder or a GGUF file
    #[arg(long, value_name = "NAME|PATH")]
    pub model: String,
    /// How layers are scored
    #[arg(long, value_enum, default_value = "gradient")]
    pub method: ProbeFlag,
    /// How many layers are chosen: a share (50%, 0.5) or a number
    #[arg(long, value_name = "SHARE|N", default_value = "50%")]
    pub top: Amount,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub data: DataFlags,

    /// Batches of the gradient and Fisher probes [default: 5]
    #[arg(long, value_name = "N", help_heading = "Work")]
    pub batches: Option<NonZeroUsize>,
    /// Samples of a batch
    #[arg(long, value_name = "N", default_value = "4", help_heading = "Work")]
    pub batch_size: NonZeroUsize,
    /// Samples of the CKA probe [default: 128]
    #[arg(long, value_name = "N", help_heading = "Work")]
    pub samples: Option<NonZeroUsize>,
    /// Seed of the samples drawn
    #[arg(long, value_name = "N", default_value_t = 0, help_heading = "Work")]
    pub seed: u64,

    /// Device: cpu, wgpu[:N] or cuda[:N]
    #[arg(long, value_name = "DEVICE", default_value_t = DeviceChoice::Cpu, help_heading = "Machine")]
    pub device: DeviceChoice,
    /// Threads [default: all]
    #[arg(long, value_name = "N", help_heading = "Machine")]
    pub threads: Option<NonZeroUsize>,
    /// Memory for the Fisher probe's squares, such as 2GB [default: a quarter of what is free]
    #[arg(long, value_name = "SIZE", help_heading = "Machine")]
    pub memory: Option<Size>,
    /// Use only what is on this machine
    #[arg(long, help_heading = "Machine")]
    pub offline: bool,

    /// File to write
    #[arg(
        long,
        value_name = "FILE",
        default_value = "layers.json",
        help_heading = "Record"
    )]
    pub out: PathBuf,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub output: OutputFlags,
}
