//! A suite as a TOML file: data, prompt, answers, extraction, metrics. The built-in choice and generation suites are such
//! files too (`datasets/tasks/`), and `docs/suite-format.md` describes the form for users.

mod form;

pub use form::{
    Definition, Exemplar, Extract, Form, Generate, Layout, Loss, Metric, Normalize, Rows, Sampler,
    Shots, TaskForm, TextOrList,
};
