//! A variant's results in the format of lm-evaluation-harness, as its version 0.4.13 writes `results_*.json`.
//!
//! A score has lm-eval's name of a task only where the protocol is lm-eval's; every other one is named `suite@protocol`, so
//! that no dashboard puts it beside a score that it cannot be compared with. What the record does not hold is `null` or left
//! out: the text of the chat template, the date, seeds that nothing here is drawn with, the versions of Python packages.

mod chat;
mod names;
mod run;
mod tasks;

use chat::Told;
use evalh_record::{Record, VariantSettings};
use serde_json::{Map, Value};
use tasks::Tasks;
use thiserror::Error;

/// A record has no variant of the name.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the run has no variant called {variant}; it has {}", known.join(", "))]
pub struct UnknownVariant {
    /// The name.
    pub variant: String,
    /// The names that there are.
    pub known: Vec<String>,
}

/// The variant's results as lm-eval would write them.
///
/// # Errors
/// When the record has no such variant.
pub fn lm_eval(record: &Record, variant: &str) -> Result<Value, UnknownVariant> {
    let settings = &record.manifest.settings;
    let of = find(&settings.variants, variant)?;
    let told = Told::of(settings, of);
    let tasks = Tasks::of(record, of, &told);
    let mut all = Map::new();
    tasks.write(&mut all);
    run::write(record, of, &told, &mut all);
    Ok(Value::Object(all))
}

fn find<'r>(
    variants: &'r [VariantSettings],
    name: &str,
) -> Result<&'r VariantSettings, UnknownVariant> {
    let found = variants.iter().find(|variant| variant.name == name);
    found.ok_or_else(|| UnknownVariant {
        variant: name.to_owned(),
        known: variants
            .iter()
            .map(|variant| variant.name.clone())
            .collect(),
    })
}
