//! What is compared, and what can be wrong with it.

use super::{Analysis, Role};
use crate::BenchFile;
use evalh_record::{Difference, Record};
use thiserror::Error;

/// A run to be compared.
#[derive(Debug, Clone, Copy)]
pub struct Run<'r> {
    /// The name it goes by: its folder's.
    pub name: &'r str,
    /// What it recorded.
    pub record: &'r Record,
}

/// How runs are compared.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Confidence, power, resamples.
    pub analysis: Analysis,
    /// Compare runs although they differ in what can change a score.
    pub force: bool,
    /// Roles by the names of variants, in place of what their adapters tell.
    pub roles: Vec<(String, Role)>,
    /// What `evalh bench` measured.
    pub bench: Vec<BenchFile>,
}

/// Why runs cannot be compared.
#[derive(Debug, Error)]
pub enum CompareError {
    /// There is no run.
    #[error("no run was given")]
    NoRun,
    /// A run has no variant.
    #[error("the run {run} has no variants")]
    NoVariants {
        /// The run's name.
        run: String,
    },
    /// Two runs go by one name.
    #[error("two runs are called {name}")]
    SameName {
        /// The name.
        name: String,
    },
    /// Two runs differ in what can change a score.
    #[error(
        "{run} and {first} differ in what can change a score{}",
        list(differences)
    )]
    Different {
        /// The run.
        run: String,
        /// The first run.
        first: String,
        /// Where they differ: recorded in the first run, and here.
        differences: Vec<Difference>,
    },
    /// A role is given to a variant that is not there.
    #[error("no variant is called {name}; there are {}", names.join(", "))]
    UnknownVariant {
        /// The name.
        name: String,
        /// The variants' names.
        names: Vec<String>,
    },
}

impl CompareError {
    /// What the user can do.
    pub fn remedy(&self) -> &'static str {
        match self {
            CompareError::NoRun => "name at least one run folder",
            CompareError::NoVariants { .. } => "compare runs that answered something",
            CompareError::SameName { .. } => "rename one of the folders, or name each run once",
            CompareError::Different { .. } => {
                "answer both with the same settings, or see the difference all the same with --force"
            }
            CompareError::UnknownVariant { .. } => "give --role NAME=ROLE with one of these names",
        }
    }
}

fn list(differences: &[Difference]) -> String {
    let lines = differences.iter().map(|difference| {
        format!(
            "\n  {}: {} there, {} here",
            difference.field, difference.recorded, difference.current
        )
    });
    lines.collect()
}
