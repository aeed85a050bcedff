//! Layer probes, selection, and training of low-rank adapters and whole checkpoints.
//!
//! The crate knows models and training data; it knows no suites.

pub mod data;
pub mod optimizer;
pub mod plan;
mod random;
pub mod select;
