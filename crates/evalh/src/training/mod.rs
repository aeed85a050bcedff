//! One training or probe, from what a user chose to the folder that is written.

mod gauge;
mod material;
mod modules;
mod output;
mod probe;
mod scratch;
mod settings;

pub use gauge::ProcessGauge;
use material::TrainingData;
pub use material::{DataChoice, Material};
pub use probe::{ProbeChoices, probe};
pub use scratch::from_scratch;

use crate::{
    failure::{Failure, OrFail as _, Outcome},
    flags::Quantize,
    interrupt,
    output::Console,
};
use evalh_engine::available_memory;
use evalh_model::{DeviceChoice, KernelChoice};
use evalh_record::training::{
    Budget, ClaimedTraining, Method, Precision, ResumableTraining, Seconds, Status, StepRow,
    Training, TrainingError, TrainingFolder, TrainingSettings,
};
use evalh_train::data::{BatchSize, Batches, EncodedData, Order};
use evalh_train::optimizer::{AdamW, Dropout, LearningRate};
use evalh_train::plan::{self, Recipe};
use evalh_train::run::{Goal, RunError, Session, Watcher};
use evalh_train::select::Layers;
use evalh_train::{Recipe as StepRecipe, Trainer};
use std::path::{Path, PathBuf};

/// Everything that makes a training what it is.
#[derive(Debug, Clone)]
pub struct Choices {
    /// The checkpoint, as the user names it.
    pub model: String,
    /// The data.
    pub data: DataChoice,
    /// Data whose loss is to reach `until`.
    pub held_out: Option<PathBuf>,
    /// What is trained.
    pub method: Method,
    /// What frozen weights are rounded to.
    pub quantize: Option<Quantize>,
    /// The layers that are adapted.
    pub layers: Layers,
    /// Ranks, rates and lengths.
    pub recipe: Recipe,
    /// An adapter whose factors the training begins with.
    pub initial: Option<PathBuf>,
    /// The seed of factors, order and dropout.
    pub seed: u64,
    /// Seconds after which the training ends.
    pub budget: Option<Budget>,
    /// The loss at which the training ends.
    pub until: Option<plan::Until>,
    /// Where it computes.
    pub device: DeviceChoice,
    /// By which primitives.
    pub kernel: KernelChoice,
    /// Bytes to keep frozen activations in; `None` for a quarter of what is free.
    pub memory: Option<u64>,
    /// Whether only what is on this machine may be used.
    pub offline: bool,
    /// The folder.
    pub out: PathBuf,
    /// Whether the folder's training is gone on with.
    pub resume: bool,
    /// Steps between two checkpoints; 0 for none.
    pub checkpoint_every: u64,
    /// A file for every batch as token ids.
    pub write_batches: Option<PathBuf>,
    /// The command that it is run by, for the record.
    pub command: String,
}

/// How a training ended.
#[derive(Debug, Clone)]
pub struct Trained {
    /// Its record as it was written last.
    pub training: Training,
}

/// Checkpoints that are kept beside the newest one.
const KEEP: usize = 2;

