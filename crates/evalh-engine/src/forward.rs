//! The model as the scheduler sees it.

use crate::BoxError;
use std::ops::Range;

/// A causal language model that can hold several sequences at once.
pub trait Model {
    /// A cache of keys and values with the sequences in it.
    type Session<'m>: Forward
    where
        Self: 'm;

    /// What a pass reads and computes; [`Costs::token_bytes`] bounds how many tokens fit into the memory.
    fn costs(&self) -> Costs;

    /// How many of the lowest layers are the same for two variants, so that the same tokens have the same values there.
    fn shared_layers(&self, _one: usize, _other: usize) -> usize {
        0
    }

    /// Tokens per cache block: a sequence of `n` tokens occupies `n` rounded up to a multiple of this.
    fn block_tokens(&self) -> usize;

    /// A cache with room for `capacity_tokens` tokens in all (a multiple of [`Self::block_tokens`]).
    ///
    /// # Errors
    /// When the memory cannot be had.
    fn session(&self, capacity_tokens: usize) -> Result<Self::Session<'_>, BoxError>;
}

/// What a forward pass takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Costs {
    /// Parameters: a token takes a multiplication and an addition with each.
    pub parameters: usize,
    /// Bytes of weights, which every pass reads once.
    pub weight_bytes: usize,
    /// Bytes of cache that one token of one sequence takes, and that every later token of it reads.
    pub token_bytes: usize,
}

/// Bytes that a machine reads from memory in the time in which it computes with one parameter: 30 GB/s over 200 billion
/// multiply-adds a second. Only chooses how much is drafted.
const BYTES_PER_PARAMETER: f64 = 0.15;

impl Costs {
    /// The chance of being kept from which on one more token is worth its time, for a sequence of `context` tokens in a
    /// pass of `tokens`.
    ///
    /// A pass takes as long as reading the weights or computing with them, whichever is longer, and reading the caches.
    /// While reading takes longer, one more token costs little; a token decoded by itself always reads its cache again.
    pub(crate) fn least_chance(self, tokens: usize, context: usize) -> f64 {
        let compute = self.parameters as f64 * BYTES_PER_PARAMETER;
        let weights = self.weight_bytes as f64 / tokens.max(1) as f64;
        let cache = (context * self.token_bytes) as f64;
        let more = compute * (compute / weights).min(1.0);
        more / (compute.max(weights) + cache)
    }
}

/// Sequences in a cache, and the forward pass over them.
///
/// A row's logits must be the same bits whatever other rows are in the call, and however a sequence's tokens are split
/// over calls.
pub trait Forward {
    /// Names an open sequence.
    type Seq: Copy;
    /// What a forward pass returns.
    type Logits: LogitRows;

    /// Begins an empty sequence of the variant of this place, whose prompt has so many tokens.
    fn open(&mut self, variant: usize, tokens: usize) -> Self::Seq;

    /// Ends a sequence and frees its part of the cache.
    fn close(&mut self, seq: Self::Seq);

    /// Forgets all but the first `len` tokens of a sequence. Returns `false`, and does nothing, where that is not
    /// supported; the scheduler then opens a new sequence and runs the tokens again.
    fn rewind(&mut self, _seq: Self::Seq, _len: usize) -> bool {
        false
    }

    /// Whether sequences can begin with the tokens of another, at no cost: [`Self::fork`]. They can be rewound then, too.
    fn shares(&self) -> bool {
        false
    }

    /// Begins a sequence of the same variant with the first `len` tokens of another. Both hold the whole blocks of them until
    /// each is closed; what lies beyond counts for each.
    /// Only asked for where [`Self::shares`] says so.
    fn fork(&mut self, _seq: Self::Seq, _len: usize) -> Self::Seq {
        unreachable!("a session that shares nothing is not asked to")
    }

    /// Appends each row's tokens to its sequence and returns the logits asked for, rows in order, positions in order. Rows
    /// of a variant come after each other.
    ///
    /// # Errors
    /// When the computation fails; the session is not used after that.
    fn forward(&mut self, rows: &[Row<'_, Self::Seq>]) -> Result<Self::Logits, BoxError>;
}

/// Tokens to append to one sequence.
#[derive(Debug, Clone)]
pub struct Row<'a, S> {
    /// The sequence.
    pub seq: S,
    /// Its next tokens, at least one.
    pub tokens: &'a [u32],
    /// Positions within `tokens` whose logits are wanted.
    pub logits: Range<usize>,
    /// The place of an earlier row of the call that has the same tokens, and whose sequence holds the same tokens before
    /// them. What both have in common may then be computed once.
    pub twin: Option<usize>,
}

/// Logits of one forward pass.
pub trait LogitRows {
    /// Row `i` of those asked for: one `f32` per token of the vocabulary.
    fn row(&self, i: usize) -> &[f32];
}
