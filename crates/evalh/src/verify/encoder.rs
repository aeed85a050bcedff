//! An encoder as a subject.

use super::{
    reference::{Ids, Inputs},
    subject::{Greedy, Subject, Way},
};
use crate::{
    failure::{Failure, OrFail as _, Outcome},
    flags::Apply,
};
use evalh_adapter::{AdapterUpdate, ModelLayout};
use evalh_model::{Encoder, EncoderInput, Footprint, LoraId};

/// An encoder, with an adapter attached or merged or none.
pub struct EncoderSubject {
    encoder: Encoder,
    attached: Option<LoraId>,
}

impl EncoderSubject {
    /// The encoder at its base.
    pub fn new(encoder: Encoder) -> EncoderSubject {
        EncoderSubject {
            encoder,
            attached: None,
        }
    }
}

impl Subject for EncoderSubject {
    fn layout(&self) -> ModelLayout {
        self.encoder.layout()
    }

    fn footprint(&self) -> Footprint {
        self.encoder.footprint()
    }

    fn kernel(&self) -> String {
        self.encoder.kernel().to_string()
    }

    fn apply(&mut self, update: &AdapterUpdate, how: Apply) -> Outcome<()> {
        self.restore();
        match how {
            Apply::Merged => self.encoder.merge(update).or_fail()?,
            Apply::Unmerged => self.attached = Some(self.encoder.attach(update).or_fail()?),
        }
        Ok(())
    }

    fn restore(&mut self) {
        self.attached = None;
        self.encoder.detach_all();
        self.encoder.restore();
    }

    fn logits(&self, inputs: &Inputs) -> Outcome<Vec<f32>> {
        let given = inputs.lengths()?;
        let part = |ids: &Option<Ids>, row: usize, length: usize| match ids {
            Some(ids) => ids[row][..length].to_vec(),
            None => Vec::new(),
        };
        let given: Vec<EncoderInput> = given
            .into_iter()
            .enumerate()
            .map(|(row, length)| EncoderInput {
                ids: inputs.ids[row][..length].to_vec(),
                token_types: part(&inputs.types, row, length),
            })
            .collect();
        let output = self.encoder.forward(&given, self.attached).or_fail()?;
        Ok((0..output.len())
            .flat_map(|input| output.values(input).iter().copied())
            .collect())
    }

    fn greedy(&self, _: &Ids, _: &Ids, _: Way) -> Outcome<Greedy> {
        Err(Failure::new("follow the greedy tokens of the reference")
            .cause("the checkpoint is an encoder, which writes no text")
            .help("write the reference again with tools/write_reference.py"))
    }
}
