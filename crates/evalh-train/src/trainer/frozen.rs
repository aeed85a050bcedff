//! What the layers below all trained ones compute, kept for later epochs.

use super::{MicroBatch, TrainError, TrainableModel, examples};
use std::collections::{HashMap, HashSet};

/// The streams that enter the lowest trained layer, by the example's number.
///
/// A row's stream does not depend on the rows beside it, so it is the same in every batch.
#[derive(Debug)]
pub(super) struct FrozenStreams {
    layer: usize,
    room: usize,
    kept: HashMap<usize, Vec<f32>>,
}

impl FrozenStreams {
    pub(super) fn new(layer: usize, bytes: usize) -> Self {
        Self {
            layer,
            room: bytes / size_of::<f32>(),
            kept: HashMap::new(),
        }
    }

    /// The streams of a micro-batch, one row's after another's.
    pub(super) fn of<M: TrainableModel>(
        &mut self,
        model: &M,
        batch: &MicroBatch<'_, M::Example>,
    ) -> Result<Vec<f32>, TrainError> {
        let known: HashSet<usize> = batch
            .iter()
            .map(|(index, _)| *index)
            .filter(|index| self.kept.contains_key(index))
            .collect();
        let missing: MicroBatch<'_, M::Example> = batch
            .iter()
            .filter(|(index, _)| !known.contains(index))
            .copied()
            .collect();
        let computed = if missing.is_empty() {
            Vec::new()
        } else {
            model.stream_before(self.layer, &examples(&missing))?
        };
        let width = model.hidden_size();
        let mut computed = computed.as_slice();
        let mut all = Vec::new();
        for (index, example) in batch {
            if !known.contains(index) {
                let (own, rest) = computed.split_at(M::tokens(example) * width);
                computed = rest;
                all.extend_from_slice(own);
                if own.len() <= self.room && !self.kept.contains_key(index) {
                    self.room -= own.len();
                    self.kept.insert(*index, own.to_vec());
                }
            } else if let Some(kept) = self.kept.get(index) {
                all.extend_from_slice(kept);
            }
        }
        Ok(all)
    }
}
