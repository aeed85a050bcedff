//! One training or probe, from what a user chose to the folder that is written.

mod classifier;
mod data;
mod gauge;
mod head;
mod labelled;
mod material;
mod modules;
mod output;
mod probe;
mod scratch;
mod session;
mod settings;

pub use data::DataChoice;
pub use gauge::ProcessGauge;
pub use material::Material;
pub use probe::{ProbeChoices, probe};
pub use scratch::from_scratch;
pub use session::of_record;

use crate::{
    failure::{OrFail as _, Outcome},
    flags::Quantize,
    output::Console,
};
use evalh_adapter::BaseModel;
use evalh_model::{DeviceChoice, KernelChoice};
use evalh_record::training::{Budget, Method, Objective, Precision, Training};
use evalh_train::Trainer;
use evalh_train::plan::{self, Recipe};
use evalh_train::select::Layers;
use session::{AdapterKind, Course, Folder, Plan, carry_out, step_recipe};
use std::path::PathBuf;

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

/// Trains, and writes the folder. The threads are those of rayon's global pool.
///
/// # Errors
/// When something cannot be read or used, or the folder written. A loss that is no finite number is no error: the record
/// says so.
pub fn train(choices: &Choices, console: &Console, show: bool) -> Outcome<Trained> {
    // The folder is looked at first, so that nobody waits for a model in vain.
    let folder = Folder::open(choices)?;
    let material = Material::open(&choices.model, choices.offline, console)?;
    if material.is_encoder() {
        classifier::train(choices, folder, &material, console, show)
    } else {
        train_decoder(choices, folder, &material, console, show)
    }
}

fn train_decoder(
    choices: &Choices,
    folder: Folder,
    material: &Material,
    console: &Console,
    show: bool,
) -> Outcome<Trained> {
    let data = material.data(&choices.data)?;
    data.say(console);
    let held_out = choices.held_out.as_ref().map(|path| {
        let choice = DataChoice {
            path: path.clone(),
            ..choices.data.clone()
        };
        material.data(&choice)
    });
    let held_out = held_out.transpose()?;
    let course = Course::of(choices, &data)?;
    if let Some(path) = &choices.write_batches {
        course.write_batches(path, &data.examples, choices)?;
    }
    let decoder = material.decoder(choices)?;
    let layout = decoder.layout();
    let chosen = modules::choose(choices, &layout)?;
    let settings = settings::settings(
        choices,
        material,
        (&data, Objective::CausalLm),
        &chosen,
        &course,
        held_out.as_ref().map_or(&[], |data| data.files.as_slice()),
    );
    let recipe = step_recipe(choices, &course)?;
    let parameters = decoder.footprint().parameters as u64;
    let adapter = AdapterKind::causal(&chosen);
    let trainer = match choices.method {
        Method::Lora => Trainer::lora(decoder, chosen.starts, recipe),
        Method::Full => Trainer::full(decoder, recipe),
    }
    .or_fail()?;
    let plan = Plan {
        trainer,
        base: BaseModel::new(&layout, &material.checkpoint),
        parameters,
        examples: &data.examples,
        held_out: held_out.map_or_else(Vec::new, |data| data.examples),
        course,
        settings,
        adapter,
    };
    carry_out(choices, (material, folder), plan, console, show)
}

/// What precision the model computes in.
fn precision(choices: &Choices) -> evalh_model::PrecisionChoice {
    match choices.recipe.precision {
        Precision::F32 => evalh_model::PrecisionChoice::F32,
        Precision::Bf16 => evalh_model::PrecisionChoice::Bf16,
    }
}
