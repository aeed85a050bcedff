//! `evalh train`.

use crate::{
    failure::{Exit, Failure, OrFail as _, Outcome},
    flags::TrainFlags,
    interrupt,
    output::{Console, number},
    settings::all_threads,
    training::{self, Choices, DataChoice, Trained},
};
use evalh_record::training::{
    Budget, Length, Method, Precision as Arithmetic, Status, Stop, TargetMetric,
};
use evalh_train::plan::{Recipe, Targets, Until};

/// The rank of updates where nobody says.
const RANK: usize = 16;

/// Trains an adapter or a checkpoint.
///
/// # Errors
/// When an option has no effect, something cannot be used, or the folder written.
pub fn train(flags: &TrainFlags) -> Outcome<Exit> {
    let console = Console::new(flags.output);
    if let Some(from) = &flags.from_scratch {
        let parameters = training::from_scratch(from, flags.learn.seed, &flags.out)?;
        console.result(format_args!(
            "wrote {}: {} random values",
            flags.out.display(),
            number::thousands(parameters as u64)
        ));
        console.machine(&serde_json::json!({ "parameters": parameters }));
        return Ok(Exit::Done);
    }
    let choices = choices(flags)?;
    let threads = flags.threads.unwrap_or_else(all_threads);
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads.get())
        .build_global()
        .or_fail_to(|| format!("start {threads} threads"))?;
    interrupt::listen_to_resume(&format!(
        "the same command with --resume (--out {})",
        flags.out.display()
    ))?;
    let trained = training::train(&choices, &console, true)?;
    say(&trained, &choices, &console)
}

/// What the flags mean together.
fn choices(flags: &TrainFlags) -> Outcome<Choices> {
    let (Some(model), Some(data)) = (&flags.model, &flags.data.data) else {
        return Err(Failure::new("train")
            .cause("there is no data")
            .help("give --data a JSON Lines file"));
    };
    let method = flags.method.choice();
    check(flags, method)?;
    let learn = &flags.learn;
    let rank = flags.rank.map_or(RANK, std::num::NonZero::get);
    Ok(Choices {
        model: model.clone(),
        data: DataChoice {
            path: data.clone(),
            loss: flags.data.loss.choice(),
            max_tokens: flags.data.max_tokens.map(std::num::NonZero::get),
            chat_template: flags.data.chat_template,
            end_of_text: true,
        },
        held_out: flags.held_out.clone(),
        method,
        quantize: flags.quantize,
        layers: flags.layers.clone(),
        recipe: Recipe {
            rank,
            alpha: flags.alpha.unwrap_or(2.0 * rank as f64),
            rslora: flags.rslora,
            dropout: flags.dropout,
            targets: match flags.targets.as_slice() {
                [] => Targets::AllLinear,
                [all] if all == "all-linear" => Targets::AllLinear,
                names => Targets::Named(names.to_vec()),
            },
            rank_pattern: pattern(&flags.rank_pattern),
            alpha_pattern: pattern(&flags.alpha_pattern),
            schedule: learn.schedule.choice(),
            warmup: learn.warmup.0,
            learning_rate: learn.learning_rate,
            betas: [learn.beta1, learn.beta2],
            epsilon: learn.epsilon,
            weight_decay: learn.weight_decay,
            clip: (learn.clip > 0.0).then_some(learn.clip),
            batch_size: learn.batch_size.get(),
            accumulation: learn.accumulation.get(),
            length: match (learn.steps, learn.epochs) {
                (Some(steps), _) => Length::Steps(steps),
                (None, epochs) => Length::Epochs(epochs.unwrap_or(1.0)),
            },
            precision: match flags.precision {
                crate::flags::Precision::Bf16 => Arithmetic::Bf16,
                crate::flags::Precision::Auto | crate::flags::Precision::F32 => Arithmetic::F32,
            },
            packing: learn.packing,
            checkpoint_every: None,
        },
        initial: flags.initial.clone(),
        seed: learn.seed,
        budget: flags.budget.map(|wall_seconds| Budget {
            of: flags
                .budget_of
                .clone()
                .unwrap_or_else(|| "--budget".to_owned()),
            wall_seconds,
        }),
        until: flags.until_loss.map(|target| Until {
            metric: if flags.held_out.is_some() {
                TargetMetric::HeldOutLoss
            } else {
                TargetMetric::Loss
            },
            target,
            every: flags.until_every,
        }),
        device: flags.device,
        kernel: flags.kernel.choice(),
        memory: flags.memory.map(|size| size.0),
        offline: flags.offline,
        out: flags.out.clone(),
        resume: flags.resume,
        checkpoint_every: flags.checkpoint_every,
        write_batches: flags.write_batches.clone(),
        command: std::env::args().skip(1).collect::<Vec<_>>().join(" "),
    })
}

