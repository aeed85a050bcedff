//! What of a plan an encoder cannot do.

use crate::{
    failure::{Failure, OrFail as _, Outcome},
    training::Material,
};
use evalh_model::{HeadChoice, ModelError};
use evalh_record::training::LossOn;
use evalh_train::plan::Plan;

/// Nothing is planned that has no effect on an encoder, or that it has no head for.
///
/// # Errors
/// When something is.
pub fn check(plan: &Plan, material: &Material) -> Outcome<()> {
    let doing = "experiment with";
    let options = [
        (
            plan.data.loss != LossOn::Response,
            "loss = \"all\"",
            "leave it out: the loss is that of the labels",
        ),
        (
            plan.data.chat_template,
            "chat_template",
            "leave it out: encoders read no conversations",
        ),
    ];
    material.refuse(doing, options)?;
    if plan.evaluate.is_none() {
        return Ok(());
    }
    match HeadChoice::classifier(&material.checkpoint, &[]) {
        Err(ModelError::NoClassifier { .. }) => Err(Failure::new(format!("{doing} {}", material.name))
            .cause("it has no classification head to be asked with, and every score of an experiment is held against the base's")
            .help("leave [evaluate] out and ask what was trained by `evalh run`, or give a checkpoint with a head")),
        found => found.or_fail().map(drop),
    }
}
