//! The gate, from a policy's text and a record to what a reader sees.

mod baselines;
mod errors;
mod examples;
mod hostile;
mod limits;
mod outputs;
mod records;
mod simulation;
mod verdicts;
