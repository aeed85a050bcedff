//! Variants against each other, item by item.
//!
//! [`compare`] turns the records of one or more runs into a [`Comparison`], which holds every number that a report shows.

mod answers;
mod asked;
mod comparison;
mod compute;
mod contrast;
mod costs;
mod flips;
mod guard;
mod input;
mod measure;
mod measured;
mod over_models;
mod paired;
mod replicated;
mod role;
mod single;
mod suites;
mod variants;

pub use comparison::{
    AdapterFacts, Analysis, COMPARISON_SCHEMA, ComparedMetric, ComparedPart, ComparedSuite,
    Comparison, Flip, Forced, InRun, OutcomeCount, RunFacts, Variant,
};
pub use compute::compare;
pub use contrast::{Against, Contrast, Finding, Range, Scored, Test};
pub use costs::{BenchCosts, Costs, Ratio};
pub use input::{CompareError, Options, Run};
pub use replicated::{Replicate, Replicated};
pub use role::Role;
pub use variants::roles;
