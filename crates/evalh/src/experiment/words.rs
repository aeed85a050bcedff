//! A job as the words of a command.

use super::{Settings, layers_file, make};
use crate::failure::{Failure, OrFail as _, Outcome};
use evalh_record::training::{
    Length, LossOn, Method, Precision, Schedule, TargetMetric, TrainingRecord,
};
use evalh_train::{
    optimizer::WarmUp,
    plan::{Arm, ArmLayers, Done, EvaluationJob, Job, Plan, ProbeJob, Targets, TrainingJob, Work},
    select::Layers,
};
use std::path::Path;

/// The words of a job; `again` where it was begun before.
///
/// # Errors
/// When a training that it is matched to left no record.
pub fn of(
    settings: &Settings<'_>,
    job: &Job,
    before: &[(&Job, Done)],
    again: bool,
) -> Outcome<Vec<String>> {
    let mut words = match &job.work {
        Work::Probe(probe) => {
            make(&job.folder)?;
            of_probe(settings.plan, job, probe)
        }
        Work::Train(training) => of_training(settings.plan, job, training, before, again)?,
        Work::Evaluate(evaluation) => of_evaluation(settings.plan, job, evaluation, again),
    };
    if settings.offline && !(again && matches!(job.work, Work::Evaluate(_))) {
        words.push("--offline".to_owned());
    }
    Ok(words)
}

/// The checkpoint, as a command in the working folder names it.
pub fn model(plan: &Plan) -> String {
    let beside = plan.here().join(&plan.model);
    if beside.exists() {
        beside.display().to_string()
    } else {
        plan.model.clone()
    }
}

struct Words(Vec<String>);

impl Words {
    fn of(command: &str) -> Self {
        Self(vec![command.to_owned()])
    }

    fn flag(&mut self, flag: &str) {
        self.0.push(flag.to_owned());
    }

    #[allow(
        clippy::needless_pass_by_value,
        reason = "most values are made where they are given"
    )]
    fn set(&mut self, flag: &str, value: impl ToString) {
        self.0.push(flag.to_owned());
        self.0.push(value.to_string());
    }

    fn path(&mut self, flag: &str, path: &Path) {
        self.set(flag, path.display());
    }

    fn data(&mut self, plan: &Plan) {
        let data = &plan.data;
        self.path("--data", &data.train);
        self.set(
            "--loss",
            match data.loss {
                LossOn::Response => "response",
                LossOn::All => "all",
            },
        );
        self.set("--max-tokens", data.max_tokens);
        if data.chat_template {
            self.flag("--chat-template");
        }
    }

    fn threads(&mut self, plan: &Plan) {
        if let Some(threads) = plan.threads {
            self.set("--threads", threads);
        }
    }
}

fn of_probe(plan: &Plan, job: &Job, ProbeJob { probe, seed }: &ProbeJob) -> Vec<String> {
    let mut words = Words::of("probe");
    words.set("--model", model(plan));
    words.set("--method", probe.method);
    words.set("--top", probe.top);
    if probe.batches.is_some() || probe.samples.is_some() {
        words.data(plan);
    }
    if let Some(batches) = probe.batches {
        words.set("--batches", batches);
    }
    if let Some(samples) = probe.samples {
        words.set("--samples", samples);
    }
    words.set("--seed", seed);
    words.threads(plan);
    words.path("--out", &layers_file(&job.folder));
    words.0
}

