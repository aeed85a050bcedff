//! `evalh probe`.

use crate::{
    failure::{Exit, Failure, OrFail as _, Outcome},
    flags::ProbeFlags,
    interrupt,
    output::Console,
    settings::all_threads,
    training::{DataChoice, ProbeChoices, of_record, probe as run},
};
use evalh_record::training::ProbeMethod;
use evalh_report::experiment::bars;

const BATCHES: usize = 5;
const SAMPLES: usize = 128;

/// Scores layers and chooses the best.
///
/// # Errors
/// When an option has no effect, something cannot be used, or the file written.
pub fn probe(flags: &ProbeFlags) -> Outcome<Exit> {
    let console = Console::new(flags.output);
    let choices = choices(flags)?;
    let threads = flags.threads.unwrap_or_else(all_threads);
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads.get())
        .build_global()
        .or_fail_to(|| format!("start {threads} threads"))?;
    interrupt::listen_to_stop()?;
    let selection = run(&choices, &console)?;
    selection
        .write(&flags.out)
        .map_err(|error| of_record("write what was found", &error))?;
    console.result(bars(&selection.scores, &selection.layers_to_transform));
    let layers: Vec<String> = selection
        .layers_to_transform
        .iter()
        .map(ToString::to_string)
        .collect();
    console.result(format_args!(
        "{} of {} layers by {}: {}\nwrote {} in {:.1} s ({:.1} s CPU)",
        layers.len(),
        selection.scores.len(),
        selection.method,
        layers.join(", "),
        flags.out.display(),
        selection.seconds.wall,
        selection.seconds.cpu,
    ));
    let json =
        serde_json::to_value(&selection).or_fail_to(|| "write the scores as JSON".to_owned())?;
    console.machine(&json);
    Ok(Exit::Done)
}

fn choices(flags: &ProbeFlags) -> Outcome<ProbeChoices> {
    let method = flags.method.choice();
    let of_gradients = matches!(method, ProbeMethod::Gradient | ProbeMethod::Fisher);
    let looks = of_gradients || method == ProbeMethod::Cka;
    for (given, has_effect, flag) in [
        (flags.batches.is_some(), of_gradients, "--batches"),
        (
            flags.samples.is_some(),
            method == ProbeMethod::Cka,
            "--samples",
        ),
        (flags.data.data.is_some(), looks, "--data"),
        (
            flags.memory.is_some(),
            method == ProbeMethod::Fisher,
            "--memory",
        ),
    ] {
        if given && !has_effect {
            return Err(Failure::new("make sense of the options")
                .cause(format!("{flag} has no effect on --method {method}"))
                .help("leave it out"));
        }
    }
    Ok(ProbeChoices {
        model: flags.model.clone(),
        data: flags.data.data.as_ref().map(|path| DataChoice {
            path: path.clone(),
            loss: flags.data.loss.choice(),
            max_tokens: flags.data.max_tokens.map(std::num::NonZero::get),
            chat_template: flags.data.chat_template,
            end_of_text: true,
        }),
        method,
        top: flags.top,
        batches: flags.batches.map_or(BATCHES, std::num::NonZero::get),
        batch_size: flags.batch_size.get(),
        samples: flags.samples.map_or(SAMPLES, std::num::NonZero::get),
        seed: flags.seed,
        device: flags.device,
        memory: flags.memory.map(|size| size.0),
        offline: flags.offline,
    })
}
