//! Variants against each other, item by item.

mod comparison;
mod contrast;
mod costs;
mod old;
mod replicated;
mod role;

pub use comparison::{
    AdapterFacts, Analysis, COMPARISON_SCHEMA, ComparedMetric, ComparedPart, ComparedSuite,
    Comparison, Flip, Forced, OutcomeCount, RunFacts, Variant,
};
pub use contrast::{Against, Contrast, Finding, Range, Scored, Test};
pub use costs::{BenchCosts, Costs, Ratio};
pub use old::Comparison as OldComparison;
pub use old::{comparison_of, comparisons};
pub use replicated::{Replicate, Replicated};
pub use role::Role;
