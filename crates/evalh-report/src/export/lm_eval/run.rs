//! What is told of the run as a whole.

use super::chat::Told;
use evalh_record::{Record, SuiteSettings, VariantSettings, sha256_bytes};
use serde_json::{Map, Value, json};

/// Adds the run's settings.
pub fn write(
    record: &Record,
    variant: &VariantSettings,
    told: &Told,
    all: &mut Map<String, Value>,
) {
    let settings = &record.manifest.settings;
    let name = model_name(variant);
    let chat = told.chat.as_ref();
    let system = chat.and_then(|chat| chat.system.as_deref());
    let told = [
        ("config", config(record, variant)),
        ("git_hash", Value::Null),
        ("date", Value::Null),
        ("task_hashes", json!({})),
        ("model_source", json!("evalh")),
        ("model_name", json!(name)),
        ("model_name_sanitized", json!(sanitized(&name))),
        ("system_instruction", json!(system)),
        (
            "system_instruction_sha",
            json!(system.map(|text| sha256_bytes(text.as_bytes()))),
        ),
        (
            "fewshot_as_multiturn",
            json!(chat.and_then(|chat| chat.shots_as_turns)),
        ),
        ("chat_template", Value::Null),
        ("chat_template_sha", json!(told.template)),
        (
            "total_evaluation_time_seconds",
            json!(seconds(record, variant)),
        ),
        (
            "evalh",
            json!({
                "version": settings.evalh,
                "variant": variant,
                "kernel": settings.kernel,
                "machine": record.manifest.provenance.machine,
                "command": record.manifest.provenance.command,
            }),
        ),
    ];
    for (field, value) in told {
        all.insert(field.into(), value);
    }
}

fn config(record: &Record, variant: &VariantSettings) -> Value {
    let settings = &record.manifest.settings;
    let checkpoint = settings
        .checkpoints
        .iter()
        .find(|checkpoint| checkpoint.name == variant.checkpoint);
    let mut arguments = Map::new();
    arguments.insert("pretrained".into(), json!(variant.checkpoint));
    if let Some(adapter) = &variant.adapter {
        arguments.insert("adapter".into(), json!(variant.name));
        arguments.insert("apply".into(), json!(adapter.apply));
    }
    if let Some(quantized) = checkpoint.and_then(|checkpoint| checkpoint.quantized.as_ref()) {
        arguments.insert("quantize".into(), json!(quantized));
    }
    json!({
        "model": "evalh",
        "model_args": arguments,
        "model_num_parameters": checkpoint.map(|checkpoint| checkpoint.parameters),
        "model_dtype": settings.dtype,
        "batch_size": null,
        "batch_sizes": [],
        "device": settings.device,
        "use_cache": null,
        "limit": shared(&settings.suites, |suite| Some(suite.limit)),
        "bootstrap_iters": null,
        "gen_kwargs": null,
        "random_seed": null,
        "numpy_seed": null,
        "torch_seed": null,
        "fewshot_seed": shared(&settings.suites, |suite| suite.options.get("shot_seed").and_then(Value::as_u64)),
    })
}

/// The value that all suites which have one have in common.
fn shared<T: PartialEq>(
    suites: &[SuiteSettings],
    of: impl Fn(&SuiteSettings) -> Option<T>,
) -> Option<T> {
    let mut values = suites.iter().filter_map(of);
    let first = values.next()?;
    values.all(|value| value == first).then_some(first)
}

/// The checkpoint's name, with the variant's where it is that with an adapter.
fn model_name(variant: &VariantSettings) -> String {
    match variant.adapter {
        None => variant.checkpoint.clone(),
        Some(_) => format!("{}+{}", variant.checkpoint, variant.name),
    }
}

/// As lm-eval names folders: each run of characters that a file system may refuse becomes two underscores.
fn sanitized(name: &str) -> String {
    let is_refused = |c: char| "\"<>:/|\\?*[]".contains(c);
    let mut out = String::new();
    let mut was_refused = false;
    for c in name.chars() {
        match (is_refused(c), was_refused) {
            (false, _) => out.push(c),
            (true, false) => out.push_str("__"),
            (true, true) => {}
        }
        was_refused = is_refused(c);
    }
    out
}

/// Seconds that the variant took; `None` where others were answered beside it, so that nobody can tell.
fn seconds(record: &Record, variant: &VariantSettings) -> Option<String> {
    let mut sum = 0.0;
    let mut is_measured = false;
    for sitting in &record.timings.sittings {
        let names: Vec<&String> = sitting.names().collect();
        match names.as_slice() {
            [only] if **only == variant.name => {
                sum += sitting.load_seconds + sitting.wall_seconds;
                is_measured = true;
            }
            several if several.contains(&&variant.name) => return None,
            _ => {}
        }
    }
    is_measured.then(|| sum.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_folders_are_lm_evals() {
        assert_eq!(sanitized("org/model:a?*b"), "org__model__a__b");
        assert_eq!(sanitized("smollm2+standard"), "smollm2+standard");
    }
}
