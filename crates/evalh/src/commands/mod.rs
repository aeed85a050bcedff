//! One file a subcommand.

pub mod adapter;
pub mod baseline;
pub mod bench;
pub mod compare;
pub mod demo;
pub mod exec;
pub mod experiment;
pub mod gate;
pub mod list;
pub mod model;
pub mod probe;
pub mod prompts;
pub mod pull;
pub mod report;
pub mod run;
pub mod score;
pub mod suite;
pub mod train;
pub mod verify;
pub mod view;
