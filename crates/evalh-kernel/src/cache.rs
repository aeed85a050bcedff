//! The key-value cache of a session, for either set of primitives.

use crate::cpu::{BLOCK_TOKENS, BlockTable, KvPool, KvShape};
use burn::tensor::Tensor;
use std::ops::Range;

/// Sizes of a cache.
pub type CacheShape = KvShape;

/// A sequence of a [`KvCache`]. Valid until it is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SeqId(usize);

/// Why a cache could not be had or extended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CacheError {
    /// The system has no memory for so many bytes.
    OutOfMemory {
        /// Bytes asked for.
        bytes: usize,
    },
    /// The cache is full.
    Full {
        /// Tokens asked for.
        tokens: usize,
        /// Tokens for which there is room.
        free: usize,
    },
}

/// Keys and values of many sequences.
#[derive(Debug)]
pub struct KvCache {
    pub(crate) store: Store,
    open: Vec<bool>,
}

#[derive(Debug)]
pub(crate) enum Store {
    /// Blocks of one pool, for the CPU set.
    Paged {
        pool: KvPool,
        tables: Vec<BlockTable>,
    },
    /// Grown tensors, for burn's operations.
    Grown {
        shape: CacheShape,
        capacity: usize,
        sequences: Vec<GrownSequence>,
    },
}

/// A sequence's keys and values as burn tensors.
#[derive(Debug, Default)]
pub(crate) struct GrownSequence {
    pub len: usize,
    /// Keys and values of each layer, `[heads, tokens, head_dim]`.
    pub layers: Vec<Option<(Tensor<3>, Tensor<3>)>>,
}

impl KvCache {
    /// A paged cache with room for `tokens` tokens in all.
    ///
    /// # Errors
    /// When the memory cannot be had.
    pub(crate) fn paged(shape: CacheShape, tokens: usize) -> Result<Self, CacheError> {
        let bytes = shape.bytes_per_token().saturating_mul(tokens);
        let pool = KvPool::new(shape, tokens).ok_or(CacheError::OutOfMemory { bytes })?;
        Ok(Self {
            store: Store::Paged {
                pool,
                tables: Vec::new(),
            },
            open: Vec::new(),
        })
    }

    /// A cache of burn tensors that holds at most `tokens` tokens in all.
    pub(crate) fn grown(shape: CacheShape, tokens: usize) -> Self {
        let capacity = tokens.next_multiple_of(BLOCK_TOKENS);
        Self {
            store: Store::Grown {
                shape,
                capacity,
                sequences: Vec::new(),
            },
            open: Vec::new(),
        }
    }

    /// An empty sequence.
    pub fn open(&mut self) -> SeqId {
        if let Some(free) = self.open.iter().position(|open| !open) {
            self.open[free] = true;
            return SeqId(free);
        }
        self.open.push(true);
        match &mut self.store {
            Store::Paged { tables, .. } => tables.push(BlockTable::default()),
            Store::Grown { sequences, .. } => sequences.push(GrownSequence::default()),
        }
        SeqId(self.open.len() - 1)
    }

    /// A new sequence that begins with the first `len` tokens of another, or all that there are. Both hold them until each
    /// is closed.
    ///
    /// # Panics
    /// When the other is not open.
    pub fn fork(&mut self, from: SeqId, len: usize) -> SeqId {
        assert!(self.open[from.0], "forking a sequence that is not open");
        let seq = self.open();
        match &mut self.store {
            Store::Paged { pool, tables } => tables[seq.0] = pool.share(&tables[from.0], len),
            Store::Grown { sequences, .. } => {
                let len = len.min(sequences[from.0].len);
                let layers = sequences[from.0].layers.iter().map(|held| {
                    let (keys, values) = held.as_ref().filter(|_| len > 0)?;
                    let first = |tensor: &Tensor<3>| tensor.clone().narrow(1, 0, len);
                    Some((first(keys), first(values)))
                });
                let layers = layers.collect();
                sequences[seq.0] = GrownSequence { len, layers };
            }
        }
        seq
    }