/// Nothing is given that would have no effect, and every number is one of its kind.
fn check(flags: &TrainFlags, method: Method) -> Outcome<()> {
    let refused = |cause: String, help: &str| {
        Err(Failure::new("make sense of the options")
            .cause(cause)
            .help(help))
    };
    if method == Method::Full {
        for (given, flag) in [
            (flags.rank.is_some(), "--rank"),
            (!flags.targets.is_empty(), "--targets"),
            (flags.alpha.is_some(), "--alpha"),
            (flags.rslora, "--rslora"),
            (flags.dropout > 0.0, "--dropout"),
            (!flags.rank_pattern.is_empty(), "--rank-pattern"),
            (!flags.alpha_pattern.is_empty(), "--alpha-pattern"),
            (flags.initial.is_some(), "--initial"),
            (flags.quantize.is_some(), "--quantize"),
        ] {
            if given {
                let cause =
                    format!("{flag} is for adapters, and --method full trains every weight");
                return refused(cause, "leave it out, or train an adapter (--method lora)");
            }
        }
    }
    let learn = &flags.learn;
    for (name, value, fits) in [
        (
            "--learning-rate",
            learn.learning_rate,
            learn.learning_rate > 0.0,
        ),
        (
            "--weight-decay",
            learn.weight_decay,
            learn.weight_decay >= 0.0,
        ),
        ("--clip", learn.clip, learn.clip >= 0.0),
        ("--epsilon", learn.epsilon, learn.epsilon > 0.0),
        ("--beta1", learn.beta1, (0.0..1.0).contains(&learn.beta1)),
        ("--beta2", learn.beta2, (0.0..1.0).contains(&learn.beta2)),
        (
            "--dropout",
            flags.dropout,
            (0.0..1.0).contains(&flags.dropout),
        ),
        (
            "--epochs",
            learn.epochs.unwrap_or(1.0),
            learn.epochs.is_none_or(|e| e > 0.0),
        ),
        (
            "--budget",
            flags.budget.unwrap_or(1.0),
            flags.budget.is_none_or(|b| b > 0.0),
        ),
        (
            "--alpha",
            flags.alpha.unwrap_or(1.0),
            flags.alpha.is_none_or(|a| a > 0.0),
        ),
    ] {
        if !(fits && value.is_finite()) {
            let cause = format!("{name} {value} is no such number");
            return refused(cause, "see `evalh train --help`");
        }
    }
    Ok(())
}

fn pattern<T: Clone>(given: &[crate::flags::Named<T>]) -> std::collections::BTreeMap<String, T> {
    let pairs = given.iter();
    pairs
        .map(|named| (named.name.clone(), named.value.clone()))
        .collect()
}

fn say(trained: &Trained, choices: &Choices, console: &Console) -> Outcome<Exit> {
    let training = &trained.training;
    let json =
        serde_json::to_value(training).or_fail_to(|| "write the record as JSON".to_owned())?;
    console.machine(&json);
    let out = choices.out.display();
    match &training.status {
        Status::Failed(failure) => {
            let layer = failure.layer.map(|layer| format!(" in layer {layer}"));
            let tensor = failure.tensor.as_ref().map(|name| format!(" ({name})"));
            return Err(Failure::new(format!(
                "train: step {}{}{}",
                failure.step,
                layer.unwrap_or_default(),
                tensor.unwrap_or_default()
            ))
            .cause(failure.problem.clone())
            .help(format!("the record is in {out}")));
        }
        Status::Stopped {
            why: Stop::Interrupted,
        } => {
            console.say(format_args!(
                "stopped after step {}; go on with the same command and --resume",
                training.steps
            ));
            return Ok(Exit::Incomplete);
        }
        Status::Stopped { why } => console.say(format_args!(
            "ended after step {}: {}",
            training.steps,
            match why {
                Stop::TargetReached => "the loss is reached",
                Stop::BudgetSpent => "the time is spent",
                Stop::Interrupted => "interrupted",
            }
        )),
        Status::Done | Status::Running => {}
    }
    let loss = training.loss.map_or_else(String::new, |loss| {
        format!(
            ", loss {:.4} to {:.4} (mean of the last ten)",
            loss.first, loss.mean_last_10
        )
    });
    console.result(format_args!(
        "wrote {out}: {} of {} parameters in {} of {} layers, {} steps in {:.1} s ({:.1} s CPU){loss}",
        number::thousands(training.trainable_parameters),
        number::thousands(training.total_parameters),
        training.settings.layers.trained.len(),
        training.settings.layers.of_layers,
        training.steps,
        training.seconds.wall,
        training.seconds.cpu,
    ));
    Ok(Exit::Done)
}
