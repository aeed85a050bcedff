//! `evalh adapter merge`.

use super::{Base, open};
use crate::{
    failure::{Exit, Failure, OrFail as _, Outcome},
    flags::{AdapterMergeFlags, OutputFlags},
    merge::{Merge, Merged},
    output::{Console, Task, number},
};
use evalh_adapter::{Adapter, AdapterUpdate, combine, parse_mix};
use serde_json::json;
use std::path::Path;

/// Writes a model with an adapter merged into it as a plain checkpoint.
///
/// # Errors
/// When the parts do not fit, a value does not fit its type, or what is read back is not what was to be written.
pub fn merge(flags: &AdapterMergeFlags) -> Outcome<Exit> {
    let console = Console::new(OutputFlags {
        quiet: false,
        json: flags.json,
    });
    let parts = parts(&flags.adapter)?;
    let adapters: Vec<&Adapter> = parts.iter().map(|(adapter, _)| adapter).collect();
    let base = Base::open(&flags.model, &adapters, &console)?;
    let update = resolved(&parts, &base, &flags.adapter)?;
    let merge = Merge::new(
        &base.checkpoint,
        &base.layout,
        &update,
        flags.dtype.map(Into::into),
    )?;
    let writing = Task::items(&console, "writing and checking", merge.tensors() as u64);
    let merged = merge.write(&flags.out, &|| writing.advance(1))?;
    writing.finish();
    say(&console, flags, &merged);
    Ok(Exit::Done)
}

/// One adapter, or those of a mix with their weights.
fn parts(text: &str) -> Outcome<Vec<(Adapter, f64)>> {
    match parse_mix(text).or_fail()? {
        None => Ok(vec![(open(Path::new(text))?, 1.0)]),
        Some(mix) => mix
            .parts
            .iter()
            .map(|part| Ok((open(Path::new(&part.adapter))?, part.weight)))
            .collect(),
    }
}

fn resolved(parts: &[(Adapter, f64)], base: &Base, name: &str) -> Outcome<AdapterUpdate> {
    let mut updates = Vec::new();
    for (adapter, weight) in parts {
        updates.push((adapter.resolve(&base.layout).or_fail()?, *weight));
    }
    // A single adapter at its full weight may be of any kind, also of one that has no sum.
    if let [(_, weight)] = updates.as_slice()
        && weight.to_bits() == 1.0_f64.to_bits()
        && let Some((update, _)) = updates.pop()
    {
        return Ok(update);
    }
    if updates.is_empty() {
        return Err(Failure::new(format!("mix `{name}`")).cause("it names no adapter"));
    }
    combine(name, updates).or_fail()
}

fn say(console: &Console, flags: &AdapterMergeFlags, merged: &Merged) {
    for note in &merged.notes {
        console.result(format_args!("note: {note}"));
    }
    console.result(format_args!(
        "wrote {}: {} of {} tensors changed, {} in {} files; every value read back is the one that was to be written",
        flags.out.display(),
        merged.changed,
        merged.tensors,
        number::bytes(merged.bytes),
        merged.weight_files,
    ));
    console.machine(&json!({
        "out": flags.out,
        "tensors": merged.tensors,
        "changed": merged.changed,
        "bytes": merged.bytes,
        "weight_files": merged.weight_files,
        "notes": merged.notes,
    }));
}
