//! Where the tokens of a session's sequences stand, as angles of the model's rotations.

use crate::rope::RopeConfig;
use evalh_kernel::{Angles, RopeTable, SeqId};
use std::collections::HashMap;
use std::ops::Range;

/// The rotations of a model and the sequences they are asked for.
#[derive(Debug)]
pub(crate) struct Places<'m> {
    ropes: &'m [RopeConfig],
    /// A table for each rotation and each of its regimes that was met.
    tables: HashMap<(usize, usize), RopeTable>,
    sequences: HashMap<SeqId, Sequence>,
}

/// What is known of a sequence whose frequencies depend on its length.
#[derive(Debug, Default)]
struct Sequence {
    /// Tokens of its whole prompt.
    expected: usize,
    /// The tokens held, where the sequence may have to be computed anew.
    tokens: Vec<u32>,
}

impl<'m> Places<'m> {
    pub(crate) fn new(ropes: &'m [RopeConfig]) -> Self {
        Self {
            ropes,
            tables: HashMap::new(),
            sequences: HashMap::new(),
        }
    }

    /// Whether any rotation depends on a sequence's length.
    pub(crate) fn varies(&self) -> bool {
        self.ropes
            .iter()
            .any(|rope| rope.regime(usize::MAX) != rope.regime(0))
    }

    fn restarts(&self) -> bool {
        self.ropes.iter().any(RopeConfig::restarts)
    }

    /// Says how many tokens a sequence will have when its prompt is whole.
    pub(crate) fn expect(&mut self, seq: SeqId, tokens: usize) {
        if self.varies() {
            self.sequences.entry(seq).or_default().expected = tokens;
        }
    }

    /// Forgets a sequence.
    pub(crate) fn forget(&mut self, seq: SeqId) {
        self.sequences.remove(&seq);
    }

    /// Learns of tokens about to be appended to a sequence that holds `held`, and gives those of them that must be
    /// computed anew before, since the sequence's frequencies change.
    pub(crate) fn arrive(&mut self, seq: SeqId, held: usize, tokens: &[u32]) -> Vec<u32> {
        if !self.varies() {
            return Vec::new();
        }
        let restarts = self.restarts();
        let length = held + tokens.len();
        let sequence = self.sequences.entry(seq).or_default();
        if held == 0 && sequence.expected < length {
            sequence.expected = length;
        }
        if !restarts {
            return Vec::new();
        }
        sequence.tokens.truncate(held);
        let before = sequence.expected.max(held);
        let changes = held > 0
            && self
                .ropes
                .iter()
                .any(|rope| rope.regime(before) != rope.regime(before.max(length)));
        let again = if changes {
            sequence.expected = length;
            sequence.tokens.clone()
        } else {
            Vec::new()
        };
        sequence.tokens.extend_from_slice(tokens);
        again
    }

    /// Angles of no tokens yet, for each rotation; of no values where nothing is rotated.
    pub(crate) fn angles(&self) -> Vec<Angles> {
        if self.ropes.is_empty() {
            return vec![Angles::default()];
        }
        self.ropes
            .iter()
            .map(|rope| Angles::new(rope.dim / 2, rope.pairing))
            .collect()
    }

    /// Appends the angles of a sequence's tokens at `positions`.
    pub(crate) fn push(&mut self, angles: &mut [Angles], seq: SeqId, positions: Range<usize>) {
        let expected = self.sequences.get(&seq).map_or(0, |s| s.expected);
        for (index, (rope, angles)) in self.ropes.iter().zip(angles).enumerate() {
            for position in positions.clone() {
                let length = expected.max(position + 1);
                let table = self
                    .tables
                    .entry((index, rope.regime(length)))
                    .or_insert_with(|| rope.table(length));
                table.reserve(positions.end);
                angles.push(table, position);
            }
        }
    }
}
