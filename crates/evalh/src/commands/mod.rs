//! One file a subcommand.

pub mod adapter;
pub mod exec;
pub mod list;
pub mod model;
pub mod pull;
pub mod report;
pub mod run;
pub mod score;
pub mod verify;
