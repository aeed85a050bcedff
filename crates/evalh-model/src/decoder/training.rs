//! The forward pass over whole sequences, recorded from the lowest layer on that is trained.

mod parameters;
mod updates;

use super::{Decoder, Pass, Sight, Stream, Wanted};
use crate::ModelError;
use crate::config::Positions;
use crate::part::Scope;
use burn::tensor::{Tensor, TensorData};
use evalh_kernel::{Angles, Compute, RopeTable, Rotations, TargetLoss};
use std::collections::HashMap;
use std::ops::Range;

/// One sequence of a training batch.
#[derive(Debug, Clone, Copy)]
pub struct TrainingRow<'a> {
    /// All its tokens.
    pub tokens: &'a [u32],
    /// Which of them are predicted and count, one a token; never the first.
    pub counted: &'a [bool],
}

/// Where a pass begins.
#[derive(Debug, Clone)]
pub enum Start {
    /// With the tokens.
    Tokens,
    /// With the stream that enters a layer, `[tokens, hidden]`, as [`Decoder::stream_before`] gave it.
    Stream {
        /// The layer.
        layer: usize,
        /// All rows' values after one another.
        values: Vec<f32>,
    },
}

/// What all layers of a pass share.
struct Batch {
    ids: Vec<u32>,
    sequences: Vec<Range<usize>>,
    rotations: Vec<Angles>,
}

