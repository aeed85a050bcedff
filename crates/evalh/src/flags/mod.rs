//! The command line as it is typed. Every flag is defined here once; `settings` resolves what they mean together.

mod bench;
mod examine;
mod judge;
mod run;
mod suites;
mod train;
mod values;

pub use bench::{BenchFlags, Part};
pub use examine::{
    AdapterCommand, AdapterCompareFlags, AdapterInspectFlags, AdapterMergeFlags, ModelCommand,
    ModelInspectFlags, VerifyFlags,
};
pub use judge::{
    BaselineCommand, BaselineSaveFlags, BaselineShowFlags, CompareFlags, GateFlags, HowFlags,
    ReportFlags, ViewFlags,
};
pub use run::{MachineFlags, QuestionFlags, RunFlags, SandboxFlags};
pub use suites::{ImportFlags, PromptsFlags, SuiteCommand};
pub use train::{ExperimentFlags, Named, ProbeFlags, TrainFlags};
pub use values::{
    AdapterFlag, Apply, Kernel, Listing, NamedAdapter, NamedPath, Names, PerSuite, Precision,
    Quantize, RoleFlag, Size,
};

use clap::{Args, Parser, Subcommand};
use evalh_artifact::SourceKind;
use std::{num::NonZeroUsize, path::PathBuf};

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
    /// Compare three tiny built-in models on the small suites, offline, and open the report
    Demo(DemoFlags),
    /// Score completions that were made elsewhere
    Score(ScoreFlags),
    /// Run one Python program in the sandbox, under the limits that scoring uses
    Exec(ExecFlags),
    /// Fetch a model, suite or runtime into the cache
    Pull(PullFlags),
    /// List models, suites or all artifacts
    List(ListFlags),
    /// Measure how fast a checkpoint computes here, and what adapters cost
    Bench(Box<BenchFlags>),
    /// Make the report of a finished run again
    Report(ReportFlags),
    /// Compare the variants of one or more finished runs: what changed, whether it may be chance
    Compare(CompareFlags),
    /// Show finished runs in the browser: tables, plots and every answer
    View(ViewFlags),
    /// Hold a finished run against a policy: pass, fail or inconclusive, as an exit code
    Gate(GateFlags),
    /// Small files of scores by item, to commit and to gate later runs against
    #[command(subcommand)]
    Baseline(BaselineCommand),
    /// Print exactly what would be asked, without running anything
    Prompts(Box<PromptsFlags>),
    /// Suites of one's own
    #[command(subcommand)]
    Suite(SuiteCommand),
    /// Look at adapters: what they change, how they relate; merge them
    #[command(subcommand)]
    Adapter(AdapterCommand),
    /// Score the layers of a checkpoint by how much they matter to some data, and choose the best
    Probe(Box<ProbeFlags>),
    /// Train an adapter, or every weight, and write it as PEFT and transformers read it
    Train(Box<TrainFlags>),
    /// Run a whole experiment from one file: probes, trainings over seeds, evaluations, report
    Experiment(ExperimentFlags),
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

/// `evalh demo`.
#[derive(Debug, Args)]
#[command(
    after_help = "The models, their tokenizer and the suites are part of evalh; see docs/demo.md."
)]
pub struct DemoFlags {
    /// Run folder to make [default: runs/demo-N]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Open no browser
    #[arg(long)]
    pub no_open: bool,
    /// Use only what is on this machine
    #[arg(long)]
    pub offline: bool,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub output: OutputFlags,
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

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_definitions_hold_together() {
        Cli::command().debug_assert();
    }
}
