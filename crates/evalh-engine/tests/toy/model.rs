//! Logits that are a hash of the sequence, with a cache that minds its bounds.

use super::tokenizer::{EOS, SIZE, favoured};
use evalh_engine::{BoxError, Costs, Forward, LogitRows, Model, Row};

/// Bytes of cache a token is said to take.
pub const TOKEN_BYTES: usize = 10;

/// A model whose logits depend on the sequence alone.
#[derive(Debug, Clone, Copy)]
pub struct ToyModel {
    pub seed: u64,
    /// Tokens a cache block.
    pub block: usize,
    /// Whether sequences can be cut back.
    pub rewinds: bool,
    /// Computes NaN after this token.
    pub nan_after: Option<u32>,
    /// Size of the vocabulary.
    pub size: usize,
    /// The variant whose logits [`Self::logits`] gives; a session has all of them.
    pub variant: usize,
    /// Whether variants are the same in some layers.
    pub alike: bool,
}

impl ToyModel {
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            block: 4,
            rewinds: true,
            nan_after: None,
            size: SIZE,
            variant: 0,
            alike: false,
        }
    }

    /// Logits after a whole sequence.
    pub fn logits(&self, tokens: &[u32]) -> Vec<f32> {
        let state = tokens
            .iter()
            .fold(self.seed, |state, &token| mix(state, token));
        let mut logits = Vec::new();
        let last = *tokens.last().expect("a token");
        self.append_logits(state, last, self.variant, &mut logits);
        logits
    }

    /// A variant differs from the first one after some sequences only.
    fn append_logits(&self, state: u64, last: u32, variant: usize, logits: &mut Vec<f32>) {
        if self.nan_after == Some(last) {
            logits.extend(std::iter::repeat_n(f32::NAN, self.size));
            return;
        }
        let own = mix(state, u32::MAX - variant as u32);
        let state = if variant > 0 && own.is_multiple_of(4) {
            own
        } else {
            state
        };
        logits.extend((0..self.size as u32).map(|id| {
            // 16 bits, so that ties happen
            let noise = (mix(state, id) >> 48) as f32 / 65536.0 * 4.0;
            noise
                + if id == EOS {
                    3.1
                } else if favoured(id) {
                    3.5
                } else {
                    0.0
                }
        }));
    }
}

fn mix(state: u64, token: u32) -> u64 {
    let mut x = state
        .wrapping_add(0x9E37_79B9_7F4A_7C15)
        .wrapping_add(u64::from(token) << 17);
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

impl Model for ToyModel {
    type Session<'m> = ToySession<'m>;

    fn costs(&self) -> Costs {
        Costs {
            parameters: 100,
            weight_bytes: 400,
            token_bytes: TOKEN_BYTES,
        }
    }

    fn shared_layers(&self, one: usize, other: usize) -> usize {
        // The last of three has nothing in common with the others.
        let alike = self.alike && one != other && one.max(other) != 2;
        if alike { 1 + one.min(other) } else { 0 }
    }

    fn block_tokens(&self) -> usize {
        self.block
    }

    fn session(&self, capacity_tokens: usize) -> Result<ToySession<'_>, BoxError> {
        assert_eq!(
            capacity_tokens % self.block,
            0,
            "capacity is in whole blocks"
        );
        Ok(ToySession {
            model: self,
            capacity: capacity_tokens,
            sequences: Vec::new(),
        })
    }
}

/// Sequences by number; closed ones are `None`.
pub struct ToySession<'m> {
    model: &'m ToyModel,
    capacity: usize,
    sequences: Vec<Option<Sequence>>,
}

/// A sequence of the cache.
#[derive(Default)]
struct Sequence {
    variant: usize,
    /// The hash after each token.
    states: Vec<u64>,
    /// Tokens that take no cache of their own, because the sequence that it began with holds them.
    shared: usize,
}

impl Forward for ToySession<'_> {
    type Seq = usize;
    type Logits = ToyLogits;

    fn open(&mut self, variant: usize, _: usize) -> usize {
        self.sequences.push(Some(Sequence {
            variant,
            ..Sequence::default()
        }));
        self.sequences.len() - 1
    }

    fn close(&mut self, seq: usize) {
        assert!(self.sequences[seq].take().is_some(), "closed once");
    }

    fn shares(&self) -> bool {
        self.model.rewinds
    }

    fn fork(&mut self, seq: usize, len: usize) -> usize {
        let from = self.sequences[seq].as_ref().expect("open");
        assert!(len <= from.states.len());
        let (variant, states) = (from.variant, from.states[..len].to_vec());
        self.sequences.push(Some(Sequence {
            variant,
            states,
            shared: len / self.model.block * self.model.block,
        }));
        self.sequences.len() - 1
    }

    fn rewind(&mut self, seq: usize, len: usize) -> bool {
        if self.model.rewinds {
            let sequence = self.sequences[seq].as_mut().expect("open");
            assert!(len <= sequence.states.len() && len >= sequence.shared);
            sequence.states.truncate(len);
        }
        self.model.rewinds
    }

    fn forward(&mut self, rows: &[Row<'_, usize>]) -> Result<ToyLogits, BoxError> {
        let (mut logits, mut variants) = (Vec::new(), Vec::new());
        let held = |row: &Row<'_, usize>| &self.sequences[row.seq].as_ref().expect("open").states;
        for (place, row) in rows.iter().enumerate() {
            if let Some(twin) = row.twin {
                let other = &rows[twin];
                assert!(twin < place && other.tokens == row.tokens);
                assert_eq!(held(other), held(row), "twins have the same tokens");
            }
        }
        for row in rows {
            assert!(!row.tokens.is_empty() && row.logits.end <= row.tokens.len());
            let sequence = self.sequences[row.seq].as_mut().expect("open");
            let (variant, states) = (sequence.variant, &mut sequence.states);
            variants.push(variant);
            for (place, &token) in row.tokens.iter().enumerate() {
                let state = mix(states.last().copied().unwrap_or(self.model.seed), token);
                states.push(state);
                if row.logits.contains(&place) {
                    self.model.append_logits(state, token, variant, &mut logits);
                }
            }
        }
        assert!(
            variants.is_sorted(),
            "a variant's rows come after each other"
        );
        let held: usize = self
            .sequences
            .iter()
            .flatten()
            .map(|s| s.states.len().next_multiple_of(self.model.block) - s.shared)
            .sum();
        assert!(
            held <= self.capacity,
            "{held} tokens in a cache of {}",
            self.capacity
        );
        Ok(ToyLogits {
            logits,
            size: self.model.size,
        })
    }
}

pub struct ToyLogits {
    logits: Vec<f32>,
    size: usize,
}

impl LogitRows for ToyLogits {
    fn row(&self, i: usize) -> &[f32] {
        &self.logits[i * self.size..(i + 1) * self.size]
    }
}
