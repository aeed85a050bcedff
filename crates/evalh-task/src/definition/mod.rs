//! A suite as a TOML file: data, prompt, answers, extraction, metrics. The built-in choice and generation suites are such
//! files too (`datasets/tasks/`), and `docs/suite-format.md` describes the form for users.
//!
//! Data flows one way: `check` reads a definition, `open` reads its rows (`source`) and makes them items (`item`, with
//! `shots` before them), `prompt` builds what a model reads, `score` judges an answer, `results` and `combine` sum up.

mod check;
mod combine;
mod effective;
mod form;
mod item;
mod metric;
pub(crate) mod open;
mod prompt;
mod put;
pub(crate) mod python;
mod read;
mod results;
mod score;
mod shots;
pub(crate) mod source;
mod suite;
mod task;
pub(crate) mod template;

pub use form::{
    Definition, Exemplar, Extract, Form, Generate, Layout, Loss, Metric, Normalize, Rows, Sampler,
    Shots, TargetIs, TaskForm, TextOrList,
};
pub use source::BuiltInFile;
pub use suite::DefinedSuite;
