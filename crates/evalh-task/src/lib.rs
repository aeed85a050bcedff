//! Suites: items, prompts, extraction, scoring.
//!
//! A [`Suite`] is found by name ([`find_suite`]) and opened with its data to a [`Task`], which gives the requests for an
//! engine, judges the responses, and turns the samples to rows of results. It knows neither engine nor sandbox: where a
//! response has to be run, it gives the [`Program`] and takes the outcome.
//!
//! Adding a suite is one new module and one line in `registry.rs`.

mod code_block;
pub mod definition;
mod error;
mod glue;
pub mod human_eval;
pub mod import;
mod jsonl;
mod options;
mod pack;
mod perplexity;
pub mod quixbugs;
mod registry;
mod task;
mod texts;
mod writing;

pub use code_block::first_python_block;
pub use error::TaskError;
pub use glue::{GlueLabel, GlueRow, glue_training};
pub use options::{Chat, Draw, Extra, TaskOptions};
pub use pack::{Pack, PackSuite, find_pack, packs};
pub use registry::{find_suite, open_suite, suites};
pub use task::{
    DataFiles, DataSource, Facts, Judgement, ModelKind, Program, Scored, Slot, Suite, Task, sample,
    score_name,
};
pub use texts::item_texts;
