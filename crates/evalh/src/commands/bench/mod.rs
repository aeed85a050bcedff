//! `evalh bench`.

mod adapters;
mod clock;
mod found;
mod noise;
mod plan;
mod show;
mod work;

use crate::{
    artifacts::Artifacts,
    checkpoints,
    energy::Meter,
    failure::{Exit, Failure, OrFail as _, Outcome},
    flags::{BenchFlags, Part, Quantize},
    output::{Console, Task},
    settings::{BASE, DEFAULT_MODEL, ModelChoice, all_threads},
    usage::{self, PeakMemory},
};
use clock::timed;
use evalh_adapter::{Adapter, AdapterUpdate};
use evalh_checkpoint::{Checkpoint, WeightSource as _};
use evalh_engine::available_memory;
use evalh_model::{Decoder, ENCODER_FAMILIES, LoadOptions};
use found::{Found, Load, Subject};
use noise::Watch;
use plan::{Bounds, Plan};
use std::{fs, path::Path};
use work::Tokens;

/// Measures how fast a checkpoint computes, and what adapters cost.
///
/// # Errors
/// When an option has no effect, the checkpoint or an adapter cannot be used, or the memory does not suffice.
pub fn bench(flags: &BenchFlags) -> Outcome<Exit> {
    let console = Console::new(flags.output);
    check_names(flags)?;
    if let Some(dir) = &flags.out {
        make_folder(dir)?;
    }
    let threads = flags.threads.unwrap_or_else(all_threads);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads.get());
    pool.build_global()
        .or_fail_to(|| format!("start {threads} threads"))?;

    let (name, mut model, load) = load(flags, &console)?;
    let plan = Plan::of(
        flags,
        Bounds {
            positions: model.config().max_positions,
            bytes_per_token: model.kv_bytes_per_token(),
            memory: available_memory() / 2,
        },
    )?;
    let adapters = open_adapters(flags, &model)?;
    let subject = Subject {
        evalh: env!("CARGO_PKG_VERSION").to_owned(),
        model: name,
        machine: usage::machine(),
        threads: threads.get(),
        device: flags.device.to_string(),
        kernel: model.kernel().to_string(),
        precision: flags.precision.to_string(),
        quantize: flags.quantize.map(|to| to.to_string()),
    };
    let found = measure(&mut model, &adapters, plan, subject, load, flags, &console)?;
    console.result(show::terminal(&found, Console::style()));
    for what in &found.plan.left_out {
        console.say(format_args!("left out: {what}"));
    }
    for warning in &found.warnings {
        console.warn(format_args!("{}; {}", warning.what, warning.remedy));
    }
    let json =
        serde_json::to_value(&found).or_fail_to(|| "write what was found as JSON".to_owned())?;
    console.machine(&json);
    if let Some(dir) = &flags.out {
        write(&dir.join("bench.json"), &format!("{json:#}\n"))?;
        write(&dir.join("bench.md"), &show::markdown(&found))?;
        console.result(format_args!("report: {}", dir.join("bench.md").display()));
    }
    Ok(Exit::Done)
}

/// Every adapter has a name of its own.
fn check_names(flags: &BenchFlags) -> Outcome<()> {
    for (index, adapter) in flags.adapter.iter().enumerate() {
        let cause = if adapter.name == BASE {
            format!("an adapter cannot be named `{BASE}`: that is what adapters are compared with")
        } else if flags.adapter[..index]
            .iter()
            .any(|other| other.name == adapter.name)
        {
            format!("two adapters are named `{}`", adapter.name)
        } else {
            continue;
        };
        return Err(Failure::new("make sense of the options")
            .cause(cause)
            .help("give each --adapter a name of its own"));
    }
    Ok(())
}

fn make_folder(dir: &Path) -> Outcome<()> {
    let what = || format!("make the folder {}", dir.display());
    fs::create_dir_all(dir).or_fail_to(what)?;
    let mut listed = fs::read_dir(dir).or_fail_to(what)?;
    if listed.next().is_some() {
        return Err(Failure::new(what())
            .cause("it holds other things")
            .help("give --out a new folder"));
    }
    Ok(())
}

fn write(path: &Path, text: &str) -> Outcome<()> {
    fs::write(path, text).or_fail_to(|| format!("write {}", path.display()))
}

