//! An experiment: ways of training (arms) over seeds, by what they cost and what they end with.
//!
//! [`analyse`] turns the records of trainings and probes, and the [`Comparison`](crate::Comparison) of what was trained,
//! into an [`Experiment`], which holds every number that a report shows. Seeds are the sample: everything is paired by
//! seed, and a claim needs an interval that leaves "no difference" out, after correction for how many were looked at.

mod analyse;
mod arm;
mod bars;
mod cautions;
mod endings;
#[cfg(test)]
mod example;
mod export;
mod figures;
mod findings;
mod input;
mod loss;
mod markdown;
mod over;
mod probe;
mod run;
mod scores;
mod terminal;
#[cfg(test)]
mod tests;
mod words;

pub use analyse::{EXPERIMENT_SCHEMA, Experiment, analyse};
pub use arm::{ArmResult, Differing};
pub use bars::bars;
pub use endings::Ending;
pub use export::{csv_files, json};
pub use figures::figures;
pub use findings::{About, Claimed};
pub use input::{ArmInput, ExperimentInput, ProbeInput, RunInput};
pub use markdown::markdown;
pub use over::{Claim, FEWEST_SEEDS, Over, Paired};
pub use probe::ProbeResult;
pub use run::RunResult;
pub use scores::{ArmScore, Purpose, SuiteScores};
pub use terminal::terminal;
