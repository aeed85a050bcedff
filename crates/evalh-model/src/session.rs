//! The forward pass, over ragged rows and a cache.

mod batch;
mod places;
mod trunk;

use crate::config::Positions;
use crate::decoder::Decoder;
use crate::{LoraId, ModelError};
use evalh_kernel::{CacheError, KvCache, SeqId};
use places::Places;
use std::collections::HashMap;
use std::ops::Range;

/// Tokens of all rows are computed at most so many at a time, which bounds the memory of activations.
const MOST_TOKENS: usize = 2048;

/// A cache of sequences over a decoder.
///
/// On the CPU a row's logits have the same bits whatever the other rows are, however its tokens are split over calls
/// and however many threads compute.
#[derive(Debug)]
pub struct Session<'m> {
    model: &'m Decoder,
    cache: KvCache,
    places: Places<'m>,
    adapters: HashMap<SeqId, LoraId>,
}

/// The next tokens of one sequence.
#[derive(Debug, Clone)]
pub struct Row<'a> {
    /// The sequence. It stands in at most one row of a call.
    pub seq: SeqId,
    /// Its next tokens, appended to the cache.
    pub tokens: &'a [u32],
    /// The places within `tokens` whose logits are wanted.
    pub logits: Range<usize>,
    /// The place of an earlier row of the call that has the same tokens, and whose sequence holds the same tokens before
    /// them. What both have in common is then computed once; it changes no logits.
    pub twin: Option<usize>,
}

/// Logits, `[asked places, vocabulary]`: rows in order, and places of a row in order.
#[derive(Debug, Clone, Default)]
pub struct Logits {
    values: Vec<f32>,
    vocab_size: usize,
}

impl Logits {
    /// Number of places.
    pub fn len(&self) -> usize {
        self.values.len().checked_div(self.vocab_size).unwrap_or(0)
    }

    /// Whether none was asked for.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The logits of the `index`th asked place, one value a vocabulary entry.
    ///
    /// # Panics
    /// When there are not so many.
    pub fn row(&self, index: usize) -> &[f32] {
        &self.values[index * self.vocab_size..(index + 1) * self.vocab_size]
    }
}

impl<'m> Session<'m> {
    pub(crate) fn new(model: &'m Decoder, capacity_tokens: usize) -> Result<Self, ModelError> {
        let cache = model
            .compute
            .cache(model.cache_shape(), capacity_tokens)
            .map_err(cache_error)?;
        let places = Places::new(match &model.config.positions {
            Positions::Rotary { ropes, .. } => ropes,
            Positions::Learned => &[],
        });
        Ok(Self {
            model,
            cache,
            places,
            adapters: HashMap::new(),
        })
    }

    /// Opens an empty sequence, answered by the base (or merged) weights or with an attached adapter.
    pub fn open(&mut self, adapter: Option<LoraId>) -> SeqId {
        let seq = self.cache.open();
        if let Some(adapter) = adapter {
            self.adapters.insert(seq, adapter);
        }
        seq
    }

    /// Opens a sequence that begins with the first `len` tokens of another, or all that there are, without computing them
    /// again. What it takes of the cache is what lies beyond the last whole block of them.
    ///
    /// # Panics
    /// When the other is not open, or what is held of a sequence depends on how long it is.
    pub fn fork(&mut self, from: SeqId, len: usize) -> SeqId {
        assert!(
            !self.depends_on_length(),
            "a sequence whose tokens depend on its length is not shared"
        );
        let seq = self.cache.fork(from, len);
        if let Some(adapter) = self.adapters.get(&from).copied() {
            self.adapters.insert(seq, adapter);
        }
        seq
    }

    /// Forgets a sequence and frees its room.
    ///
    /// # Panics
    /// When it is not open.
    pub fn close(&mut self, seq: SeqId) {
        self.adapters.remove(&seq);
        self.places.forget(seq);
        self.cache.close(seq);
    }

    /// Whether what is held of a sequence depends on how long the sequence is.
    pub fn depends_on_length(&self) -> bool {
        self.places.varies()
    }

    /// Says how many tokens the sequence will have when its prompt is whole, before its first tokens come.
    ///
    /// Only matters to models whose rotary frequencies depend on a sequence's length, and there only to a prompt that
    /// is given in parts; a prompt given at once says it by itself.
    pub fn expect(&mut self, seq: SeqId, tokens: usize) {
        self.places.expect(seq, tokens);
    }

    /// Forgets all but the first `len` tokens of a sequence.
    pub fn truncate(&mut self, seq: SeqId, len: usize) {
        self.cache.truncate(seq, len);
    }

    /// Tokens held of a sequence.
    pub fn len(&self, seq: SeqId) -> usize {
        self.cache.len(seq)
    }

    /// Whether nothing is held of a sequence.
    pub fn is_empty(&self, seq: SeqId) -> bool {
        self.cache.is_empty(seq)
    }

    /// Tokens that certainly fit into one more sequence.
    pub fn free_tokens(&self) -> usize {
        self.cache.free_tokens()
    }