fn of_training(
    plan: &Plan,
    job: &Job,
    training: &TrainingJob,
    before: &[(&Job, Done)],
    again: bool,
) -> Outcome<Vec<String>> {
    let arm = &plan.arms[training.arm];
    let recipe = &arm.recipe;
    let mut words = Words::of("train");
    words.set("--model", model(plan));
    words.data(plan);
    match arm.method {
        Method::Full => words.set("--method", "full"),
        Method::Lora => of_adapter(&mut words, arm),
    }
    let probe = training.probe.as_ref();
    let probe = probe.and_then(|id| before.iter().find(|(other, _)| other.id == *id));
    match (&arm.layers, probe) {
        (_, Some((probe, _))) => words.path("--layers", &layers_file(&probe.folder)),
        (ArmLayers::Given(Layers::File(path)), None) => words.path("--layers", path),
        (ArmLayers::Given(Layers::List(layers)), None) => {
            let layers: Vec<String> = layers.iter().map(ToString::to_string).collect();
            words.set("--layers", layers.join(","));
        }
        (ArmLayers::Given(Layers::All) | ArmLayers::Probe(_), None) => {}
    }
    let mut length = recipe.length;
    if let Some(of) = &training.budget_of {
        let matched = record(before, of)?;
        words.set("--budget", matched.training.seconds.wall);
        words.set("--budget-of", of);
        length = Length::Steps(horizon(plan, training, before, &matched));
    }
    match length {
        Length::Steps(steps) => words.set("--steps", steps),
        Length::Epochs(epochs) => words.set("--epochs", epochs),
    }
    words.set(
        "--schedule",
        match recipe.schedule {
            Schedule::Cosine => "cosine",
            Schedule::Linear => "linear",
            Schedule::Constant => "constant",
        },
    );
    match recipe.warmup {
        WarmUp::Steps(steps) => words.set("--warmup", steps),
        WarmUp::Ratio(share) => words.set("--warmup", format_args!("{}%", share * 100.0)),
    }
    words.set("--learning-rate", recipe.learning_rate);
    words.set("--beta1", recipe.betas[0]);
    words.set("--beta2", recipe.betas[1]);
    words.set("--epsilon", recipe.epsilon);
    words.set("--weight-decay", recipe.weight_decay);
    words.set("--clip", recipe.clip.unwrap_or(0.0));
    words.set("--batch-size", recipe.batch_size);
    if recipe.packing {
        words.flag("--packing");
    }
    words.set("--accumulation", recipe.accumulation);
    words.set(
        "--precision",
        match recipe.precision {
            Precision::F32 => "f32",
            Precision::Bf16 => "bf16",
        },
    );
    if let Some(every) = recipe.checkpoint_every {
        words.set("--checkpoint-every", every);
    }
    if let Some(until) = arm.until {
        words.set("--until-loss", until.target);
        words.set("--until-every", until.every);
        if let (TargetMetric::HeldOutLoss, Some(path)) = (until.metric, &plan.data.held_out) {
            words.path("--held-out", path);
        }
    }
    words.set("--seed", training.seed);
    words.threads(plan);
    words.path("--out", &job.folder);
    if again && job.folder.join("training.json").exists() {
        words.flag("--resume");
    }
    Ok(words.0)
}

fn of_adapter(words: &mut Words, arm: &Arm) {
    let recipe = &arm.recipe;
    if let Some(to) = &arm.quantize {
        words.set("--quantize", to);
    }
    words.set("--rank", recipe.rank);
    words.set("--alpha", recipe.alpha);
    words.set("--dropout", recipe.dropout);
    if recipe.rslora {
        words.flag("--rslora");
    }
    if let Targets::Named(names) = &recipe.targets {
        words.set("--targets", names.join(","));
    }
    for (name, rank) in &recipe.rank_pattern {
        words.set("--rank-pattern", format_args!("{name}={rank}"));
    }
    for (name, alpha) in &recipe.alpha_pattern {
        words.set("--alpha-pattern", format_args!("{name}={alpha}"));
    }
}

fn of_evaluation(
    plan: &Plan,
    job: &Job,
    EvaluationJob { variants }: &EvaluationJob,
    again: bool,
) -> Vec<String> {
    let mut words = Words::of("run");
    if again && job.folder.join("manifest.json").exists() {
        words.path("--resume", &job.folder);
        return words.0;
    }
    let Some(evaluation) = &plan.evaluate else {
        return words.0;
    };
    words.set("--suite", evaluation.suites().join(","));
    words.set("--model", model(plan));
    for variant in variants {
        let flag = match variant.method {
            Method::Lora => "--adapter",
            Method::Full => "--variant",
        };
        words.set(
            flag,
            format_args!("{}={}", variant.name, variant.folder.display()),
        );
    }
    if let Some(to) = &evaluation.quantize {
        words.set("--quantize", to);
    }
    words.0.extend(evaluation.arguments.iter().cloned());
    words.threads(plan);
    words.path("--out", &job.folder);
    words.0
}

/// The record of a training that is done.
fn record(before: &[(&Job, Done)], id: &str) -> Outcome<TrainingRecord> {
    let job = before.iter().find(|(job, _)| job.id == id);
    let Some((job, _)) = job else {
        return Err(Failure::new(format!("find the training {id}")));
    };
    TrainingRecord::read(&job.folder).or_fail()
}

/// Steps over which the rate of a compute-matched training falls: as many as fit into the time of the training that it is
/// matched to, by the speed of another training of the same layers and seed; twice its steps where there is none.
fn horizon(
    plan: &Plan,
    training: &TrainingJob,
    before: &[(&Job, Done)],
    matched: &TrainingRecord,
) -> u64 {
    let arm = &plan.arms[training.arm];
    let alike = before.iter().find_map(|(job, done)| match &job.work {
        Work::Train(other)
            if *done == Done::Finished
                && other.seed == training.seed
                && plan.arms[other.arm].layers == arm.layers
                && plan.arms[other.arm].method == arm.method =>
        {
            TrainingRecord::read(&job.folder).ok()
        }
        _ => None,
    });
    let budget = matched.training.seconds.wall;
    let steps = match alike.map(|record| record.training) {
        Some(alike) if alike.seconds.wall > 0.0 => {
            (alike.steps as f64 * budget / alike.seconds.wall).ceil() as u64
        }
        _ => 2 * matched.training.steps,
    };
    steps.max(1)
}