impl Decoder {
    /// The loss of every counted token, and its gradient to the sinks of all parameters and updates that are trained.
    ///
    /// A row sees nothing of the others, so that rows of any lengths share a batch without padding.
    ///
    /// # Errors
    /// When a token is unknown or a row too long, or no token counts.
    ///
    /// # Panics
    /// When a row has not one mark a token, or the stream is not one of these rows.
    pub fn train(
        &mut self,
        rows: &[TrainingRow<'_>],
        start: &Start,
    ) -> Result<TargetLoss, ModelError> {
        let lowest = self.lowest_trained();
        let compute = self.compute.recording();
        // A thread outside the pool would hand each of some hundred parallel stretches over to it, and wait.
        rayon::scope(|_| {
            let loss = self.losses(&compute, rows, start, lowest)?;
            compute.backward(&loss.sum);
            Ok(loss)
        })
    }

    /// The loss of every counted token.
    ///
    /// # Errors
    /// As [`Decoder::train`].
    ///
    /// # Panics
    /// As [`Decoder::train`].
    pub fn loss(&self, rows: &[TrainingRow<'_>], start: &Start) -> Result<TargetLoss, ModelError> {
        rayon::scope(|_| self.losses(&self.compute, rows, start, None))
    }

    /// The stream that enters `layer`, `[tokens, hidden]`, all rows' tokens after one another. It does not depend on which
    /// rows share the batch.
    ///
    /// # Errors
    /// When a token is unknown or a row too long.
    ///
    /// # Panics
    /// When there is no such layer.
    pub fn stream_before(
        &self,
        layer: usize,
        rows: &[TrainingRow<'_>],
    ) -> Result<Vec<f32>, ModelError> {
        assert!(layer < self.layers.len(), "a layer of the model");
        let batch = self.batch(rows)?;
        rayon::scope(|_| {
            let compute = &self.compute;
            let rotations = rotations(compute, &batch);
            let mut pass = self.pass(compute, &rotations, &batch);
            let mut stream = self.entering(compute, &batch, &pass);
            for index in 0..layer {
                stream = self.layers[index].forward(&mut pass, stream);
            }
            Ok(compute.to_host(stream.joined()))
        })
    }

    /// The stream of each row's last token before the first layer and behind every layer: as many times `[rows, hidden]`
    /// as the model has layers, and one more. The last is not normed.
    ///
    /// # Errors
    /// When a token is unknown or a row too long.
    pub fn last_token_streams(
        &self,
        rows: &[TrainingRow<'_>],
    ) -> Result<Vec<Vec<f32>>, ModelError> {
        let batch = self.batch(rows)?;
        let last: Vec<usize> = batch.sequences.iter().map(|s| s.end - 1).collect();
        rayon::scope(|_| {
            let compute = &self.compute;
            let rotations = rotations(compute, &batch);
            let mut pass = self.pass(compute, &rotations, &batch);
            let mut stream = self.entering(compute, &batch, &pass);
            let mut all = Vec::with_capacity(self.layers.len() + 1);
            for layer in &self.layers {
                stream = Stream {
                    x: stream.joined(),
                    pending: None,
                };
                all.push(compute.to_host(compute.select_rows(stream.x.clone(), &last)));
                stream = layer.forward(&mut pass, stream);
            }
            all.push(compute.to_host(compute.select_rows(stream.joined(), &last)));
            Ok(all)
        })
    }

    fn losses(
        &self,
        compute: &Compute,
        rows: &[TrainingRow<'_>],
        start: &Start,
        recorded: Option<usize>,
    ) -> Result<TargetLoss, ModelError> {
        let batch = self.batch(rows)?;
        let (mut places, mut targets) = (Vec::new(), Vec::new());
        for (row, tokens) in rows.iter().zip(&batch.sequences) {
            assert_eq!(row.tokens.len(), row.counted.len(), "a mark a token");
            let counted = row.counted.iter().enumerate().skip(1);
            for (index, _) in counted.filter(|(_, counted)| **counted) {
                places.push(tokens.start + index - 1);
                targets.push(row.tokens[index]);
            }
        }
        if targets.is_empty() {
            return Err(ModelError::NothingToPredict);
        }
        let rotations = rotations(compute, &batch);
        let mut pass = self.pass(compute, &rotations, &batch);
        let (first, mut stream) = match start {
            Start::Tokens => (0, self.entering(compute, &batch, &pass)),
            Start::Stream { layer, values } => {
                let shape = [batch.ids.len(), self.config.hidden_size];
                assert_eq!(values.len(), shape[0] * shape[1], "a stream of these rows");
                let x = Tensor::from_data(TensorData::new(values.clone(), shape), &compute.plain());
                (*layer, Stream { x, pending: None })
            }
        };
        let Some(last) = self.layers.len().checked_sub(1) else {
            unreachable!("a model without layers is not loaded")
        };
        let scope = pass.scope.at(&places);
        for (index, layer) in self.layers.iter().enumerate().skip(first) {
            if recorded == Some(index) && !stream.x.is_autodiff() {
                stream = Stream {
                    x: compute.begin(stream.joined()),
                    pending: None,
                };
            }
            if index < last {
                stream = layer.forward(&mut pass, stream);
            } else {
                let wanted = Wanted {
                    places: (places.len() < batch.ids.len()).then_some(&places),
                    scope: &scope,
                };
                stream = layer.forward_for(&mut pass, stream, &wanted);
            }
        }
        let Stream { x, pending } = stream;
        let (_, h) = self.final_norm.forward(compute, x, pending, &scope);
        let cap = self.config.logit_soft_cap;
        Ok(self.head.target_loss(compute, h, cap, &targets))
    }

    fn batch(&self, rows: &[TrainingRow<'_>]) -> Result<Batch, ModelError> {
        let config = &self.config;
        let ropes = match &config.positions {
            Positions::Rotary { ropes, .. } => ropes.as_slice(),
            Positions::Learned => &[],
        };
        let mut rotations: Vec<Angles> = match ropes {
            [] => vec![Angles::default()],
            ropes => ropes
                .iter()
                .map(|rope| Angles::new(rope.dim / 2, rope.pairing))
                .collect(),
        };
        let mut tables: HashMap<(usize, usize), RopeTable> = HashMap::new();
        let (mut ids, mut sequences) = (Vec::new(), Vec::new());
        for row in rows {
            let tokens = row.tokens.len();
            if let Some(id) = row
                .tokens
                .iter()
                .find(|id| **id as usize >= config.vocab_size)
            {
                return Err(ModelError::UnknownToken {
                    id: *id,
                    vocab_size: config.vocab_size,
                });
            }
            if tokens > config.max_positions {
                return Err(ModelError::TooLong {
                    tokens,
                    max_positions: config.max_positions,
                });
            }
            for (index, (rope, angles)) in ropes.iter().zip(&mut rotations).enumerate() {
                let table = tables
                    .entry((index, rope.regime(tokens)))
                    .or_insert_with(|| rope.table(tokens));
                table.reserve(tokens);
                (0..tokens).for_each(|position| angles.push(table, position));
            }
            sequences.push(ids.len()..ids.len() + tokens);
            ids.extend_from_slice(row.tokens);
        }
        Ok(Batch {
            ids,
            sequences,
            rotations,
        })
    }

    /// The embedded tokens.
    fn entering(&self, compute: &Compute, batch: &Batch, pass: &Pass<'_>) -> Stream {
        let mut x = self.embedding.forward(compute, &batch.ids, pass.scope);
        if (self.config.embedding_scale - 1.0).abs() > 0.0 {
            x = x.mul_scalar(self.config.embedding_scale);
        }
        if let Some(table) = &self.positions {
            let positions: Vec<u32> = batch
                .sequences
                .iter()
                .flat_map(|tokens| 0..tokens.len() as u32)
                .collect();
            x = x + table.forward(compute, &positions, pass.scope);
        }
        Stream { x, pending: None }
    }

    fn pass<'a>(
        &'a self,
        compute: &'a Compute,
        rotations: &'a [Rotations],
        batch: &'a Batch,
    ) -> Pass<'a> {
        Pass {
            compute,
            config: &self.config,
            scope: Scope::NONE,
            rotations,
            rotation_of: self.rotation_of(),
            sight: Sight::Whole(&batch.sequences),
        }
    }
}

impl Stream {
    /// The stream with what the last block gave added to it.
    fn joined(self) -> Tensor<2> {
        match self.pending {
            Some(pending) => self.x + pending,
            None => self.x,
        }
    }
}

fn rotations(compute: &Compute, batch: &Batch) -> Vec<Rotations> {
    let angles = batch.rotations.iter().cloned();
    angles.map(|angles| compute.rotations(angles)).collect()
}
