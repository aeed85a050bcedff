//! `evalh adapter merge`.

use super::{Base, open};
use crate::{
    failure::{Exit, Failure, OrFail as _, Outcome},
    flags::{AdapterMergeFlags, OutputFlags},
    output::{Console, Task, number},
};
use evalh_adapter::{Adapter, AdapterUpdate, MergeReport, MergedCheckpoint, combine, parse_mix};
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
    let plan = MergedCheckpoint::plan(base.model(), &update).or_fail()?;
    let from = base.checkpoint.path();
    if !from.is_dir() {
        return Err(Failure::new(format!("merge into {}", from.display()))
            .cause("a GGUF file has no tokenizer and config in the form of a Hugging Face folder")
            .help("merge into the Hugging Face folder that the file was made of"));
    }
    let writing = Task::unknown(&console, "writing and checking");
    let report = plan.write(from, &flags.out).or_fail()?;
    writing.finish();
    say(&console, flags, &report)?;
    let damaged = !report.non_finite.is_empty();
    Ok(if damaged { Exit::NotPassed } else { Exit::Done })
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

fn say(console: &Console, flags: &AdapterMergeFlags, report: &MergeReport) -> Outcome<()> {
    if report.untied {
        console.result(
            "note: the head, which was the table of embeddings, is a tensor of its own now",
        );
    }
    for tensor in &report.left_out {
        console.result(format_args!("note: {tensor} is no weight and is left out"));
    }
    for damaged in &report.non_finite {
        console.warn(format_args!(
            "{} has {} infinite values and {} that are no numbers in the model's type; merge into a copy of the model in bf16 or f32",
            damaged.tensor, damaged.infinite, damaged.nan
        ));
    }
    let files = report.weights.len();
    console.result(format_args!(
        "wrote {}: {} of {} tensors changed, {} in {files} {}; every value read back is the one that was written",
        flags.out.display(),
        report.changed,
        report.tensors,
        number::bytes(report.bytes),
        if files == 1 { "file" } else { "files" },
    ));
    let json = serde_json::to_value(report).or_fail_to(|| "write the report as JSON".to_owned())?;
    console.machine(&json);
    Ok(())
}
