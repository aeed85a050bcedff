//! Flags of what looks at finished runs.

use super::{OutputFlags, values::RoleFlag};
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// `evalh compare`.
#[derive(Debug, Args)]
#[command(
    after_help = "Every variant is set against its base, item by item. Runs may hold other variants, other seeds, other models or other suites; the same variant in two runs stands once."
)]
pub struct CompareFlags {
    /// Run folders
    #[arg(value_name = "RUN", required = true)]
    pub runs: Vec<PathBuf>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub how: HowFlags,
    /// Write the report there: Markdown, HTML, JSON, CSV, plots, and lm-eval's results JSON of each variant
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Compare runs although they differ in what can change a score, and show the difference
    #[arg(long)]
    pub force: bool,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub output: OutputFlags,
}

/// `evalh report`.
#[derive(Debug, Args)]
pub struct ReportFlags {
    /// The run folder
    #[arg(value_name = "RUN")]
    pub run: PathBuf,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub how: HowFlags,
    /// Write the report with plots, JSON and CSV there, and leave the run folder as it is
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Results as JSON on standard output
    #[arg(long)]
    pub json: bool,
}

/// `evalh view`.
#[derive(Debug, Args)]
#[command(
    after_help = "The page is served on this machine only, until the command is interrupted."
)]
pub struct ViewFlags {
    /// Run folders
    #[arg(value_name = "RUN", required = true)]
    pub runs: Vec<PathBuf>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub how: HowFlags,
    /// Show runs although they differ in what can change a score
    #[arg(long)]
    pub force: bool,
    /// Listen on this port of 127.0.0.1 [default: a free one]
    #[arg(
        long,
        value_name = "PORT",
        default_value_t = 0,
        hide_default_value = true
    )]
    pub port: u16,
    /// Open no browser
    #[arg(long)]
    pub no_open: bool,
}

/// `evalh gate`.
#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 every rule passed, 1 a rule failed, 2 the policy or a file cannot be used, 3 nothing failed and a rule is inconclusive.\nWhere GITHUB_STEP_SUMMARY names a file, the verdict is appended to it as Markdown."
)]
pub struct GateFlags {
    /// The run folder
    #[arg(value_name = "RUN")]
    pub run: PathBuf,
    /// The rules: see docs/gate.md
    #[arg(long, value_name = "FILE.toml")]
    pub policy: PathBuf,
    /// What rules against a baseline compare with: a file of `evalh baseline save`, or a run folder
    #[arg(long, value_name = "FILE|RUN")]
    pub baseline: Option<PathBuf>,
    /// The bench.json that limits on latency are about
    #[arg(long, value_name = "FILE")]
    pub bench: Option<PathBuf>,
    /// What a variant is: base, standard, selective or other [default: as its adapter's layers tell]
    #[arg(long = "role", value_name = "NAME=ROLE")]
    pub roles: Vec<RoleFlag>,
    /// Compare with the baseline although it was run with other settings, and show the difference
    #[arg(long)]
    pub force: bool,
    /// Write the verdicts as JUnit XML, a case a rule
    #[arg(long, value_name = "FILE.xml")]
    pub junit: Option<PathBuf>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub output: OutputFlags,
}

/// `evalh baseline`.
#[derive(Debug, Subcommand)]
pub enum BaselineCommand {
    /// Save a finished run's scores by item; no text of a benchmark is in the file
    Save(BaselineSaveFlags),
    /// Show what a baseline holds
    Show(BaselineShowFlags),
}

/// `evalh baseline save`.
#[derive(Debug, Args)]
pub struct BaselineSaveFlags {
    /// The run folder
    #[arg(value_name = "RUN")]
    pub run: PathBuf,
    /// The file to write
    #[arg(long, value_name = "FILE.json")]
    pub out: PathBuf,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub output: OutputFlags,
}

/// `evalh baseline show`.
#[derive(Debug, Args)]
pub struct BaselineShowFlags {
    /// The file
    #[arg(value_name = "FILE.json")]
    pub file: PathBuf,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub output: OutputFlags,
}

/// How a comparison is made, and what it shows.
#[derive(Debug, Args)]
#[command(next_help_heading = "Comparison")]
pub struct HowFlags {
    /// What a variant is: base, standard (all layers), selective (some) or other [default: as its adapter's layers tell]
    #[arg(long = "role", value_name = "NAME=ROLE")]
    pub roles: Vec<RoleFlag>,
    /// A bench.json of `evalh bench`: latency, merged and unmerged cost, energy
    #[arg(long, value_name = "FILE")]
    pub bench: Vec<PathBuf>,
    /// Confidence of intervals
    #[arg(long, value_name = "SHARE", default_value_t = 0.95, value_parser = confidence)]
    pub confidence: f64,
    /// Resamples of the bootstrap
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(100..=1_000_000))]
    pub resamples: u32,
    /// Seed of the bootstrap
    #[arg(long, value_name = "SEED", default_value_t = 0)]
    pub bootstrap_seed: u64,
    /// Leave prompts, answers and references out of all reports, so that they hold no benchmark text
    #[arg(long)]
    pub without_texts: bool,
}

fn confidence(text: &str) -> Result<f64, String> {
    let share: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if share > 0.5 && share < 1.0 {
        Ok(share)
    } else {
        Err("it is a share between 0.5 and 1, such as 0.95".to_owned())
    }
}