/// The checkpoint's name, the model, and what loading took.
fn load(flags: &BenchFlags, console: &Console) -> Outcome<(String, Decoder, Load)> {
    let here = std::env::current_dir().or_fail_to(|| "find the working folder".to_owned())?;
    let choice = ModelChoice::of(flags.model.as_deref().unwrap_or(DEFAULT_MODEL), &here);
    let artifacts = Artifacts::new(console, flags.offline)?;
    let located = checkpoints::locate(&choice, &artifacts, "--model")?;
    let options = LoadOptions {
        kernel: flags.kernel.choice(),
        precision: flags.precision.choice(),
        quantize: flags.quantize.map(Quantize::choice),
    };
    let loading = Task::unknown(console, &format!("loading {}", located.name));
    let memory = PeakMemory::begin();
    let (lap, model) = timed(|| {
        let checkpoint = Checkpoint::open(&located.path).or_fail()?;
        refuse_encoder(&checkpoint)?;
        Decoder::load(&checkpoint, flags.device, options).or_fail()
    })?;
    loading.finish();
    let held = model.footprint();
    let load = Load {
        seconds: lap.wall,
        cpu_seconds: lap.cpu,
        parameters: held.parameters,
        bytes: held.bytes,
        dtype: held.dtype,
        peak_memory_bytes: memory.bytes(),
    };
    Ok((located.name, model, load))
}

fn refuse_encoder(checkpoint: &Checkpoint) -> Outcome<()> {
    let family = checkpoint.config()["model_type"].as_str();
    let encoder = ENCODER_FAMILIES
        .iter()
        .find(|encoder| Some(encoder.model_type) == family);
    match encoder {
        None => Ok(()),
        Some(encoder) => Err(Failure::new("measure the checkpoint")
            .cause(format!(
                "{} is an encoder, which writes no tokens",
                encoder.model_type
            ))
            .help("give --model a decoder")),
    }
}

fn open_adapters(flags: &BenchFlags, model: &Decoder) -> Outcome<Vec<(String, AdapterUpdate)>> {
    let layout = model.layout();
    let open = |path: &Path| {
        let adapter = Adapter::open(path).or_fail()?;
        adapter.resolve(&layout).or_fail()
    };
    let named = flags.adapter.iter();
    named
        .map(|adapter| Ok((adapter.name.clone(), open(&adapter.path)?)))
        .collect()
}

fn measure(
    model: &mut Decoder,
    adapters: &[(String, AdapterUpdate)],
    plan: Plan,
    subject: Subject,
    load: Load,
    flags: &BenchFlags,
    console: &Console,
) -> Outcome<Found> {
    let meter = Meter::of(flags.device);
    let (watch, memory) = (Watch::begin(), PeakMemory::begin());
    let mut ids = Tokens::new(plan.seed, model);
    let compared = plan.measures(Part::Adapters);
    let steps = plan.prompt_tokens.len()
        + plan.batches.len()
        + usize::from(plan.measures(Part::Requests))
        + if compared {
            plan.rounds * (1 + 2 * adapters.len())
        } else {
            0
        };
    let progress = Task::items(console, "measuring", steps as u64);
    let mut prefill = Vec::new();
    for &tokens in &plan.prompt_tokens {
        prefill.push(work::prefill(model, tokens, &plan, &mut ids, &meter)?);
        progress.advance(1);
    }
    let mut decode = Vec::new();
    for &batch in &plan.batches {
        decode.push(work::decode(model, batch, &plan, &mut ids, &meter)?);
        progress.advance(1);
    }
    let mut requests = None;
    if plan.measures(Part::Requests) {
        requests = Some(work::requests(model, &plan, &mut ids, &meter)?);
        progress.advance(1);
    }
    let adapters = if compared {
        adapters::compare(model, adapters, &plan, &mut ids, &progress)?
    } else {
        Vec::new()
    };
    progress.finish();
    let mut found = Found {
        subject,
        load,
        prefill,
        decode,
        requests,
        adapters,
        peak_memory_bytes: memory.bytes(),
        energy: meter.source(),
        noise: watch.end(),
        warnings: Vec::new(),
        plan,
    };
    found.warnings = noise::warnings(&found);
    Ok(found)
}
