//! GLUE for encoders with a classification head, as transformers' `run_glue` evaluates it: a sentence or a pair of them in, the
//! head's outputs out, the largest of which is the answer; STS-B's one output is a number.
//!
//! `form` is the table of the tasks, `data` reads their rows, `head` matches a checkpoint's labels with a task's, `metric`
//! sums up, `suite` and `task` are the suite.

mod data;
mod form;
mod head;
mod metric;
mod suite;
mod task;
mod training;

pub use suite::Glue;
pub use training::{GlueLabel, GlueRow, glue_training};
