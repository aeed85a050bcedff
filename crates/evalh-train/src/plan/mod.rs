//! `plan.toml`: an experiment of several trainings, and the jobs that it comes to.
//!
//! [`Plan::read`] checks everything that can be checked without a model: every table, key and value, what refers to what,
//! and what has no effect. [`Plan::jobs`] lists what is to be done, in order; [`Book`] keeps what is done already, so that
//! an experiment goes on where it stopped.

mod arm;
mod book;
mod draft;
mod error;
mod evaluate;
mod experiment;
mod job;
mod order;
mod probe;
mod reader;
mod recipe;
#[cfg(test)]
mod tests;
mod value;

pub use arm::{Arm, ArmLayers, Until};
pub use book::{Book, BookError, Done, State};
pub use error::{KeyFault, PlanError, PlanResult};
pub use evaluate::Evaluation;
pub use experiment::{Plan, PlannedData};
pub use job::{EvaluationJob, Identity, Job, ProbeJob, TrainingJob, Variant, Work};
pub use probe::ProbePlan;
pub use recipe::{Recipe, Targets};