    /// Appends tokens to sequences and computes the logits asked for.
    ///
    /// # Errors
    /// When a token is unknown, a sequence too long or the cache full. Sequences may then hold some of the tokens.
    ///
    /// # Panics
    /// When a sequence is not open or a range of logits lies outside its tokens.
    pub fn forward(&mut self, rows: &[Row<'_>]) -> Result<Logits, ModelError> {
        // A thread outside the pool would hand each of some two hundred parallel stretches over to it, and wait.
        rayon::scope(|_| self.forward_in_pool(rows))
    }

    fn forward_in_pool(&mut self, rows: &[Row<'_>]) -> Result<Logits, ModelError> {
        let vocab_size = self.model.config.vocab_size;
        self.check(rows)?;
        for row in rows {
            self.restart(row)?;
        }
        let groups = self.groups(rows);
        if let [group] = groups.as_slice() {
            let values = self.forward_group(rows, group)?;
            return Ok(Logits { values, vocab_size });
        }
        // Each group's logits go to where its rows stand among all.
        let starts: Vec<usize> = rows
            .iter()
            .scan(0, |next, row| {
                let start = *next;
                *next += row.logits.len() * vocab_size;
                Some(start)
            })
            .collect();
        let total: usize = rows.iter().map(|row| row.logits.len()).sum();
        let mut values = vec![0.0; total * vocab_size];
        for group in &groups {
            let own = self.forward_group(rows, group)?;
            let mut own = own.as_slice();
            for index in &group.rows {
                let (row, rest) = own.split_at(rows[*index].logits.len() * vocab_size);
                values[starts[*index]..][..row.len()].copy_from_slice(row);
                own = rest;
            }
        }
        Ok(Logits { values, vocab_size })
    }

    /// Rows that can share a batch: an adapter that replaces whole values has one of its own.
    fn groups(&self, rows: &[Row<'_>]) -> Vec<Group> {
        let mut groups: Vec<Group> = Vec::new();
        for (index, row) in rows.iter().enumerate() {
            let whole = self
                .adapters
                .get(&row.seq)
                .copied()
                .filter(|adapter| self.model.is_alone(*adapter));
            match groups.iter_mut().find(|group| group.whole == whole) {
                Some(group) => group.rows.push(index),
                None => groups.push(Group {
                    whole,
                    rows: vec![index],
                }),
            }
        }
        groups
    }

    /// The logits of a group's rows, in parts of at most [`MOST_TOKENS`] tokens.
    fn forward_group(&mut self, rows: &[Row<'_>], group: &Group) -> Result<Vec<f32>, ModelError> {
        let mut values = Vec::new();
        let mut part: Vec<Row<'_>> = Vec::new();
        // Which row's tokens from where on each row of the part has.
        let mut pieces: Vec<(usize, Range<usize>)> = Vec::new();
        let mut tokens = 0;
        for index in &group.rows {
            let row = &rows[*index];
            let mut first = 0;
            while first < row.tokens.len() {
                let count = (row.tokens.len() - first).min(MOST_TOKENS - tokens);
                let piece = first..first + count;
                let wanted = row.logits.start.clamp(piece.start, piece.end)
                    ..row.logits.end.clamp(piece.start, piece.end);
                let like = |twin| {
                    pieces
                        .iter()
                        .position(|other| *other == (twin, piece.clone()))
                };
                part.push(Row {
                    seq: row.seq,
                    tokens: &row.tokens[piece.clone()],
                    logits: wanted.start - first..wanted.end - first,
                    twin: row.twin.and_then(like),
                });
                pieces.push((*index, piece));
                first += count;
                tokens += count;
                if tokens == MOST_TOKENS {
                    values.extend(self.compute(&part, group.whole)?);
                    part.clear();
                    pieces.clear();
                    tokens = 0;
                }
            }
        }
        if !part.is_empty() {
            let last = self.compute(&part, group.whole)?;
            if values.is_empty() {
                values = last;
            } else {
                values.extend(last);
            }
        }
        Ok(values)
    }

    /// Computes a sequence anew that grows out of the length its rotary frequencies are for, where the reference
    /// implementation does so too.
    fn restart(&mut self, row: &Row<'_>) -> Result<(), ModelError> {
        let held = self.cache.len(row.seq);
        let again = self.places.arrive(row.seq, held, row.tokens);
        if again.is_empty() {
            return Ok(());
        }
        self.cache.truncate(row.seq, 0);
        let rows = [Row {
            seq: row.seq,
            tokens: &again,
            logits: 0..0,
            twin: None,
        }];
        for group in &self.groups(&rows) {
            self.forward_group(&rows, group)?;
        }
        Ok(())
    }

    fn check(&self, rows: &[Row<'_>]) -> Result<(), ModelError> {
        let config = &self.model.config;
        for row in rows {
            assert!(
                row.logits.end <= row.tokens.len(),
                "logits of tokens that are not in the row"
            );
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
            let tokens = self.len(row.seq) + row.tokens.len();
            if tokens > config.max_positions {
                return Err(ModelError::TooLong {
                    tokens,
                    max_positions: config.max_positions,
                });
            }
        }
        Ok(())
    }
}

/// Rows that share a batch.
struct Group {
    /// The adapter of all of them, where it replaces whole values.
    whole: Option<LoraId>,
    /// Their places among the rows of the call.
    rows: Vec<usize>,
}

fn cache_error(error: CacheError) -> ModelError {
    match error {
        CacheError::OutOfMemory { bytes } => ModelError::OutOfMemory { bytes },
        CacheError::Full { tokens, free } => ModelError::CacheFull { tokens, free },
    }
}
