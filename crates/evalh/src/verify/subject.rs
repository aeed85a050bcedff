//! What is compared with a reference: a decoder or an encoder, behind one trait.

use super::{
    compare::Found,
    decoder::DecoderSubject,
    encoder::EncoderSubject,
    reference::{Ids, Inputs},
};
use crate::{
    failure::{OrFail as _, Outcome},
    flags::Apply,
};
use evalh_adapter::{AdapterUpdate, ModelLayout};
use evalh_checkpoint::{Checkpoint, WeightSource as _};
use evalh_model::{Decoder, DeviceChoice, ENCODER_FAMILIES, Encoder, Footprint, LoadOptions};

/// A loaded model that can be asked what a reference asks.
pub trait Subject {
    /// What adapters can attach to.
    fn layout(&self) -> ModelLayout;
    /// What it takes.
    fn footprint(&self) -> Footprint;
    /// The kernels at work.
    fn kernel(&self) -> String;
    /// Puts an adapter on the base, in place of any other.
    ///
    /// # Errors
    /// When it does not fit.
    fn apply(&mut self, update: &AdapterUpdate, how: Apply) -> Outcome<()>;
    /// The base again.
    fn restore(&mut self);
    /// Logits as the reference has them: `[B, T, V]`, or `[B, labels]` of a classifier.
    ///
    /// # Errors
    /// When an id is unknown, or an input is none that the model takes.
    fn logits(&self, inputs: &Inputs) -> Outcome<Vec<f32>>;
    /// Compares greedy runs: at each place of `chosen` the most likely token after the prompt and the tokens before it.
    ///
    /// # Errors
    /// When an id is unknown, or the model writes no text.
    fn greedy(&self, prompts: &Ids, chosen: &Ids, way: Way) -> Outcome<Greedy>;
}

/// How a greedy run is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Token by token, with the cache, as generation does.
    Cached,
    /// Each token from the whole sequence, in a cache of its own.
    Whole,
}

/// A greedy run along the reference's tokens.
pub struct Greedy {
    /// Where the most likely tokens are the reference's.
    pub found: Found,
    /// Log-probability of each token of the reference, row-major.
    pub log_probs: Vec<f32>,
}

/// Loads a checkpoint as what it is.
///
/// # Errors
/// When it is not supported or damaged.
pub fn load(
    checkpoint: &Checkpoint,
    device: DeviceChoice,
    options: LoadOptions,
) -> Outcome<Box<dyn Subject>> {
    let family = checkpoint.config()["model_type"].as_str();
    if ENCODER_FAMILIES
        .iter()
        .any(|encoder| Some(encoder.model_type) == family)
    {
        let encoder = Encoder::load(checkpoint, device, options).or_fail()?;
        return Ok(Box::new(EncoderSubject::new(encoder)));
    }
    let decoder = Decoder::load(checkpoint, device, options).or_fail()?;
    Ok(Box::new(DecoderSubject::new(decoder)))
}
