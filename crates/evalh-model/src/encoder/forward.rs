//! The forward pass, over ragged inputs.

use super::embeddings::Lookups;
use super::layer::Pass;
use super::model::Encoder;
use super::output::{EncoderInput, EncoderOutput};
use crate::{LoraId, ModelError};
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
        let mut lookups = Lookups::default();
        let mut sequences: Vec<Range<usize>> = Vec::new();
        let (mut wanted, mut counts) = (Vec::new(), Vec::new());
        for number in numbers {
            let start = lookups.ids.len();
            lookups.push(&inputs[*number], &self.config)?;
            let sequence = start..lookups.ids.len();
            let before = wanted.len();
            match places {
                _ if self.head.reads_first_token() => wanted.push(start),
                Some(places) => wanted.extend(places[*number].iter().map(|place| {
                    assert!(*place < sequence.len(), "a place of the input");
                    start + place
                })),
                None => wanted.extend(sequence.clone()),
            }
            counts.push(wanted.len() - before);
            sequences.push(sequence);
        }
        if wanted.is_empty() {
            return Ok(());
        }
        let longest = sequences.iter().map(Range::len).max().unwrap_or(1);
        let relative = self.config.relative.zip(self.relative.as_ref());
        let pass = Pass {
            compute,
            config: &self.config,
            sequences: &sequences,
            adapter,
            relative: relative.map(|(kind, embeddings)| {
                let distances = kind.distances(longest);
                let rows = embeddings.rows(compute, &distances, adapter);
                (kind, distances, rows)
            }),
        };
        // The last layer's MLP computes only what the head reads.
        let few = (wanted.len() < lookups.ids.len()).then_some(wanted.as_slice());
        let mut x = self.embeddings.forward(compute, &lookups, adapter);
        for (index, layer) in self.layers.iter().enumerate() {
            let convolution = self.convolution.as_ref().filter(|_| index == 0);
            let last = index + 1 == self.layers.len();
            let chosen = few.filter(|_| last && convolution.is_none());
            let y = layer.forward(&pass, x.clone(), chosen);
            x = match convolution {
                Some(convolution) => {
                    let y = convolution.forward(compute, x, y, &sequences, adapter);
                    match few.filter(|_| last) {
                        Some(few) => compute.select_rows(y, few),
                        None => y,
                    }
                }
                None => y,
            };
        }
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
}