/// Trains, and writes the folder. The threads are those of rayon's global pool.
///
/// # Errors
/// When something cannot be read or used, or the folder written. A loss that is no finite number is no error: the record
/// says so.
pub fn train(choices: &Choices, console: &Console, show: bool) -> Outcome<Trained> {
    // The folder is looked at first, so that nobody waits for a model in vain.
    let folder = Folder::open(choices)?;
    let material = Material::open(&choices.model, choices.offline, console)?;
    let data = material.data(&choices.data)?;
    data.say(console);
    let held_out = choices
        .held_out
        .as_ref()
        .map(|path| {
            let choice = DataChoice {
                path: path.clone(),
                ..choices.data.clone()
            };
            material.data(&choice)
        })
        .transpose()?;
    let batches = batches(choices, &data)?;
    let steps = planned_steps(choices, &batches)?;
    if let Some(path) = &choices.write_batches {
        write_batches(path, batches.clone(), &data.encoded, steps, choices)?;
    }
    let decoder = material.decoder(choices)?;
    let chosen = modules::choose(choices, &decoder.layout())?;
    let warm_up_steps = choices.recipe.warmup.steps(steps).or_fail()?;
    let held_out_files = held_out.as_ref().map(|data| data.files.clone());
    let settings = settings::settings(
        choices,
        &material,
        &data,
        &chosen,
        steps,
        warm_up_steps,
        held_out_files.unwrap_or_default(),
    );
    let recipe = step_recipe(choices, steps, warm_up_steps)?;
    let total = decoder.footprint().parameters as u64;
    let fan_in_fan_out = chosen.fan_in_fan_out;
    let layout = decoder.layout();
    let trainer = match choices.method {
        Method::Lora => Trainer::lora(decoder, chosen.starts, recipe),
        Method::Full => Trainer::full(decoder, recipe),
    }
    .or_fail()?;
    let training = settings::record(
        choices,
        settings.clone(),
        trainer.parameters() as u64,
        total,
    );
    let goal = choices.until.as_ref().map(|until| Goal {
        value: until.target,
        every: until.every,
        held_out: held_out.map_or_else(Vec::new, |data| data.encoded.examples),
        last: None,
    });
    let new = |folder: TrainingFolder| Session {
        folder,
        trainer,
        examples: &data.encoded.examples,
        batches,
        accumulation: choices.recipe.accumulation,
        steps,
        checkpoint_every: choices.checkpoint_every,
        keep: KEEP,
        budget: choices.budget.as_ref().map(|budget| budget.wall_seconds),
        goal,
        before: Seconds::default(),
        joules_before: None,
    };
    let mut session = folder.begin(training, &settings, new)?;
    let mut gauge = ProcessGauge::new(choices.device);
    let mut teller = Teller::new(console, show);
    let status = session
        .run(&mut gauge, &mut teller)
        .map_err(|error| of_run(&error))?;
    if status.is_over() && !matches!(status, Status::Failed(_)) {
        let written = output::write(
            choices,
            &material,
            &layout,
            &session.trainer,
            fan_in_fan_out,
        );
        if let Err(failure) = written {
            session
                .fail(failure.to_string())
                .map_err(|error| of_run(&error))?;
            return Err(failure);
        }
    }
    Ok(Trained {
        training: session.folder.training().clone(),
    })
}

/// The folder, claimed or to be resumed.
enum Folder {
    New(ClaimedTraining),
    Old(Box<ResumableTraining>),
}

impl Folder {
    fn open(choices: &Choices) -> Outcome<Folder> {
        if !choices.resume {
            return TrainingFolder::claim(&choices.out)
                .map(Folder::New)
                .map_err(|error| of_record("make the training's folder", &error));
        }
        let old = TrainingFolder::open(&choices.out)
            .map_err(|error| of_record("resume the training", &error))?;
        if old.training().status.is_over() {
            return Err(
                Failure::new(format!("go on with {}", choices.out.display()))
                    .cause("the training there is over")
                    .help("give --out another folder to train again"),
            );
        }
        Ok(Folder::Old(Box::new(old)))
    }

    fn begin<'a>(
        self,
        training: Training,
        settings: &TrainingSettings,
        new: impl FnOnce(TrainingFolder) -> Session<'a>,
    ) -> Outcome<Session<'a>> {
        match self {
            Folder::New(claimed) => claimed
                .begin(training)
                .map(new)
                .map_err(|error| of_record("begin the training's record", &error)),
            Folder::Old(old) => {
                let mut session =
                    Session::resume(*old, settings, new).map_err(|error| of_run(&error))?;
                session
                    .folder
                    .update(|training| {
                        training.sessions += 1;
                        training.status = Status::Running;
                        training.ended = None;
                    })
                    .map_err(|error| of_record("resume the training", &error))?;
                Ok(session)
            }
        }
    }
}

fn of_run(error: &RunError) -> Failure {
    match error {
        RunError::Record(record) => of_record("record the training", record),
        other => Failure::of(other),
    }
}

/// An error of a training's record, with its remedy.
pub fn of_record(what: &str, error: &TrainingError) -> Failure {
    Failure::new(what).because(error).help(error.help())
}

fn batches(choices: &Choices, data: &TrainingData) -> Outcome<Batches> {
    let recipe = &choices.recipe;
    let size = if recipe.packing {
        let max_tokens = recipe.batch_size * data.max_tokens;
        BatchSize::Packing { max_tokens }
    } else {
        BatchSize::Samples(recipe.batch_size)
    };
    let examples = data.encoded.examples.iter();
    let lengths = examples.map(|example| example.tokens.len()).collect();
    Batches::new(lengths, size, Order::Shuffled { seed: choices.seed }).or_fail()
}