    /// Forgets a sequence and frees its room.
    ///
    /// # Panics
    /// When it is not open.
    pub fn close(&mut self, seq: SeqId) {
        assert!(
            std::mem::take(&mut self.open[seq.0]),
            "closing a sequence that is not open"
        );
        match &mut self.store {
            Store::Paged { pool, tables } => pool.release(&mut tables[seq.0]),
            Store::Grown { sequences, .. } => sequences[seq.0] = GrownSequence::default(),
        }
    }

    /// Forgets all but the first `len` tokens of a sequence.
    pub fn truncate(&mut self, seq: SeqId, len: usize) {
        match &mut self.store {
            Store::Paged { pool, tables } => pool.truncate(&mut tables[seq.0], len),
            Store::Grown { sequences, .. } => {
                let sequence = &mut sequences[seq.0];
                if len >= sequence.len {
                    return;
                }
                sequence.len = len;
                for held in &mut sequence.layers {
                    *held = held
                        .take()
                        .filter(|_| len > 0)
                        .map(|(keys, values)| (keys.narrow(1, 0, len), values.narrow(1, 0, len)));
                }
            }
        }
    }

    /// Tokens held of a sequence.
    pub fn len(&self, seq: SeqId) -> usize {
        match &self.store {
            Store::Paged { tables, .. } => tables[seq.0].len(),
            Store::Grown { sequences, .. } => sequences[seq.0].len,
        }
    }

    /// Whether nothing is held of a sequence.
    pub fn is_empty(&self, seq: SeqId) -> bool {
        self.len(seq) == 0
    }

    /// Tokens that certainly fit into one more sequence. Room is given out in blocks of 32 tokens a sequence.
    pub fn free_tokens(&self) -> usize {
        match &self.store {
            Store::Paged { pool, .. } => pool.free_tokens(),
            Store::Grown {
                capacity,
                sequences,
                ..
            } => capacity.saturating_sub(
                sequences
                    .iter()
                    .map(|s| s.len.next_multiple_of(BLOCK_TOKENS))
                    .sum(),
            ),
        }
    }

    /// Makes room for `tokens` more tokens of a sequence and counts them as held.
    ///
    /// # Errors
    /// When the cache is full; it is then unchanged.
    ///
    /// # Panics
    /// When the sequence is not open.
    pub fn extend(&mut self, seq: SeqId, tokens: usize) -> Result<(), CacheError> {
        assert!(self.open[seq.0], "extending a sequence that is not open");
        let free = self.free_tokens();
        match &mut self.store {
            Store::Paged { pool, tables } => pool
                .extend(&mut tables[seq.0], tokens)
                .map_err(|_| CacheError::Full { tokens, free }),
            Store::Grown {
                shape, sequences, ..
            } => {
                let sequence = &mut sequences[seq.0];
                let needed = (sequence.len + tokens).next_multiple_of(BLOCK_TOKENS)
                    - sequence.len.next_multiple_of(BLOCK_TOKENS);
                if needed > free {
                    return Err(CacheError::Full { tokens, free });
                }
                sequence.layers.resize_with(shape.layers, || None);
                sequence.len += tokens;
                Ok(())
            }
        }
    }

    /// Takes over what the first `layers` layers hold of some tokens of another sequence, instead of computing them: both
    /// sequences hold the same tokens up to their end, and were the same below these layers.
    ///
    /// # Panics
    /// When either sequence has not so many tokens, or the model not so many layers.
    pub fn take_over(&mut self, from: SeqId, to: SeqId, tokens: &Range<usize>, layers: usize) {
        match &mut self.store {
            Store::Paged { pool, tables } => {
                pool.take_over(&tables[from.0], &tables[to.0], tokens, layers);
            }
            Store::Grown { sequences, .. } => {
                let held = sequences[from.0].layers[..layers].iter().map(|held| {
                    let (keys, values) = held.as_ref()?;
                    let upto = |tensor: &Tensor<3>| tensor.clone().narrow(1, 0, tokens.end);
                    Some((upto(keys), upto(values)))
                });
                let held: Vec<_> = held.collect();
                sequences[to.0].layers[..layers].clone_from_slice(&held);
            }
        }
    }

    /// Index of a sequence's entry in the store.
    pub(crate) fn slot(seq: SeqId) -> usize {
        seq.0
    }
}
