//! The forward pass, over ragged inputs.

use super::embeddings::Lookups;
use super::layer::{Pass, begun};
use super::model::Encoder;
use super::output::{EncoderInput, EncoderOutput};
use crate::{LoraId, ModelError};
use burn::tensor::Tensor;
use evalh_kernel::Compute;
use std::cmp::Reverse;
use std::ops::Range;

/// Tokens of all inputs are computed at most so many at a time, which bounds the memory of activations.
const MOST_TOKENS: usize = 2048;

impl Encoder {
    /// Logits, or hidden values, of each input: of all its tokens, or of the input as a whole for a classifier.
    ///
    /// On the CPU they have the same bits whatever the other inputs are and however many threads compute.
    ///
    /// # Errors
    /// When a token is unknown, an input too long, or the head's weights are neither in the checkpoint nor in the
    /// adapter.
    ///
    /// # Panics
    /// When an input is empty, or its token types are not one a token.
    pub fn forward(
        &self,
        inputs: &[EncoderInput],
        adapter: Option<LoraId>,
    ) -> Result<EncoderOutput, ModelError> {
        self.run(inputs, None, adapter)
    }

    /// The same for some tokens of each input only, such as the masked ones: `places` holds as many lists as there
    /// are inputs. A classifier reads the first token whatever they say.
    ///
    /// # Errors
    /// As [`Encoder::forward`].
    ///
    /// # Panics
    /// As [`Encoder::forward`], and when a place is not in its input.
    pub fn forward_at(
        &self,
        inputs: &[EncoderInput],
        places: &[Vec<usize>],
        adapter: Option<LoraId>,
    ) -> Result<EncoderOutput, ModelError> {
        assert_eq!(inputs.len(), places.len(), "a list of places an input");
        self.run(inputs, Some(places), adapter)
    }

    fn run(
        &self,
        inputs: &[EncoderInput],
        places: Option<&[Vec<usize>]>,
        adapter: Option<LoraId>,
    ) -> Result<EncoderOutput, ModelError> {
        let mut output = EncoderOutput {
            width: self.head.width(&self.config),
            inputs: vec![Vec::new(); inputs.len()],
        };
        // Inputs of like length together: devices that compute padding then compute little of it.
        let mut order: Vec<usize> = (0..inputs.len()).collect();
        order.sort_by_key(|i| Reverse(inputs[*i].ids.len()));
        let mut rest = order.as_slice();
        while !rest.is_empty() {
            let mut tokens = 0;
            let fit = rest.iter().take_while(|i| {
                tokens += inputs[**i].ids.len();
                tokens <= MOST_TOKENS
            });
            let (pass, others) = rest.split_at(fit.count().max(1));
            self.pass(inputs, pass, places, adapter, &mut output)?;
            rest = others;
        }
        Ok(output)
    }

    /// One pass over the inputs of the given numbers.
    fn pass(
        &self,
        inputs: &[EncoderInput],
        numbers: &[usize],
        places: Option<&[Vec<usize>]>,
        adapter: Option<LoraId>,
        output: &mut EncoderOutput,
    ) -> Result<(), ModelError> {
        let compute = &self.compute;
        let mut batch = Batch::default();
        let mut counts = Vec::new();
        for number in numbers {
            let places = places.map(|places| places[*number].as_slice());
            counts.push(batch.push(&inputs[*number], places, self)?);
        }
        if batch.wanted.is_empty() {
            return Ok(());
        }
        let mut pass = self.whole_pass(compute, &batch, adapter, false);
        let x = self
            .embeddings
            .forward(compute, &batch.lookups, adapter, false);
        let x = self.through(0..self.layers.len(), &mut pass, x, batch.few(), None);
        let values = self.head.forward(compute, &self.config, x, adapter)?;
        let values = compute.to_host(values);
        let mut rest = values.as_slice();
        for (number, count) in numbers.iter().zip(counts) {
            let (own, others) = rest.split_at(count * output.width);
            output.inputs[*number] = own.to_vec();
            rest = others;
        }
        Ok(())
    }

    /// What all layers read of a batch; the embeddings of relative positions are on the tape where they are `recorded`.
    pub(super) fn whole_pass<'a>(
        &'a self,
        compute: &'a Compute,
        batch: &'a Batch,
        adapter: Option<LoraId>,
        recorded: bool,
    ) -> Pass<'a> {
        let longest = batch.sequences.iter().map(Range::len).max().unwrap_or(1);
        let relative = self.config.relative.zip(self.relative.as_ref());
        Pass {
            compute,
            config: &self.config,
            sequences: &batch.sequences,
            adapter,
            relative: relative.map(|(kind, embeddings)| {
                let distances = kind.distances(longest);
                let rows = embeddings.rows(compute, &distances, adapter, recorded);
                (kind, distances, rows)
            }),
        }
    }

    /// The stream behind some layers, from layer `recorded` on on the tape: behind the last of all layers the rows `few`,
    /// where not all are wanted.
    pub(super) fn through(
        &self,
        layers: Range<usize>,
        pass: &mut Pass<'_>,
        mut x: Tensor<2>,
        few: Option<&[usize]>,
        recorded: Option<usize>,
    ) -> Tensor<2> {
        let compute = pass.compute;
        for index in layers {
            let layer = &self.layers[index];
            if recorded == Some(index) {
                x = begun(compute, x, true);
                if let Some((_, _, rows)) = &mut pass.relative {
                    *rows = begun(compute, rows.clone(), true);
                }
            }
            let convolution = self.convolution.as_ref().filter(|_| index == 0);
            // The last layer's MLP computes only what the head reads.
            let few = few.filter(|_| index + 1 == self.layers.len());
            let Some(convolution) = convolution else {
                x = layer.forward(pass, x, few);
                continue;
            };
            let y = layer.forward(pass, x.clone(), None);
            x = convolution.forward(compute, x, y, pass.sequences, pass.adapter);
            if let Some(few) = few {
                x = compute.select_rows(x, few);
            }
        }
        x
    }
}

/// Inputs that are computed together.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub lookups: Lookups,
    /// The tokens of each input.
    pub sequences: Vec<Range<usize>>,
    /// The tokens that the head reads.
    wanted: Vec<usize>,
}

impl Batch {
    /// Adds an input of which the tokens at `places` are wanted, or all; gives how many the head reads.
    ///
    /// # Errors
    /// When a token, a type or a place is not in the tables.
    ///
    /// # Panics
    /// When the input is empty, its types are not one a token, or a place is not in it.
    pub(super) fn push(
        &mut self,
        input: &EncoderInput,
        places: Option<&[usize]>,
        of: &Encoder,
    ) -> Result<usize, ModelError> {
        let start = self.lookups.ids.len();
        self.lookups.push(input, &of.config)?;
        let sequence = start..self.lookups.ids.len();
        let before = self.wanted.len();
        match places {
            _ if of.head.reads_first_token() => self.wanted.push(start),
            Some(places) => self.wanted.extend(places.iter().map(|place| {
                assert!(*place < sequence.len(), "a place of the input");
                start + place
            })),
            None => self.wanted.extend(sequence.clone()),
        }
        self.sequences.push(sequence);
        Ok(self.wanted.len() - before)
    }

    /// The tokens that the head reads, where they are not all.
    pub(super) fn few(&self) -> Option<&[usize]> {
        (self.wanted.len() < self.lookups.ids.len()).then_some(self.wanted.as_slice())
    }
}