/// Steps by the recipe's length; an epoch is as many steps as its micro-batches make.
fn planned_steps(choices: &Choices, batches: &Batches) -> Outcome<u64> {
    use evalh_record::training::Length;
    let steps = match choices.recipe.length {
        Length::Steps(steps) => steps,
        Length::Epochs(epochs) => {
            let (whole, accumulation) = (epochs.floor() as u64, choices.recipe.accumulation as f64);
            let in_whole: usize = (0..whole).map(|epoch| batches.in_epoch(epoch)).sum();
            let part = (epochs - epochs.floor()) * batches.in_epoch(whole) as f64;
            ((in_whole as f64 + part) / accumulation).ceil() as u64
        }
    };
    if steps == 0 {
        return Err(Failure::new("plan the training")
            .cause("it would take no step")
            .help("give --steps or --epochs a larger number"));
    }
    Ok(steps)
}

/// Writes the batches in the form of `benches/training`.
fn write_batches(
    path: &Path,
    mut batches: Batches,
    data: &EncodedData,
    steps: u64,
    choices: &Choices,
) -> Outcome<()> {
    let example = |index: usize| {
        let example = &data.examples[index];
        let loss: Vec<u8> = example
            .loss
            .iter()
            .map(|counts| u8::from(*counts))
            .collect();
        serde_json::json!({ "tokens": example.tokens, "loss": loss })
    };
    let steps: Vec<Vec<serde_json::Value>> = (0..steps)
        .map(|_| {
            let micro = (0..choices.recipe.accumulation).map(|_| batches.take_next().examples);
            micro.flatten().map(example).collect()
        })
        .collect();
    let text = serde_json::json!({ "steps": steps }).to_string();
    std::fs::write(path, text).or_fail_to(|| format!("write {}", path.display()))
}

fn step_recipe(choices: &Choices, steps: u64, warm_up_steps: u64) -> Outcome<StepRecipe> {
    let recipe = &choices.recipe;
    let dropout = Dropout::new(recipe.dropout, choices.seed).or_fail()?;
    let memory = choices
        .memory
        .unwrap_or_else(|| available_memory() as u64 / 4);
    Ok(StepRecipe {
        optimizer: AdamW {
            betas: (recipe.betas[0], recipe.betas[1]),
            eps: recipe.epsilon,
            weight_decay: recipe.weight_decay,
        },
        rate: LearningRate {
            peak: recipe.learning_rate,
            schedule: recipe.schedule,
            warm_up_steps,
            total_steps: steps,
        },
        clip: recipe.clip.map(|clip| clip as f32),
        dropout: dropout.is_active().then_some(dropout),
        frozen_bytes: memory as usize,
    })
}

/// What precision the model computes in.
fn precision(choices: &Choices) -> evalh_model::PrecisionChoice {
    match choices.recipe.precision {
        Precision::F32 => evalh_model::PrecisionChoice::F32,
        Precision::Bf16 => evalh_model::PrecisionChoice::Bf16,
    }
}

/// Shows steps as they are taken.
struct Teller<'c> {
    console: &'c Console,
    show: bool,
    said: f64,
}

impl<'c> Teller<'c> {
    /// Seconds between two lines.
    const PAUSE: f64 = 5.0;

    fn new(console: &'c Console, show: bool) -> Self {
        Self {
            console,
            show,
            said: f64::NEG_INFINITY,
        }
    }
}

impl Watcher for Teller<'_> {
    fn step(&mut self, row: &StepRow, of: u64) {
        if !self.show || (row.wall_s - self.said < Self::PAUSE && row.step < of) {
            return;
        }
        self.said = row.wall_s;
        self.console.say(format_args!(
            "step {} of {of}: loss {:.4}, rate {:.2e}, gradient norm {:.3}, {:.0} tokens/s",
            row.step,
            row.loss,
            row.learning_rate,
            row.gradient_norm,
            row.tokens as f64 * row.step as f64 / row.wall_s.max(1e-9),
        ));
    }

    fn asked_to_stop(&self) -> bool {
        interrupt::asked()
    }
}
