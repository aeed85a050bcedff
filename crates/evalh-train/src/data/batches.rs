//! Micro-batches in an order that the seed decides.

use super::{super::random::Draws, DataError};
use serde::{Deserialize, Serialize};

/// In which order the examples of an epoch are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Every epoch in a random order of its own, a function of the seed and the epoch's number.
    Shuffled {
        /// The seed.
        seed: u64,
    },
    /// Every epoch in the order of the file.
    AsGiven,
}

/// How much a micro-batch holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BatchSize {
    /// So many examples.
    Samples(usize),
    /// As many whole examples as come next within so many tokens: a model that attends within each example only reads them
    /// without padding and without seeing one from another.
    Packing {
        /// Most tokens of a micro-batch.
        max_tokens: usize,
    },
}

/// Where a training is in its data.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Position {
    /// The epoch, from 0.
    pub epoch: u64,
    /// Examples of this epoch that were taken.
    pub taken: usize,
}

/// A micro-batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MicroBatch {
    /// Where it begins.
    pub at: Position,
    /// Its examples by index, at least one, none twice.
    pub examples: Vec<usize>,
}

/// Micro-batches without end, epoch after epoch. A micro-batch holds examples of one epoch; the last of an epoch may be
/// smaller.
#[derive(Debug, Clone)]
pub struct Batches {
    lengths: Vec<usize>,
    order: Order,
    size: BatchSize,
    position: Position,
    /// The examples of the position's epoch in its order.
    epoch: Vec<u32>,
}

impl Batches {
    /// The micro-batches of examples of these `lengths` in tokens, from the beginning.
    ///
    /// # Errors
    /// When there are no examples, the size is 0, or an example is longer than a micro-batch.
    pub fn new(lengths: Vec<usize>, size: BatchSize, order: Order) -> Result<Self, DataError> {
        let refused = |problem: String, remedy| Err(DataError::Batches { problem, remedy });
        if lengths.is_empty() {
            return refused("there are no examples".to_owned(), "give data with samples");
        }
        if u32::try_from(lengths.len()).is_err() {
            let problem = format!("{} examples are more than 2^32", lengths.len());
            return refused(problem, "give fewer samples");
        }
        match size {
            BatchSize::Samples(0) => {
                return refused("the batch size is 0".to_owned(), "give at least 1");
            }
            BatchSize::Packing { max_tokens } => {
                if let Some(index) = lengths.iter().position(|length| *length > max_tokens) {
                    let length = lengths[index];
                    let problem = format!(
                        "example {index} has {length} tokens and a packed batch at most {max_tokens}"
                    );
                    let remedy = "pack more tokens, or cut samples at fewer";
                    return refused(problem, remedy);
                }
            }
            BatchSize::Samples(_) => {}
        }
        let epoch = order.of_epoch(0, lengths.len());
        Ok(Self {
            lengths,
            order,
            size,
            position: Position::default(),
            epoch,
        })
    }

    /// Where the next micro-batch begins.
    pub fn position(&self) -> Position {
        self.position
    }

    /// Goes to a position that [`position`](Self::position) gave, in this or another process, for the same data, size and
    /// order.
    ///
    /// # Errors
    /// When the position has more examples than there are.
    pub fn go_to(&mut self, position: Position) -> Result<(), DataError> {
        let examples = self.lengths.len();
        if position.taken >= examples {
            return Err(DataError::Batches {
                problem: format!(
                    "{} examples of epoch {} are taken, and an epoch has {examples}",
                    position.taken, position.epoch
                ),
                remedy: "go on with the data that the training began with",
            });
        }
        if position.epoch != self.position.epoch {
            self.epoch = self.order.of_epoch(position.epoch, examples);
        }
        self.position = position;
        Ok(())
    }

    /// The next micro-batch.
    pub fn take_next(&mut self) -> MicroBatch {
        let at = self.position;
        let end = self.end(&self.epoch, at.taken);
        let examples = self.epoch[at.taken..end].iter();
        let examples = examples.map(|index| *index as usize).collect();
        self.position.taken = end;
        if end == self.epoch.len() {
            self.position = Position {
                epoch: at.epoch + 1,
                taken: 0,
            };
            self.epoch = self.order.of_epoch(at.epoch + 1, self.lengths.len());
        }
        MicroBatch { at, examples }
    }

    /// How many micro-batches an epoch has; where they are packed, this depends on the epoch's order.
    pub fn in_epoch(&self, epoch: u64) -> usize {
        let order = self.order.of_epoch(epoch, self.lengths.len());
        let mut begin = 0;
        let mut batches = 0;
        while begin < order.len() {
            begin = self.end(&order, begin);
            batches += 1;
        }
        batches
    }

    /// Where the micro-batch that begins at `begin` ends; at least one example after.
    fn end(&self, epoch: &[u32], begin: usize) -> usize {
        let rest = &epoch[begin..];
        let examples = match self.size {
            BatchSize::Samples(samples) => samples.min(rest.len()),
            BatchSize::Packing { max_tokens } => {
                let mut room = max_tokens;
                let fits = rest.iter().take_while(|index| {
                    let left = room.checked_sub(self.lengths[**index as usize]);
                    room = left.unwrap_or(0);
                    left.is_some()
                });
                fits.count()
            }
        };
        begin + examples.max(1)
    }
}

impl Order {
    fn of_epoch(self, epoch: u64, examples: usize) -> Vec<u32> {
        let examples = examples as u32;
        match self {
            Self::Shuffled { seed } => {
                Draws::new("order", seed, &[&epoch.to_le_bytes()]).permutation(examples)
            }
            Self::AsGiven => (0..examples).collect(),
        }
    }
}

#[cfg(test)]
mod tests;
