//! The training of an encoder to tell classes apart, or to give a number.

use super::{
    Choices, DataChoice, Material, Trained,
    head::{HeadWanted, encoder, unround},
    labelled::{Labelled, labelled},
    modules,
    session::{AdapterKind, Course, Folder, Plan, carry_out, step_recipe},
    settings,
};
use crate::{
    failure::{OrFail as _, Outcome},
    flags::Quantize,
    output::Console,
};
use evalh_adapter::{BaseModel, LoraTask};
use evalh_checkpoint::WeightSource as _;
use evalh_model::{EncoderConfig, LoadOptions, Parameter, ParameterTensor};
use evalh_record::training::{Method, Objective};
use evalh_train::Trainer;

/// Trains low-rank updates of an encoder and its head, or all of it.
///
/// # Errors
/// When something cannot be read or used, or the folder written.
pub fn train(
    choices: &Choices,
    folder: Folder,
    material: &Material,
    console: &Console,
    show: bool,
) -> Outcome<Trained> {
    check(choices, material)?;
    let config = EncoderConfig::of(material.checkpoint.config()).or_fail()?;
    let Labelled { data, outputs } = labelled(material, &config, &choices.data)?;
    data.say(console);
    let wanted = HeadWanted {
        doing: "train",
        outputs,
        seed: choices.seed,
    };
    let options = LoadOptions {
        kernel: choices.kernel,
        precision: super::precision(choices),
        quantize: choices.quantize.map(Quantize::choice),
    };
    let (mut encoder, begun) = encoder(material, wanted, choices.device, options, console)?;
    let held_out = choices.held_out.as_ref().map(|path| {
        let choice = DataChoice {
            path: path.clone(),
            ..choices.data.clone()
        };
        labelled(material, &config, &choice).map(|held_out| held_out.data)
    });
    let held_out = held_out.transpose()?;
    let course = Course::of(choices, &data)?;
    let layout = encoder.layout();
    let source = encoder.as_classifier(&material.checkpoint).or_fail()?;
    let chosen = modules::choose(choices, &layout)?;
    let objective = match encoder.config().labels.len() {
        1 => Objective::Regression,
        labels => Objective::Classification { labels },
    };
    let settings = settings::settings(
        choices,
        material,
        (&data, objective),
        &chosen,
        &course,
        held_out.as_ref().map_or(&[], |data| data.files.as_slice()),
    );
    let recipe = step_recipe(choices, &course)?;
    let parameters = encoder.footprint().parameters as u64;
    // PEFT saves the modules of these names whole; what began with random weights must be saved too.
    let heads = LoraTask::SequenceClassification.heads();
    let in_head = |name: &str| name.split('.').any(|part| heads.contains(&part));
    let modules_to_save: Vec<String> = begun
        .iter()
        .filter(|name| !in_head(name))
        .cloned()
        .collect();
    let whole = |parameter: &Parameter| {
        let mut modules = parameter.tensors.iter().map(module_of);
        modules.any(|module| in_head(module) || modules_to_save.iter().any(|own| own == module))
    };
    if choices.quantize.is_some() {
        unround(&mut encoder, &source, &|parameter| {
            let mut modules = parameter.tensors.iter().map(module_of);
            whole(parameter) && !modules.any(|module| begun.iter().any(|own| own == module))
        })?;
    }
    let trainer = match choices.method {
        Method::Lora => Trainer::lora_beside(encoder, chosen.starts, &whole, recipe),
        Method::Full => Trainer::full(encoder, recipe),
    }
    .or_fail()?;
    let plan = Plan {
        trainer,
        base: BaseModel::new(&layout, &source),
        parameters,
        examples: &data.examples,
        held_out: held_out.map_or_else(Vec::new, |data| data.examples),
        course,
        settings,
        adapter: AdapterKind {
            task: LoraTask::SequenceClassification,
            modules_to_save,
            fan_in_fan_out: false,
        },
    };
    carry_out(choices, (material, folder), plan, console, show)
}

/// The module of a tensor.
fn module_of(tensor: &ParameterTensor) -> &str {
    let name = tensor.name.rsplit_once('.');
    name.map_or("", |(module, _)| module)
}

/// Nothing is asked for that has no effect on an encoder, or is not done.
fn check(choices: &Choices, material: &Material) -> Outcome<()> {
    let asked = [
        (
            choices.initial.is_some(),
            "--initial",
            "leave it out: an encoder's adapter begins with the checkpoint's head",
        ),
        (
            choices.write_batches.is_some(),
            "--write-batches",
            "leave it out: the file has no place for labels",
        ),
    ];
    let asked = asked.into_iter().chain(choices.data.decoders_only());
    material.refuse("train", asked)
}
