//! A training that is ready to run, of a decoder or an encoder.

use super::{
    Choices, Material, ProcessGauge, Trained, data::TrainingData, modules::Chosen, output, settings,
};
use crate::{
    failure::{Failure, OrFail as _, Outcome},
    interrupt,
    output::Console,
};
use evalh_adapter::{BaseModel, LoraTask};
use evalh_engine::available_memory;
use evalh_record::training::{
    ClaimedTraining, ResumableTraining, Seconds, Status, StepRow, Training, TrainingError,
    TrainingFolder, TrainingSettings,
};
use evalh_train::data::{BatchSize, Batches, Example, Order};
use evalh_train::optimizer::{AdamW, Dropout, LearningRate};
use evalh_train::run::{Goal, RunError, Session, Watcher};
use evalh_train::{Recipe as StepRecipe, TrainableModel, Trainer};
use std::path::Path;

/// Checkpoints that are kept beside the newest one.
const KEEP: usize = 2;

/// How long a training is and in which order it takes its examples.
pub struct Course {
    /// The order.
    pub batches: Batches,
    /// Steps to take.
    pub steps: u64,
    /// Steps in which the rate rises.
    pub warm_up_steps: u64,
}

/// Everything that a training needs beside its folder.
pub struct Plan<'a, M: TrainableModel> {
    /// The model with what is trained of it.
    pub trainer: Trainer<M>,
    /// What it was made of: what adapters can name in it, and the checkpoint that another is written like.
    pub base: BaseModel<'a>,
    /// Values of the whole model.
    pub parameters: u64,
    /// The examples.
    pub examples: &'a [M::Example],
    /// Examples whose loss is to reach the goal.
    pub held_out: Vec<M::Example>,
    /// The order.
    pub course: Course,
    /// What the record says of it.
    pub settings: TrainingSettings,
    /// What kind of adapter is written.
    pub adapter: AdapterKind,
}

/// What an adapter's folder says beside its factors.
pub struct AdapterKind {
    /// What the model is for.
    pub task: LoraTask,
    /// Modules that are saved whole beside the task's heads.
    pub modules_to_save: Vec<String>,
    /// Whether the checkpoint stores the adapted weights' transposes.
    pub fan_in_fan_out: bool,
}

impl AdapterKind {
    /// That of a decoder.
    pub fn causal(chosen: &Chosen) -> AdapterKind {
        AdapterKind {
            task: LoraTask::CausalLm,
            modules_to_save: Vec::new(),
            fan_in_fan_out: chosen.fan_in_fan_out,
        }
    }
}

/// Trains by a plan, and writes the folder.
///
/// # Errors
/// When the model refuses an example, or the folder cannot be written.
pub fn carry_out<M: TrainableModel>(
    choices: &Choices,
    (material, folder): (&Material, Folder),
    plan: Plan<'_, M>,
    console: &Console,
    show: bool,
) -> Outcome<Trained> {
    let Plan {
        trainer,
        base,
        parameters,
        examples,
        held_out,
        course,
        settings,
        adapter,
    } = plan;
    let trainable = trainer.parameters() as u64;
    let training = settings::record(choices, settings.clone(), trainable, parameters);
    let goal = choices.until.as_ref().map(|until| Goal {
        value: until.target,
        every: until.every,
        held_out,
        last: None,
    });
    let new = |folder: TrainingFolder| Session {
        folder,
        trainer,
        examples,
        batches: course.batches,
        accumulation: choices.recipe.accumulation,
        steps: course.steps,
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
        let written = output::write(choices, material, base, &session.trainer, adapter);
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
pub enum Folder {
    /// A new one.
    New(ClaimedTraining),
    /// One with a training that is not over.
    Old(Box<ResumableTraining>),
}

impl Folder {
    /// Claims the folder, or opens what is to be resumed.
    ///
    /// # Errors
    /// When it holds something else, or a training that is over.
    pub fn open(choices: &Choices) -> Outcome<Folder> {
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

    fn begin<'a, M: TrainableModel>(
        self,
        training: Training,
        settings: &TrainingSettings,
        new: impl FnOnce(TrainingFolder) -> Session<'a, M>,
    ) -> Outcome<Session<'a, M>> {
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

impl Course {
    /// The course of a training over some data.
    ///
    /// # Errors
    /// When a batch cannot hold an example, or no step would be taken.
    pub fn of<E>(choices: &Choices, data: &TrainingData<E>) -> Outcome<Course> {
        let recipe = &choices.recipe;
        let size = if recipe.packing {
            let max_tokens = recipe.batch_size * data.max_tokens;
            BatchSize::Packing { max_tokens }
        } else {
            BatchSize::Samples(recipe.batch_size)
        };
        let order = Order::Shuffled { seed: choices.seed };
        let batches = Batches::new(data.lengths.clone(), size, order).or_fail()?;
        let steps = planned_steps(choices, &batches)?;
        Ok(Course {
            warm_up_steps: recipe.warmup.steps(steps).or_fail()?,
            batches,
            steps,
        })
    }

    /// Writes the batches in the form of `benches/training`.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write_batches(
        &self,
        path: &Path,
        examples: &[Example],
        choices: &Choices,
    ) -> Outcome<()> {
        let mut batches = self.batches.clone();
        let example = |index: usize| {
            let example = &examples[index];
            let loss: Vec<u8> = example
                .loss
                .iter()
                .map(|counts| u8::from(*counts))
                .collect();
            serde_json::json!({ "tokens": example.tokens, "loss": loss })
        };
        let steps: Vec<Vec<serde_json::Value>> = (0..self.steps)
            .map(|_| {
                let micro = (0..choices.recipe.accumulation).map(|_| batches.take_next().examples);
                micro.flatten().map(example).collect()
            })
            .collect();
        let text = serde_json::json!({ "steps": steps }).to_string();
        std::fs::write(path, text).or_fail_to(|| format!("write {}", path.display()))
    }
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

/// How a trainer steps.
///
/// # Errors
/// When the dropout is no share.
pub fn step_recipe(choices: &Choices, course: &Course) -> Outcome<StepRecipe> {
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
            warm_up_steps: course.warm_up_steps,
            total_steps: course.steps,
        },
        clip: recipe.clip.map(|clip| clip as f32),
        dropout: dropout.is_active().then_some(dropout),
        frozen_bytes: memory as usize,
    })
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
