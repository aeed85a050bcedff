//! A decoder as a subject.

use super::{
    compare::Found,
    reference::{Ids, Inputs},
    subject::{Greedy, Subject, Way},
};
use crate::{
    failure::{Failure, OrFail as _, Outcome},
    flags::Apply,
};
use evalh_adapter::{AdapterUpdate, ModelLayout};
use evalh_model::{Decoder, Footprint, Logits, LoraId, Row, SeqId, Session};

/// A decoder, with an adapter attached or merged or none.
pub struct DecoderSubject {
    decoder: Decoder,
    attached: Option<LoraId>,
}

impl DecoderSubject {
    /// The decoder at its base.
    pub fn new(decoder: Decoder) -> DecoderSubject {
        DecoderSubject {
            decoder,
            attached: None,
        }
    }

    /// A session with a sequence for each prompt and room for `length` tokens of each.
    fn open(&self, prompts: usize, length: usize) -> Outcome<(Session<'_>, Vec<SeqId>)> {
        // Sequences take whole pages of the cache; doubling leaves room for the last of each.
        let room = prompts * length.next_power_of_two().max(64) * 2;
        let mut session = self.decoder.session(room).or_fail()?;
        let seqs = (0..prompts).map(|_| session.open(self.attached)).collect();
        Ok((session, seqs))
    }
}

/// Appends a part of each sequence and gives the logits after the last token of each.
fn last(session: &mut Session<'_>, seqs: &[SeqId], parts: &[&[u32]]) -> Outcome<Logits> {
    let rows: Vec<Row<'_>> = seqs
        .iter()
        .zip(parts)
        .map(|(seq, tokens)| Row {
            seq: *seq,
            tokens,
            logits: tokens.len() - 1..tokens.len(),
            twin: None,
        })
        .collect();
    session.forward(&rows).or_fail()
}

impl Subject for DecoderSubject {
    fn layout(&self) -> ModelLayout {
        self.decoder.layout()
    }

    fn footprint(&self) -> Footprint {
        self.decoder.footprint()
    }

    fn kernel(&self) -> String {
        self.decoder.kernel().to_string()
    }

    fn apply(&mut self, update: &AdapterUpdate, how: Apply) -> Outcome<()> {
        self.restore();
        match how {
            Apply::Merged => self.decoder.merge(update).or_fail()?,
            Apply::Unmerged => self.attached = Some(self.decoder.attach(update).or_fail()?),
        }
        Ok(())
    }

    fn restore(&mut self) {
        self.attached = None;
        self.decoder.detach_all();
        self.decoder.restore();
    }

    fn logits(&self, inputs: &Inputs) -> Outcome<Vec<f32>> {
        refuse_padding(inputs)?;
        let (mut session, seqs) = self.open(inputs.ids.len(), inputs.ids[0].len())?;
        let rows: Vec<Row<'_>> = seqs
            .iter()
            .zip(&inputs.ids)
            .map(|(seq, tokens)| Row {
                seq: *seq,
                tokens,
                logits: 0..tokens.len(),
                twin: None,
            })
            .collect();
        let logits = session.forward(&rows).or_fail()?;
        Ok((0..logits.len())
            .flat_map(|place| logits.row(place).iter().copied())
            .collect())
    }

    fn greedy(&self, prompts: &Ids, chosen: &Ids, way: Way) -> Outcome<Greedy> {
        let steps = chosen[0].len();
        let mut texts = prompts.clone();
        let (mut session, mut seqs) = self.open(texts.len(), texts[0].len() + steps)?;
        let (mut same, mut gap) = (0, 0.0_f32);
        let mut log_probs = vec![0.0; chosen.len() * steps];
        let mut fed = 0;
        for step in 0..steps {
            if way == Way::Whole {
                (session, seqs) = self.open(texts.len(), texts[0].len())?;
                fed = 0;
            }
            let parts: Vec<&[u32]> = texts.iter().map(|text| &text[fed..]).collect();
            let logits = last(&mut session, &seqs, &parts)?;
            fed = texts[0].len();
            for (row, tokens) in chosen.iter().enumerate() {
                let (logits, wanted) = (logits.row(row), tokens[step]);
                let Some(&of_wanted) = logits.get(wanted as usize) else {
                    let what = "follow the greedy tokens of the reference";
                    return Err(Failure::new(what).cause(format!(
                        "token {wanted} is not one of the model's {}",
                        logits.len()
                    )));
                };
                let best = most_likely(logits);
                if best as u32 == wanted {
                    same += 1;
                } else {
                    let above = logits[best] - of_wanted;
                    gap = if above > gap || above.is_nan() {
                        above
                    } else {
                        gap
                    };
                }
                log_probs[row * steps + step] = log_prob(logits, of_wanted);
                texts[row].push(wanted);
            }
        }
        let places = chosen.len() * steps;
        Ok(Greedy {
            found: Found::Tokens { places, same, gap },
            log_probs,
        })
    }
}

fn refuse_padding(inputs: &Inputs) -> Outcome<()> {
    let padded = inputs.mask.iter().flatten().flatten().any(|&one| one != 1);
    if padded || inputs.types.is_some() {
        let part = if padded { "padding" } else { "token types" };
        return Err(Failure::new("compare a decoder with the reference")
            .cause(format!("the reference has {part}, which decoders do not take"))
            .help("write it with tools/write_reference.py, whose prompts for decoders are of one length"));
    }
    Ok(())
}

/// The first of the largest, as torch's `argmax` has it; a NaN is never the most likely.
fn most_likely(logits: &[f32]) -> usize {
    (0..logits.len()).fold(0, |best, i| if logits[i] > logits[best] { i } else { best })
}

fn log_prob(logits: &[f32], of: f32) -> f32 {
    let top = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f64 = logits.iter().map(|x| f64::from(x - top).exp()).sum();
    of - top - sum.ln() as f32
}
