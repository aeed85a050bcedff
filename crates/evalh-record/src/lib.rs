//! The vocabulary of a run and its record on disk.
//!
//! Everything that passes between tasks, engine, sandbox, statistics and reports is named here, so that
//! none of them needs to know another. The crate knows nothing of models, suites or files of weights.
//!
//! A record is a folder ([`RunFolder`] while it is written, [`Record`] to read it):
//!
//! | file | what |
//! | --- | --- |
//! | `manifest.json` | [`Manifest`]: every hash and setting that can change a score |
//! | `items.jsonl` | an [`ItemText`] a line: what was asked and what is right, for people; no score is computed from it |
//! | `samples.jsonl` | a [`Sample`] a line; appended while the run goes, in canonical order once it is complete |
//! | `results.json` | [`ResultRow`]s, written when the run is complete |
//! | `timings.json` | [`Timings`], summed over the sessions of a resumed run |
//! | `report.md` and others | reports made of the above, by readers |
//!
//! What made an adapter has a record too, beside its weights: [`training`].

mod atomic;
mod error;
mod folder;
mod hash;
mod item;
mod lock;
mod manifest;
mod outcome;
mod record;
mod request;
mod response;
mod results;
mod sample;
mod samples_file;
mod timings;
pub mod training;

pub use atomic::replace_file;
pub use error::{RecordError, RecordResult};
pub use folder::{ClaimedFolder, ResumableRun, RunFolder};
pub use hash::{Sha256, Sha256ParseError, sha256_bytes, sha256_file};
pub use item::{ItemText, read_items};
pub use manifest::{
    AdapterFindings, AdapterPart, AdapterSettings, CheckpointSettings, Difference, FileIdentity,
    FileOrigin, Manifest, Provenance, SCHEMA, SamplingSettings, SandboxSettings, Settings,
    SuiteSettings, TaskSettings, VariantSettings, differences,
};
pub use outcome::Outcome;
pub use record::Record;
pub use request::{
    Generate, LogLikelihood, Loss, Message, Prompt, Request, RequestKind, Role, Sampling,
};
pub use response::{Answer, ContinuationScore, Finish, Generation, Response, TextScore};
pub use results::{Part, ResultRow};
pub use sample::{Sample, SampleKey};
pub use samples_file::{ParsedSamples, parse_samples};
pub use timings::{Held, Sitting, Timings, VariantTimings};
