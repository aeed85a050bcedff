//! One file a subcommand.

pub mod adapter;
pub mod bench;
pub mod compare;
pub mod exec;
pub mod list;
pub mod model;
pub mod prompts;
pub mod pull;
pub mod report;
pub mod run;
pub mod score;
pub mod suite;
pub mod verify;
