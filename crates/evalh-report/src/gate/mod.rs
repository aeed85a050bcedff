//! Whether a run may pass: a policy of rules and limits, judged over a record.
//!
//! [`Policy`] is `gate.toml`; [`judge`] holds a [`Record`](evalh_record::Record) against it and gives a [`GateReport`], which
//! is printed as a terminal table ([`terminal`]), Markdown for a job's summary ([`step_summary`]) or `JUnit` XML ([`junit`]),
//! and serialised as JSON. What the verdicts mean stands in `docs/gate.md`.

mod bound;
mod comparison;
mod decide;
mod error;
mod evidence;
mod form;
mod judge;
mod junit;
mod limits;
mod markdown;
mod measure;
mod parse;
mod place;
mod policy;
mod reference;
mod report;
mod resampled;
mod select;
mod subject;
mod terminal;
mod words;

pub use decide::Verdict;
pub use error::{GateError, GateResult};
pub use evidence::Method;
pub use judge::{Inputs, judge};
pub use junit::junit;
pub use markdown::step_summary;
pub use measure::Measure;
pub use policy::{Bound, Check, Limit, Policy, Reference, Rule, Test, WhenInconclusive};
pub use report::{Case, Counts, Figures, ForcedSetting, GATE_SCHEMA, GateReport, Overall};
pub use terminal::terminal;
