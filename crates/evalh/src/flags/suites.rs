//! Flags of what is asked and of suites of one's own.

use super::{OutputFlags, QuestionFlags};
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// `evalh prompts`.
#[derive(Debug, Args)]
#[command(
    after_help = "Prints a JSON object a line: suite, protocol, task, item, shots, then the context (or the messages and the \
                  prefill) with the continuations, or the stops and the most new tokens; with --model the token ids too."
)]
pub struct PromptsFlags {
    /// Suites or packs of suites, by name or as a TOML file, separated by commas
    #[arg(
        long,
        value_name = "SUITE|PACK|FILE",
        value_delimiter = ',',
        required = true
    )]
    pub suite: Vec<String>,
    /// Checkpoint whose tokenizer and chat template are used; its weights are not read
    #[arg(long, value_name = "NAME|PATH")]
    pub model: Option<String>,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub question: QuestionFlags,
    /// Use only what is on this machine
    #[arg(long)]
    pub offline: bool,
}

/// `evalh suite`.
#[derive(Debug, Subcommand)]
pub enum SuiteCommand {
    /// Carry an lm-eval task over to this program's form
    Import(ImportFlags),
}

/// `evalh suite import`.
#[derive(Debug, Args)]
#[command(
    after_help = "Every key that cannot be carried over is named. Where one of them could change a score, nothing is written \
                  unless --allow-partial is given."
)]
pub struct ImportFlags {
    /// The task's YAML file
    #[arg(value_name = "FILE.yaml")]
    pub file: PathBuf,
    /// The file to write [default: TASK.toml]
    #[arg(long, value_name = "FILE.toml")]
    pub out: Option<PathBuf>,
    /// Write what could be carried over, though scores would not be the task's
    #[arg(long)]
    pub allow_partial: bool,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub output: OutputFlags,
}
