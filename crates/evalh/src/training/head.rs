//! An encoder with a head for some labels.

use super::Material;
use crate::{
    failure::{Failure, OrFail as _, Outcome},
    output::Console,
};
use evalh_checkpoint::WeightSource;
use evalh_model::{DeviceChoice, Encoder, HeadChoice, LoadOptions, ModelError, Parameter};
use evalh_train::scratch::random_weight;
use std::collections::HashMap;

/// What an encoder is loaded for.
#[derive(Debug, Clone, Copy)]
pub struct HeadWanted<'d> {
    /// What is done with it, in the imperative.
    pub doing: &'d str,
    /// Outputs that the labels need.
    pub outputs: usize,
    /// The seed of weights that the checkpoint lacks.
    pub seed: u64,
}

/// The encoder with such a head, and the modules of the head that begin with random weights, which is said.
///
/// # Errors
/// When the checkpoint's head has another number of outputs, or it cannot be loaded.
pub fn encoder(
    material: &Material,
    wanted: HeadWanted<'_>,
    device: DeviceChoice,
    options: LoadOptions,
    console: &Console,
) -> Outcome<(Encoder, Vec<String>)> {
    let outputs = wanted.outputs;
    let checkpoint = &material.checkpoint;
    let head = match HeadChoice::classifier(checkpoint, &[]) {
        Ok(stored) => {
            let labels = stored.labels(checkpoint.config()).or_fail()?.len();
            check(material, wanted, labels)?;
            stored
        }
        Err(ModelError::NoClassifier { .. }) => HeadChoice::Classification { labels: outputs },
        Err(error) => return Err(Failure::of(&error)),
    };
    let mut encoder = Encoder::load_with_head(checkpoint, device, options, head).or_fail()?;
    let begun = encoder
        .begin_head(|module, shape| random_weight(checkpoint.config(), wanted.seed, module, shape));
    for module in &begun {
        console.say(format_args!(
            "{module} begins with random weights: {} has none",
            material.name
        ));
    }
    Ok((encoder, begun))
}

/// Gives parameters that are trained whole the values of their checkpoint again, where they were loaded rounded.
///
/// # Errors
/// When they cannot be read.
pub fn unround(
    encoder: &mut Encoder,
    source: &dyn WeightSource,
    wanted: &dyn Fn(&Parameter) -> bool,
) -> Outcome<()> {
    let mut values = HashMap::new();
    for parameter in encoder.parameters() {
        // What is of a head is one tensor.
        if let [tensor] = parameter.tensors.as_slice()
            && wanted(&parameter)
        {
            values.insert(
                tensor.name.clone(),
                source.read_f32(&tensor.name).or_fail()?,
            );
        }
    }
    encoder.set_parameters(|parameter| values.get(&parameter.tensors[0].name).map(Vec::as_slice));
    Ok(())
}

/// The labels fit the checkpoint's own head.
fn check(material: &Material, wanted: HeadWanted<'_>, labels: usize) -> Outcome<()> {
    let HeadWanted { doing, outputs, .. } = wanted;
    let fits = if labels == 1 {
        outputs == 1
    } else {
        (2..=labels).contains(&outputs)
    };
    if fits {
        return Ok(());
    }
    let needs = match outputs {
        1 => "numbers, which need one output".to_owned(),
        classes => format!("classes, which need {classes}"),
    };
    Err(Failure::new(format!("{doing} {}", material.name))
        .cause(format!("its head has {labels} outputs, and the labels are {needs}"))
        .help("give --model the checkpoint without a head for classes, or data with labels of its head"))
}
