//! The training of an encoder to tell classes apart, or to give a number.

use super::{
    Choices, DataChoice, Material, Trained,
    material::TrainingData,
    modules,
    session::{AdapterKind, Course, Folder, Plan, carry_out, step_recipe},
    settings,
};
use crate::{
    failure::{Failure, OrFail as _, Outcome},
    output::Console,
};
use evalh_adapter::LoraTask;
use evalh_checkpoint::WeightSource as _;
use evalh_model::{Encoder, EncoderConfig, HeadChoice, LoadOptions, Parameter};
use evalh_record::training::{LossOn, Method, Objective};
use evalh_task::{GlueLabel, GlueRow, glue_training};
use evalh_train::data::{LabelledEncoder, LabelledExample, parse_labelled, read_labelled};
use evalh_train::{Trainer, scratch::random_weight};
use serde_json::json;

/// Rows as tokens, and the outputs that their labels need.
struct Labelled {
    data: TrainingData<LabelledExample>,
    outputs: usize,
}

/// Trains low-rank updates of an encoder and its head.
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
    let (encoder, begun) = encoder(choices, material, outputs)?;
    for module in &begun {
        console.say(format_args!(
            "{module} begins with random weights: {} has none",
            material.name
        ));
    }
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
    let modules_to_save: Vec<String> = begun.into_iter().filter(|name| !in_head(name)).collect();
    let whole = |parameter: &Parameter| {
        parameter.tensors.iter().any(|tensor| {
            let module = tensor
                .name
                .rsplit_once('.')
                .map_or("", |(module, _)| module);
            in_head(module) || modules_to_save.iter().any(|saved| saved == module)
        })
    };
    let trainer = Trainer::lora_beside(encoder, chosen.starts, &whole, recipe).or_fail()?;
    let plan = Plan {
        trainer,
        layout,
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

/// Nothing is asked for that has no effect on an encoder, or is not done.
fn check(choices: &Choices, material: &Material) -> Outcome<()> {
    let asked = [
        (
            choices.method == Method::Full,
            "--method full",
            "train an adapter (--method lora), whose head is trained whole",
        ),
        (
            choices.quantize.is_some(),
            "--quantize",
            "leave it out: encoders are trained on weights as they are",
        ),
        (
            choices.initial.is_some(),
            "--initial",
            "leave it out: an encoder's adapter begins with the checkpoint's head",
        ),
        (
            choices.data.loss != LossOn::Response,
            "--loss all",
            "leave it out: the loss is that of the labels",
        ),
        (
            choices.write_batches.is_some(),
            "--write-batches",
            "leave it out: the file has no place for labels",
        ),
        (
            choices.data.chat_template,
            "--chat-template",
            "leave it out: encoders read no conversations",
        ),
    ];
    match asked.into_iter().find(|(is_asked, ..)| *is_asked) {
        Some((_, flag, help)) => Err(Failure::new(format!("train {}", material.name))
            .cause(format!("it is an encoder, and {flag} is for decoders"))
            .help(help)),
        None => Ok(()),
    }
}

/// Rows of GLUE in the form of everybody's.
fn json_lines(rows: &[GlueRow]) -> Vec<u8> {
    let mut lines = String::new();
    for row in rows {
        let label = match row.label {
            GlueLabel::Class(place) => json!(place),
            GlueLabel::Number(number) => json!(number),
        };
        let line = match row.texts.as_slice() {
            [first, second] => json!({ "sentence1": first, "sentence2": second, "label": label }),
            texts => json!({ "text": texts.concat(), "label": label }),
        };
        lines.push_str(&line.to_string());
        lines.push('\n');
    }
    lines.into_bytes()
}

fn labelled(material: &Material, config: &EncoderConfig, choice: &DataChoice) -> Outcome<Labelled> {
    // Relative positions alone bound nothing, but the model was trained with so many.
    let positions = config.max_tokens().unwrap_or(config.max_positions);
    let max_tokens = material.max_tokens(choice, positions)?;
    let dataset = match glue_training(&choice.path) {
        Some(rows) => {
            let lines = json_lines(&rows.or_fail()?);
            parse_labelled(&choice.path.with_extension("jsonl"), &lines).or_fail()?
        }
        None => read_labelled(&choice.path).or_fail()?,
    };
    let encoder = LabelledEncoder {
        tokenizer: &material.tokenizer,
        has_types: config.token_types > 1,
        max_tokens,
    };
    let encoded = encoder.encode_all(&dataset).or_fail()?;
    let lengths = encoded.examples.iter().map(|e| e.input.ids.len()).collect();
    Ok(Labelled {
        data: TrainingData::new(
            choice,
            max_tokens,
            (encoded.examples, lengths),
            encoded.truncation,
        )?,
        outputs: dataset.outputs(),
    })
}

/// The encoder with a head of so many outputs, and the modules of the head that begin with random weights.
fn encoder(
    choices: &Choices,
    material: &Material,
    outputs: usize,
) -> Outcome<(Encoder, Vec<String>)> {
    let options = LoadOptions {
        kernel: choices.kernel,
        precision: super::precision(choices),
        quantize: None,
    };
    let head = match HeadChoice::classifier(&material.checkpoint, &[]) {
        Ok(stored) => {
            let labels = stored.labels(material.checkpoint.config()).or_fail()?.len();
            let fits = if labels == 1 {
                outputs == 1
            } else {
                (2..=labels).contains(&outputs)
            };
            if !fits {
                let needs = match outputs {
                    1 => "numbers, which need one output".to_owned(),
                    classes => format!("classes, which need {classes}"),
                };
                return Err(Failure::new(format!("train {}", material.name))
                    .cause(format!("its head has {labels} outputs, and the labels are {needs}"))
                    .help("give --model the checkpoint without a head for classes, or data with labels of its head"));
            }
            stored
        }
        Err(evalh_model::ModelError::NoClassifier { .. }) => {
            HeadChoice::Classification { labels: outputs }
        }
        Err(error) => return Err(Failure::of(&error)),
    };
    let checkpoint = &material.checkpoint;
    let mut encoder =
        Encoder::load_with_head(checkpoint, choices.device, options, head).or_fail()?;
    let begun = encoder.begin_head(|module, shape| {
        random_weight(checkpoint.config(), choices.seed, module, shape)
    });
    Ok((encoder, begun))
}
