//! Flags of what looks at finished runs.

use super::{OutputFlags, values::RoleFlag};
use clap::Args;
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
    /// Leave prompts, answers and references out of the HTML page, so that it holds no benchmark text
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
